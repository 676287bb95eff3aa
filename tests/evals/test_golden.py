"""The suites that ask questions: what they expect is published, their scorer sees every fault, planted defects fail."""

import datetime as dt
from pathlib import Path

import pytest

from casewright.contracts.clause import SearchFilters
from casewright.contracts.principal import Principal
from casewright.contracts.recommendation import VerifiedCitation
from casewright.identity.local import sample_identities
from evals.datasets import read_lines
from evals.scorers.answers import FORBIDDEN, AnswerCase, GivenAnswer, says, scored
from evals.scorers.answers import WantedClause as Wanted
from evals.scorers.shelf import Published, Shelf
from evals.suites.answering import published
from evals.suites.golden import Golden
from evals.unenforced import OtherFilters
from tests.evals.attempting import attempted, materials
from tests.evals.planted import Misquoting, planted

SAMPLE_FILES = ("golden.jsonl", "dated.jsonl", "unanswerable.jsonl")
PEOPLE = {person.id: person for person in sample_identities().people}
LIMIT = "An approval lapses after 72 hours. A new one is needed then."


def shelf() -> Shelf:
    """Two versions under no label, one under a label, a draft, and another tenant's document."""

    def one(document_id: str, version: str, first: str, **more: str) -> Published:
        return Published(
            tenant=more.get("tenant", "harborline"),
            document_id=document_id,
            version=version,
            status=more.get("status", "published"),
            labels=frozenset(filter(None, [more.get("label", "")])),
            first=dt.date.fromisoformat(first),
            last=None,
            body=f"**1.1** {LIMIT}\n\n**1.2** Nothing else.\n",
        )

    return Shelf(
        [
            one("hl-a", "1", "2020-01-01"),
            one("hl-a", "2", "2025-01-01"),
            one("hl-b", "1", "2020-01-01", label="fraud-ops"),
            one("hl-c", "1", "2020-01-01", status="draft"),
            one("mb-a", "1", "2020-01-01", tenant="millbrook"),
        ]
    )


def case(**expected: object) -> AnswerCase:
    wanted = {"clauses": [{"document_id": "hl-a", "version": "2", "label": "1.1"}], "says": ["72 hours"]}
    return AnswerCase.model_validate(
        {
            "id": "one",
            "why": "a case of the tests",
            "given": {"question": "When does an approval lapse?", "as_of": "2026-01-01"},
            "expected": wanted | expected,
        }
    )


def answer(
    quote: str = LIMIT, *, verified: bool = True, place: tuple[str, str, str] = ("hl-a", "2", "1.1")
) -> GivenAnswer:
    cited = VerifiedCitation(
        document_id=place[0], version=place[1], label=place[2], quote=quote, sha256="", verified=verified
    )
    return GivenAnswer(text=quote, abstained=False, reason="", citations=(cited,))


ABSTAINED = GivenAnswer(text="", abstained=True, reason="no rule says anything on lapses", citations=())


def people(name: str = "rosa") -> Principal:
    return PEOPLE[name]


@pytest.mark.proves("A7")
def test_a_whole_quote_of_the_right_clause_in_force_is_a_correct_answer() -> None:
    score = scored(case(), answer(), people(), shelf())
    assert score.passed and score.forbidden == ()
    assert score.outcomes == {
        "declined": False,
        "correct": True,
        "right_clause": True,
        "in_force": True,
        "verified": True,
        "disclosed": False,
    }


@pytest.mark.proves("A3", "A7")
@pytest.mark.parametrize(
    ("given", "forbidden"),
    [
        (answer(place=("hl-a", "1", "1.1")), "not in force"),
        (answer(place=("hl-b", "1", "1.1")), "label not held"),
        (answer(place=("hl-c", "1", "1.1")), "draft or withdrawn"),
        (answer(place=("mb-a", "1", "1.1")), "another tenant's rule"),
        (answer(place=("hl-z", "1", "1.1")), "not word for word"),
        (answer(place=("hl-a", "2", "1.2")), "not word for word"),
        (answer(LIMIT.replace("72", "73")), "not word for word"),
        (answer(verified=False), "unverified"),
        (GivenAnswer(text=LIMIT, abstained=False, reason="", citations=()), "without a citation"),
        (GivenAnswer(text="", abstained=True, reason="x", citations=answer().citations), "cites while it abstains"),
    ],
)
def test_each_fault_of_a_citation_is_forbidden_whatever_was_expected(given: GivenAnswer, forbidden: str) -> None:
    score = scored(case(), given, people(), shelf())
    assert forbidden in score.forbidden
    assert set(score.forbidden) <= set(FORBIDDEN)
    assert not score.passed and not score.outcomes["correct"]


