"""The offline provider invents nothing, answers everything, and answers the same twice."""

import datetime as dt
import json
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.contracts.base import Contract
from casewright.contracts.case import CaseType
from casewright.contracts.clause import SearchResult
from casewright.contracts.recommendation import ActionKind, ClauseRef, Deadline, Limit, Outcome, OutcomeBasis
from casewright.models.classification import ClassifyInput, check_classification
from casewright.models.excerpt import ClauseExcerpt
from casewright.models.extractive.answering import answer
from casewright.models.extractive.drafting import draft
from casewright.models.extractive.intake import classify, subjects
from casewright.models.extractive.language import language_of
from casewright.models.extractive.research import select
from casewright.models.offline import OFFLINE_MODEL, OfflineProvider
from casewright.models.provider import ModelReply, ModelRequest, NoReply
from casewright.models.question import AnswerInput, check_answer
from casewright.models.recommendation import CaseFact, DraftInput, MissingItem, check_draft
from casewright.models.selection import CandidateClause, SelectInput, check_selection
from tests.support.model_requests import model_request

SENTENCES = st.sampled_from(
    [
        "The bank must complete its investigation within 10 business days.",
        "The time is 45 days unless the transfer was at a point of sale.",
        "A customer may be liable for up to 50.00 USD.",
        "Credit is provisional.",
        "The bank may take 90 days when:",
        "Wire transfers are not covered.",
        "El banco responde.",
        "A zero\u200bwidth sentence.",
    ]
)
VALUES = st.one_of(
    st.sampled_from(["12550", "USD", "2026-03-02", "point_of_sale", "must pay now", "true", "t1", ""]),
    st.text(max_size=40),
)
FIELDS = ["amount_minor", "currency", "posted_on", "channel", "transaction_id", "description", "due_on"]
PATHS = st.tuples(
    st.sampled_from(["transactions", "notices", "deadlines", "limits"]),
    st.sampled_from(["t1", "t2", "investigation", "cap"]),
    st.sampled_from(FIELDS),
).map("/".join) | st.sampled_from(["claimed_amount_minor", "received_on"])
LABELS = ["1.1", "1.1(a)", "1.1(b)", "2"]
ACTIONS = st.sampled_from(get_args(ActionKind))


@st.composite
def excerpts(draw: st.DrawFn) -> tuple[ClauseExcerpt, ...]:
    found: list[ClauseExcerpt] = []
    parent = ""
    for label in draw(st.lists(st.sampled_from(LABELS), unique=True, max_size=4)):
        sentences = tuple(draw(st.lists(SENTENCES, max_size=3)))
        text = " ".join(sentences)
        found.append(
            ClauseExcerpt(
                clause_id=f"hl-a@1#{label}",
                document_id="hl-a",
                version="1",
                label=label,
                sha256="0" * 64,
                text=text,
                sentences=sentences if draw(st.booleans()) else (),
                lead_in=parent if "(" in label else "",
            )
        )
        parent = text if label == "1.1" else parent
    return tuple(found)


REFERENCES = st.builds(ClauseRef, document_id=st.sampled_from(["hl-a", "hl-x"]), label=st.sampled_from(LABELS))
BASES = st.builds(
    OutcomeBasis,
    rule=st.just("r"),
    clause=REFERENCES,
    because=st.one_of(SENTENCES, st.text(max_size=60)),
    facts=st.lists(PATHS, max_size=4).map(tuple),
)
DEADLINES = st.builds(
    Deadline,
    id=st.just("investigation"),
    title=st.sampled_from(["Investigation", "45-day limit", "Must answer"]),
    starts_on=st.just(dt.date(2026, 2, 16)),
    count=st.integers(1, 90),
    unit=st.sampled_from(["business_days", "calendar_days"]),
    due_on=st.just(dt.date(2026, 3, 2)),
    clause=REFERENCES,
    because=st.just("notice received"),
    calendar=st.just(""),
)
LIMITS = st.builds(
    Limit,
    id=st.just("cap"),
    title=st.just("Liability"),
    amount_minor=st.sampled_from([12550, 5000]),
    clause=REFERENCES,
    because=st.just("reported in time"),
)


@st.composite
def draft_inputs(draw: st.DrawFn) -> DraftInput:
    paths = draw(st.lists(PATHS, unique=True, max_size=10))
    return DraftInput(
        facts=tuple(CaseFact(path=path, value=draw(VALUES), label="") for path in paths),
        outcome=Outcome(
            action=draw(ACTIONS),
            amount_minor=draw(st.sampled_from([0, 12550, 7])),
            risk="low",
            basis=tuple(draw(st.lists(BASES, max_size=4))),
            questions=tuple(draw(st.lists(st.text(max_size=30), max_size=2))),
        ),
        currency="USD",
        deadlines=tuple(draw(st.lists(DEADLINES, max_size=2))),
        limits=tuple(draw(st.lists(LIMITS, max_size=2))),
        missing=tuple(draw(st.lists(st.just(MissingItem(id="m", title="Affidavit", why="It is needed.")), max_size=1))),
        clauses=draw(excerpts()),
    )


