"""What each task's own check refuses, whoever wrote the output."""

import datetime as dt

import pytest

from casewright.contracts.case import CaseType
from casewright.contracts.clause import ClauseHit, SearchResult
from casewright.contracts.recommendation import Outcome
from casewright.models.classification import ClassifyInput, ClassifyOutput, Topic, check_classification
from casewright.models.excerpt import ClauseExcerpt, Quotation, quote_problem
from casewright.models.question import AnswerInput, AnswerOutput, AnswerSentence, check_answer
from casewright.models.recommendation import CaseFact, DraftFinding, DraftInput, DraftOutput, check_draft

CLAUSE = ClauseExcerpt(
    clause_id="hl-a@1#1.1",
    document_id="hl-a",
    version="1",
    label="1.1",
    sha256="0" * 64,
    text="The bank must answer in 10 days. It may take 45 days unless the claim is late. It says so.",
    sentences=("The bank must answer in 10 days.", "It may take 45 days unless the claim is late.", "It says so."),
)
DRAFT = DraftInput(
    facts=(CaseFact(path="transactions/t1/amount_minor", value="12550", label="amount"),),
    outcome=Outcome(action="escalate", risk="low", basis=()),
    currency="USD",
    deadlines=(),
    limits=(),
    missing=(),
    clauses=(CLAUSE,),
)
NARRATIVE = "My card 4111 was stolen on the train to Lisbon and someone bought shoes"


def finding(claim: str, quote: str = "", *paths: str, clause_id: str = CLAUSE.clause_id) -> DraftFinding:
    citations = (Quotation(clause_id=clause_id, quote=quote),) if quote else ()
    return DraftFinding(claim=claim, citations=citations, fact_paths=paths)


def problems(*findings: DraftFinding, reason: str = "Because.") -> str:
    return "; ".join(check_draft(DRAFT, DraftOutput(findings=findings, reason=reason, open_questions=())))


@pytest.mark.proves("F3")
@pytest.mark.parametrize(
    ("quote", "told"),
    [
        (CLAUSE.text, ""),
        ("The bank must answer in 10 days.", ""),
        ("It may take 45 days unless the claim is late. It says so.", ""),
        ("The bank must answer in 20 days.", "not verbatim"),
        ("It may take 45 days", "not whole sentences"),
        ("bank must answer in 10 days.", "not whole sentences"),
        (" ", "empty"),
        ("the bank must answer in 10 days.", "not verbatim"),
    ],
)
def test_a_quote_is_whole_sentences_copied_exactly(quote: str, told: str) -> None:
    problem = quote_problem(CLAUSE, quote)
    assert told in problem and bool(problem) == bool(told)


@pytest.mark.proves("F3")
@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (finding("It says so.", "It says so.", clause_id="hl-b@1#1"), "'hl-b@1#1' is not among the clauses given"),
        (finding("It says so."), "neither a citation nor a fact"),
        (finding("Answer in 45 days.", "The bank must answer in 10 days."), "'45'"),
        (finding("The bank may answer.", "The bank must answer in 10 days."), "'may'"),
        (finding("Amount 99.00.", "", "transactions/t1/amount_minor"), "'99'"),
        (finding("Amount.", "", "transactions/t2/amount_minor"), "'transactions/t2/amount_minor' is not among"),
        (finding("It says\u200b so.", "It says so."), "invisible"),
    ],
    ids=["clause", "unbacked", "number", "modal", "amount", "path", "hidden"],
)
def test_a_finding_without_its_backing_is_refused(bad: DraftFinding, told: str) -> None:
    assert told in problems(bad)


@pytest.mark.proves("F3")
def test_a_finding_with_its_backing_passes() -> None:
    good = finding("The bank must answer in 10 days.", "The bank must answer in 10 days.")
    amount = finding("Transaction: 125.50.", "", "transactions/t1/amount_minor")
    assert problems(good, amount) == ""


def test_a_draft_that_says_nothing_of_its_facts_is_refused() -> None:
    assert "there must be at least one" in problems()


def test_an_invisible_character_in_the_reason_is_refused() -> None:
    assert "invisible" in problems(finding("It says so.", "It says so."), reason="Because\u202e.")