def test_what_may_be_cited_depends_on_who_asks() -> None:
    labelled = answer(place=("hl-b", "1", "1.1"))
    wanted = case(clauses=[{"document_id": "hl-b", "version": "1", "label": "1.1"}])
    assert scored(wanted, labelled, people("selma"), shelf()).passed
    assert scored(wanted, labelled, people("rosa"), shelf()).outcomes["disclosed"]
    assert scored(wanted, labelled, people("marc"), shelf()).forbidden == ("another tenant's rule",)


@pytest.mark.proves("A7")
def test_declining_what_can_be_answered_and_answering_what_cannot_both_fail() -> None:
    declined = scored(case(), ABSTAINED, people(), shelf())
    assert (declined.passed, declined.outcomes) == (
        False,
        {"declined": True, "correct": False, "disclosed": False},
    )
    nothing = case(answered=False, clauses=[], says=[], missing=["lapses"])
    assert scored(nothing, ABSTAINED, people(), shelf()).passed
    assert scored(nothing, answer(), people(), shelf()).forbidden == ("answered",)
    silent = GivenAnswer(text="", abstained=True, reason="rules share some words", citations=())
    assert scored(nothing, silent, people(), shelf()).outcomes == {
        "withheld": True,
        "gap_named": False,
        "disclosed": False,
    }


def test_a_phrase_is_whole_words_and_whole_numbers_wherever_it_is_shown() -> None:
    assert says("It bears  50.00 USD\nat most.", "50.00 usd")
    assert not says("It bears 750.00 USD.", "50.00 USD")
    assert not says("It bears 1,500.00 USD.", "500.00 USD")
    assert not says("within 15 minutes", "5 minutes")
    leaky = GivenAnswer(text="", abstained=True, reason="no rule on 72 hours that you may see", citations=())
    hidden = case(answered=False, clauses=[], says=[], never_says=["72 hours"])
    leaked = scored(hidden, leaky, people(), shelf())
    assert leaked.forbidden == ("says what it must not",)
    assert not leaked.outcomes["withheld"], "the gates hold this share, not that of the cases that passed"


@pytest.mark.proves("A7")
@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_what_must_not_be_said_stands_in_some_rule_or_nobody_could_say_it(name: str) -> None:
    texts = published(None).texts()
    cases = read_lines(name, AnswerCase)
    phrases = {phrase for one in cases for phrase in one.expected.never_says}
    assert phrases and [phrase for phrase in phrases if not any(says(text, phrase) for text in texts)] == []


@pytest.mark.proves("A7", "A9")
@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_what_the_cases_expect_is_in_the_published_text_in_force_and_open_to_the_asker(name: str) -> None:
    assert unfounded(name, published(None)) == []


@pytest.mark.proves("A9")
def test_what_the_cases_expect_of_the_regulations_is_in_their_text_on_the_day(shared: Path) -> None:
    assert unfounded("golden-regulations.jsonl", published(shared)) == []


def unfounded(name: str, books: Shelf) -> list[str]:
    """Cases whose expectation the documents themselves do not bear out."""
    found: list[str] = []
    for one in read_lines(name, AnswerCase):
        assert one.expected.answered == bool(one.expected.clauses), one.id
        texts = [text_of(clause, one, books) for clause in one.expected.clauses]
        found += [f"{one.id}: no such clause for the asker" for text in texts if not text]
        found += [f"{one.id}: {word}" for word in one.expected.says if not any(says(text, word) for text in texts)]
        found += [f"{one.id}: {word}" for word in one.expected.never_says if any(says(text, word) for text in texts)]
    return found