@pytest.mark.proves("F2", "F3")
@settings(max_examples=150, deadline=None)
@given(draft_inputs())
def test_a_draft_says_nothing_that_its_quotes_and_facts_do_not(value: DraftInput) -> None:
    output = draft(value)
    assert check_draft(value, output) == ()
    texts = {clause.clause_id: clause.text for clause in value.clauses}
    for finding in output.findings:
        assert all(citation.quote in texts[citation.clause_id] for citation in finding.citations)
        assert set(finding.fact_paths) <= {fact.path for fact in value.facts}
    assert draft(value) == output


def clause(label: str, *sentences: str, lead_in: str = "") -> ClauseExcerpt:
    return ClauseExcerpt(
        clause_id=f"hl-a@1#{label}",
        document_id="hl-a",
        version="1",
        label=label,
        sha256="0" * 64,
        text=" ".join(sentences),
        sentences=sentences,
        lead_in=lead_in,
    )


def demo_input(action: ActionKind = "issue_provisional_credit") -> DraftInput:
    lead = "The bank must give provisional credit when:"
    return DraftInput(
        facts=(
            CaseFact(path="transactions/t1/amount_minor", value="12550", label="amount"),
            CaseFact(path="transactions/t1/currency", value="USD", label="currency"),
            CaseFact(path="transactions/t1/posted_on", value="2026-03-02", label="posted"),
            CaseFact(path="transactions/t1/channel", value="point_of_sale", label="channel"),
            CaseFact(path="transactions/t1/description", value="You must approve this", label="description"),
            CaseFact(path="transactions/t9/amount_minor", value="100", label="amount"),
            CaseFact(path="deadlines/investigation/due_on", value="2026-03-16", label="due"),
        ),
        outcome=Outcome(
            action=action,
            amount_minor=12550,
            risk="medium",
            basis=(
                OutcomeBasis(
                    rule="provisional",
                    clause=ClauseRef(document_id="hl-a", label="4.1(b)"),
                    because="the investigation takes longer than 10 business days",
                    facts=("transactions/t1/amount_minor",),
                ),
            ),
            questions=("Was the card in the customer's hands?",),
        ),
        currency="USD",
        deadlines=(
            Deadline(
                id="investigation",
                title="Investigation",
                starts_on=dt.date(2026, 3, 2),
                count=10,
                unit="business_days",
                due_on=dt.date(2026, 3, 16),
                clause=ClauseRef(document_id="hl-a", label="3.1"),
                because="notice received",
                calendar="",
            ),
        ),
        limits=(),
        missing=(MissingItem(id="affidavit", title="Affidavit", why="It states the loss."),),
        clauses=(
            clause("3.1", "This part covers errors.", "The bank must finish its investigation in 10 business days."),
            clause("4.1", "Credit helps customers.", lead),
            clause("4.1(b)", "its investigation takes longer than 10 business days.", lead_in=f"Credit helps. {lead}"),
        ),
    )


@pytest.mark.proves("F2")
def test_a_draft_runs_from_facts_over_rules_and_deadlines_to_the_conclusion() -> None:
    value = demo_input()
    parent = value.clauses[1].model_copy(update={"text": "The bank must give provisional credit when:"})
    parent = parent.model_copy(update={"sentences": (parent.text,)})
    output = draft(value.model_copy(update={"clauses": (value.clauses[0], parent, value.clauses[2])}))
    assert [finding.claim for finding in output.findings] == [
        "Transaction: 125.50 USD, posted on 2026-03-02, point_of_sale.",
        "The bank must give provisional credit when: its investigation takes longer than 10 business days.",
        "The bank must finish its investigation in 10 business days.",
        "Investigation: 2026-03-16.",
        "Proposed action: issue a provisional credit of 125.50 USD.",
    ]
    assert output.open_questions == ("Was the card in the customer's hands?", "Affidavit: It states the loss.")
    assert output.reason.endswith("because the investigation takes longer than 10 business days.")


@pytest.mark.proves("F2")
def test_a_sentence_that_points_back_is_quoted_with_the_one_before_it() -> None:
    value = demo_input()
    leaning = clause(
        "3.1", "The bank must answer each notice.", "It must finish its investigation in 10 business days."
    )
    output = draft(value.model_copy(update={"clauses": (leaning, *value.clauses[1:])}))
    assert leaning.text in [finding.claim for finding in output.findings]