@pytest.mark.proves("F3")
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("provisional credit time limit", ""),
        ("12 CFR 1005.11(c)(2) investigation", ""),
        ("claims of 125.50 at point of sale", "leave out"),
        ("customer mail someone@example.org", "leave out"),
        ("card 41111111", "leave out"),
        ("transfer on 2026-03-02", "leave out"),
        ("refund of $ 40", "leave out"),
        ("two\nlines", "leave out"),
        ("was stolen on the train to Lisbon", "own words"),
    ],
)
def test_a_query_carries_nothing_of_the_case(query: str, told: str) -> None:
    value = ClassifyInput(
        case_type=CaseType.CARD_DISPUTE,
        title="",
        narrative=NARRATIVE,
        product="",
        issue="",
        transactions="",
        known_facts=(),
    )
    output = ClassifyOutput(
        topics=(Topic.OTHER,), queries=(query,), language="en", needs_clarification=False, why="Because."
    )
    found = "; ".join(check_classification(value, output))
    assert told in found and bool(found) == bool(told)


def hit(text: str) -> ClauseHit:
    return ClauseHit(
        clause_id="hl-a@1#1.1",
        document_id="hl-a",
        version="1",
        label="1.1",
        title="A",
        heading="A",
        text=text,
        sha256="0" * 64,
        parents=(),
        position=0,
        effective_from=dt.date(2020, 1, 1),
        effective_to=None,
        status="published",
        score=1.0,
        rank=1,
    )


def answer(quote: str = "", sentence: str = "", *, abstained: bool = False, reason: str = "") -> AnswerOutput:
    citations = (Quotation(clause_id="hl-a@1#1.1", quote=quote),) if quote else ()
    sentences = (AnswerSentence(citations=citations, text=sentence),) if quote or sentence else ()
    return AnswerOutput(sentences=sentences, abstained=abstained, reason=reason)


@pytest.mark.proves("F3", "A7")
@pytest.mark.parametrize(
    ("output", "sufficient", "told"),
    [
        (answer(CLAUSE.text, "Ten days."), True, ""),
        (answer(abstained=True, reason="Nothing on it."), False, ""),
        (answer(CLAUSE.text, "Ten days."), False, "you must abstain"),
        (answer(CLAUSE.text, "Ninety days."), True, "'90'"),
        (answer("The bank must answer in 90 days.", "x"), True, "not verbatim"),
        (answer(sentence="Ten days."), True, "quote what the sentence rests on"),
        (answer(CLAUSE.text), True, "the sentence is empty"),
        (answer(), True, "at least one sentence"),
        (answer(CLAUSE.text, "Ten days.", abstained=True, reason="x"), True, "no sentences"),
        (answer(abstained=True), True, "say what was missing"),
    ],
)
def test_an_answer_is_quoted_and_an_abstention_is_empty(output: AnswerOutput, sufficient: bool, told: str) -> None:
    result = SearchResult(hits=(hit(CLAUSE.text),), index_version="1", as_of=dt.date(2026, 1, 1), sufficient=sufficient)
    found = "; ".join(check_answer(AnswerInput(question="How long?", result=result), output))
    assert told in found and bool(found) == bool(told)


@pytest.mark.proves("F3")
def test_a_sentence_is_held_to_its_own_quotes_and_not_to_those_of_another() -> None:
    first = AnswerSentence(citations=(Quotation(clause_id="hl-a@1#1.1", quote=CLAUSE.text),), text="Ten days.")
    other = AnswerSentence(citations=(Quotation(clause_id="hl-b@1#1.1", quote="Be kind."),), text="Ten days.")
    hits = (hit(CLAUSE.text), hit("Be kind.").model_copy(update={"clause_id": "hl-b@1#1.1"}))
    result = SearchResult(hits=hits, index_version="1", as_of=dt.date(2026, 1, 1), sufficient=True)
    output = AnswerOutput(sentences=(first, other), abstained=False, reason="")
    (problem,) = check_answer(AnswerInput(question="How long?", result=result), output)
    assert problem == "sentences.1.text: '10' is in none of its quotes"


@pytest.mark.proves("F3")
def test_the_clause_that_leads_into_a_found_one_may_be_quoted_and_no_other_parent() -> None:
    item = hit("within ten days;").model_copy(
        update={"clause_id": "hl-a@1#1.1(a)", "parents": ("1", "1.1"), "lead_in": "Of errors.\nThe bank must answer:"}
    )
    result = SearchResult(hits=(item,), index_version="1", as_of=dt.date(2026, 1, 1), sufficient=True)

    def problems(clause_id: str, quote: str) -> tuple[str, ...]:
        sentence = AnswerSentence(citations=(Quotation(clause_id=clause_id, quote=quote),), text="The bank answers.")
        output = AnswerOutput(sentences=(sentence,), abstained=False, reason="")
        return check_answer(AnswerInput(question="How long?", result=result), output)

    assert problems("hl-a@1#1.1", "The bank must answer:") == ()
    assert "not verbatim" in problems("hl-a@1#1.1", "The bank may answer:")[0]
    assert "not among the clauses given" in problems("hl-a@1#1", "Of errors.")[0]