def text_of(clause: Wanted, one: AnswerCase, books: Shelf) -> str:
    asker = PEOPLE[one.given.asked_by]
    version = books.in_force(asker.tenant, clause.document_id, one.given.as_of)
    if version is None or version.version != clause.version or not version.labels <= set(asker.labels):
        return ""
    return version.clauses.get(clause.label, "")


@pytest.mark.thorough
@pytest.mark.proves("A6", "A7")
async def test_golden_questions_are_asked_through_the_product_and_a_failure_opens_its_run(
    installation: Path, tmp_path: Path
) -> None:
    chosen = {"approval-lapses", "velocity-with-label", "velocity-without-label", "mb-acknowledge", "young-account"}
    results = await attempted(Golden(), materials(installation, tmp_path / "work"), lambda case: case.id in chosen)
    verdicts = {name: result.verdict for name, result in results.items()}
    assert verdicts.pop("young-account") == "failed", "if it passes now, name another weak one and raise the gate"
    assert set(verdicts.values()) == {"passed"}
    weak = results["young-account"]
    assert weak.stage in {"retrieval", "sufficiency", "drafting"} and weak.diagnosis and weak.evidence
    assert weak.trace.endswith("runs explain ask-young-account --as rosa")


@pytest.mark.thorough
@pytest.mark.proves("A7", "D1")
@pytest.mark.parametrize(
    ("changed", "case_id", "forbidden"),
    [
        ({"labels": ("fraud-ops",)}, "velocity-without-label", "label not held"),
        ({"tenant": "harborline"}, "mb-acknowledge", "another tenant's rule"),
    ],
)
async def test_a_filter_that_is_widened_fails_the_case_at_access(
    installation: Path, tmp_path: Path, changed: dict[str, object], case_id: str, forbidden: str
) -> None:
    suite = Golden(prepared=planted(lambda index: OtherFilters(index, changed)))
    results = await attempted(suite, materials(installation, tmp_path / "work"), lambda case: case.id == case_id)
    result = results[case_id]
    assert (result.verdict, result.stage) == ("failed", "access")
    assert forbidden in result.forbidden


@pytest.mark.thorough
@pytest.mark.proves("A6")
async def test_a_skipped_check_of_quotes_is_seen_against_the_published_text(installation: Path, tmp_path: Path) -> None:
    suite = Golden(prepared=planted(Misquoting))
    results = await attempted(
        suite, materials(installation, tmp_path / "work"), lambda case: case.id == "decide-in-ten-days"
    )
    result = results["decide-in-ten-days"]
    assert (result.verdict, result.stage) == ("failed", "citation")
    assert "not word for word" in result.forbidden


@pytest.mark.proves("A9")
def test_where_a_clause_was_lost_is_named_by_the_first_boundary_it_did_not_pass(installation: Path) -> None:
    from evals.scorers.diagnosis import Asked, Examiner

    examiner = Examiner(installation / "index")
    filters = SearchFilters(tenant="harborline", labels=(), as_of=dt.date(2026, 11, 6))
    asked = Asked(question="After what time does an approval lapse?", filters=filters, limit=1, received=())

    def stage(document_id: str, version: str, label: str) -> tuple[str, str]:
        lost = examiner.lost([Wanted(document_id=document_id, version=version, label=label)], asked)
        return ("", "") if lost is None else (lost.stage, lost.because)

    assert stage("hl-escalation", "2025.1", "9.9") == (
        "ingest",
        f"hl-escalation 2025.1 9.9 is not in the index {examiner.index_version}",
    )
    assert stage("hl-escalation", "2018.1", "3.7")[1].startswith("the index has hl-escalation 2018.1 3.7 in force from")
    assert stage("hl-fraud-operations", "2025.1", "2.1")[0] == "access"
    name, because = stage("hl-record-retention", "2017.1", "3.2")
    assert name == "retrieval" and ("cut at 1" in because or "none of the" in because)
    given = Asked(question=asked.question, filters=filters, limit=1, received=("hl-escalation@2025.1#3.7",))
    assert examiner.lost([Wanted(document_id="hl-escalation", version="2025.1", label="3.7")], given) is None