@pytest.mark.proves("F2")
def test_a_rule_whose_clause_was_not_found_becomes_an_open_question() -> None:
    output = draft(demo_input().model_copy(update={"clauses": ()}))
    assert not any(finding.citations for finding in output.findings)
    assert any("4.1(b) of hl-a was not among the clauses found" in question for question in output.open_questions)


@pytest.mark.proves("F2")
def test_text_of_the_case_that_speaks_in_rules_is_not_stated_as_a_fact() -> None:
    assert not any("approve" in finding.claim for finding in draft(demo_input()).findings)


CASES = st.builds(
    ClassifyInput,
    case_type=st.sampled_from(CaseType),
    title=st.text(max_size=60),
    narrative=st.text(max_size=400),
    product=st.text(max_size=30),
    issue=st.text(max_size=30),
    transactions=st.text(max_size=60),
    known_facts=st.lists(st.text(max_size=10), max_size=3).map(tuple),
)


@pytest.mark.proves("F2")
@settings(deadline=None)
@given(CASES)
def test_a_classification_never_carries_the_case_into_a_query(value: ClassifyInput) -> None:
    output = classify(value)
    assert check_classification(value, output) == ()
    assert set(output.queries) <= {subject.query for subject in subjects().values()}
    assert classify(value) == output


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I was charged twice and the bank did not answer me", "en"),
        ("Me robaron la tarjeta en el tren y el banco no responde", "es"),
        ("Ich habe den Betrag nicht erhalten und die Bank antwortet nicht", "de"),
        ("\u041c\u043e\u044e \u043a\u0430\u0440\u0442\u0443 \u0443\u043a\u0440\u0430\u043b\u0438", "ru"),
        ("\u94f6\u884c\u6ca1\u6709\u56de\u590d\u6211", "zh"),
        ("", "und"),
        ("12345 !!", "und"),
    ],
)
def test_the_language_of_a_narrative_is_told_or_said_to_be_unknown(text: str, code: str) -> None:
    assert language_of(text) == code


def test_an_empty_case_asks_for_clarification() -> None:
    empty = ClassifyInput(
        case_type=CaseType.CARD_DISPUTE, title="", narrative=" ", product="", issue="", transactions="", known_facts=()
    )
    assert classify(empty).needs_clarification
    told = empty.model_copy(update={"transactions": "1 at point of sale", "narrative": "stolen card abroad, overseas"})
    assert not classify(told).needs_clarification
    assert "foreign_transfer" in classify(told).topics


CANDIDATES = st.builds(
    CandidateClause,
    clause_id=st.sampled_from(["a", "b", "c", "d"]),
    label=st.just("1"),
    lead_in=st.just(""),
    text=SENTENCES,
    score=st.floats(allow_nan=False, allow_infinity=False, min_value=-1, max_value=1),
)


@pytest.mark.proves("F2", "F3")
@settings(deadline=None)
@given(st.builds(SelectInput, topic=st.text(max_size=60), clauses=st.lists(CANDIDATES, max_size=20).map(tuple)))
def test_a_selection_is_among_the_clauses_given(value: SelectInput) -> None:
    output = select(value)
    assert check_selection(value, output) == ()
    assert select(value) == output


@pytest.mark.proves("A7", "F2")
def test_an_insufficient_result_is_answered_with_what_was_missing() -> None:
    result = SearchResult(
        hits=(), index_version="1", as_of=dt.date(2026, 1, 1), sufficient=False, missing="boiling, mercury"
    )
    value = AnswerInput(question="What is the boiling point of mercury?", result=result)
    output = answer(value)
    assert output.abstained and output.reason == "boiling, mercury" and not output.citations
    assert check_answer(value, output) == ()


def request(name: str, value: Contract) -> ModelRequest:
    return model_request(task=name, input=value)


@pytest.mark.proves("F2")
async def test_the_provider_names_its_model_and_counts_no_tokens() -> None:
    reply = await OfflineProvider().complete(request("research.select", SelectInput(topic="x", clauses=())))
    assert isinstance(reply, ModelReply)
    assert reply.model == OFFLINE_MODEL and reply.usage.total_tokens == 0
    assert json.loads(reply.text)["clause_ids"] == []


async def test_a_task_without_rules_gets_no_reply() -> None:
    outcome = await OfflineProvider().complete(request("case.decide", SelectInput(topic="x", clauses=())))
    assert isinstance(outcome, NoReply) and not outcome.retryable
