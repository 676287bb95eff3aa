"""The commands over the shared regulations and complaints: real text at real size."""

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agents.answerer import HITS
from casewright.config import Settings, app_root
from casewright.contracts.clause import SearchFilters
from casewright.corpus.answer_bench import read_labelled
from casewright.models.extractive.answering import answer as offline_answer
from casewright.models.question import AnswerInput, check_answer
from casewright.services import Services
from commands.main import run

QUESTION = (
    "The disputed purchase was made with a debit card at a store terminal. "
    "How long do we have to complete the investigation?"
)
DATASETS = Path(__file__).resolve().parents[2] / "evals" / "datasets"
LABELLED = (DATASETS / "clauses.jsonl", DATASETS / "clauses-held-back.jsonl")
TUNED, HELD_BACK = (0.86, 0.8), (0.64, 0.8)
"""Floors a little below what was measured: right clause in the first five, declined of what cannot be answered."""
SAMPLE = 8
ENDINGS = {"waiting_approval": 4, "waiting_information": 4, "completed": 0, "incomplete": 5}
Command = Callable[..., tuple[int, dict[str, Any]]]


def command(home: Path) -> Command:
    """`casewright ARGUMENTS --json` over a data folder, in this process."""

    def call(*arguments: str) -> tuple[int, dict[str, Any]]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = run([*arguments, "--home", str(home), "--json"])
        return code, json.loads(out.getvalue())

    return call


@dataclass(frozen=True, kw_only=True)
class Library:
    """The installation with the regulations in it, and what their ingest said."""

    home: Path
    report: dict[str, Any]
    code: int


@pytest.fixture(scope="module")
def library(installation: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Ingested once; the tests below only read it or add cases to it."""
    home = Path(shutil.copytree(installation, tmp_path_factory.mktemp("library") / "home"))
    folder = shared / "corpora" / "us-consumer-finance"
    code, report = command(home)("corpus", "ingest", str(folder), "--as", "selma")
    return Library(home=home, report=report, code=code)


@pytest.fixture(scope="module")
def casewright(library: Library) -> Command:
    return command(library.home)


@pytest.mark.timeout(120)
@pytest.mark.proves("A1")
def test_every_regulation_is_ingested_and_none_quarantined(library: Library) -> None:
    assert library.code == 0
    assert (library.report["ingested"], library.report["quarantined"]) == (21, [])
    assert library.report["clauses"] > 20_000


@pytest.mark.proves("A8")
def test_seven_regulations_are_in_force_at_a_time(casewright: Command) -> None:
    code, found = casewright("corpus", "documents", "--as-of", "2017-12-01")
    assert code == 0
    assert len({item["document_id"] for item in found["documents"] if item["document_id"].startswith("us-cfr")}) == 7
    _, everything = casewright("corpus", "documents", "--all")
    assert len([item for item in everything["documents"] if item["document_id"].startswith("us-cfr")]) == 21


@pytest.mark.proves("A2")
@pytest.mark.parametrize("label", ["§ 1005.11(c)(2)(i)", "Comment 6(b)(1)-2"])
def test_an_exact_label_is_the_first_hit(casewright: Command, label: str) -> None:
    code, found = casewright("corpus", "search", label, "--as-of", "2017-06-01")
    assert code == 0
    assert label in [hit["label"] for hit in found["hits"][:3]]


@pytest.mark.proves("A3")
def test_the_rule_of_the_day_is_returned_and_no_other(casewright: Command) -> None:
    texts: dict[str, str] = {}
    for day in ("2017-06-01", "2019-06-01"):
        _, found = casewright("corpus", "search", "12 CFR 1002.13(a)(1)(i)", "--as-of", day)
        assert all(hit["effective_from"] <= day for hit in found["hits"])
        assert all(hit["effective_to"] is None or hit["effective_to"] >= day for hit in found["hits"])
        (texts[day],) = [hit["text"] for hit in found["hits"] if hit["label"] == "§ 1002.13(a)(1)(i)"]
    assert texts["2017-06-01"].startswith("Ethnicity, using the categories Hispanic or Latino")
    assert texts["2019-06-01"].startswith("Ethnicity and race using either")


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.proves("A2", "A3", "A7", "A9")
def test_customers_and_lawyers_find_their_clause_on_its_day(casewright: Command, shared: Path) -> None:
    folder = shared / "corpora" / "us-consumer-finance"
    files = [argument for path in LABELLED for argument in ("--questions", str(path))]
    code, measured = casewright("bench", "answers", "--documents", str(folder), *files)
    assert code == 0
    tuned, held_back = (measured["files"][path.name] for path in LABELLED)
    for figures, found, abstained in ((tuned, TUNED[0], TUNED[1]), (held_back, HELD_BACK[0], HELD_BACK[1])):
        everything = figures["slices"]["all"]
        assert everything["found"] >= found, "the clause is not among the first five"
        assert everything["found"] > max(everything["full_text_found"], everything["hybrid_found"])
        assert everything["abstained"] >= abstained, "answers where it should abstain"
        assert figures["reasons_named"] == 1
        assert figures["citations"] > 50
        assert figures["unverified"] == 0
    assert tuned["slices"]["all"]["answerable"] >= 60
    assert tuned["slices"]["all"]["unanswerable"] >= 15
    assert tuned["slices"]["turns_on_date"]["answerable"] >= 12


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.proves("A7", "F3")
def test_what_the_rules_based_model_answers_passes_the_check_of_its_task(library: Library) -> None:
    services = Services(Settings.load(home=str(library.home), environment={}, app_root=app_root()))
    refused: dict[str, tuple[str, ...]] = {}
    answered = 0
    for path in LABELLED:
        for question in read_labelled(path):
            filters = SearchFilters(tenant="harborline", labels=(), as_of=question.as_of)
            value = AnswerInput(
                question=question.question, result=services.corpus.search(question.question, filters, limit=HITS)
            )
            given = offline_answer(value)
            answered += not given.abstained
            if problems := check_answer(value, given):
                refused[question.id] = problems
    assert refused == {}
    assert answered > 100


@pytest.mark.proves("A6")
def test_the_ninety_days_of_a_point_of_sale_dispute_are_answered_with_their_clause(casewright: Command) -> None:
    code, found = casewright("ask", QUESTION, "--as-of", "2017-06-01")
    assert code == 0
    assert found["abstained"] is False
    assert "90 days" in found["answer"]
    assert "§ 1005.11(c)(3)(ii)" in {item["label"] for item in found["citations"]}
    assert all(item["verified"] for item in found["citations"])


@pytest.mark.proves("A7")
def test_a_question_that_no_rule_answers_is_abstained_from(casewright: Command) -> None:
    _, found = casewright("ask", "What is the boiling point of mercury?")
    assert found["abstained"] is True
    assert found["reason"]
    assert found["citations"] == []


@pytest.mark.thorough
@pytest.mark.timeout(180)
@pytest.mark.proves("B1", "E1", "E3")
def test_real_complaints_are_imported_and_reviewed_to_a_defined_end(casewright: Command, shared: Path) -> None:
    code, report = casewright("cases", "import", str(shared / "corpora" / "complaints.json"))
    assert code == 0
    assert (len(report["imported"]), report["skipped"]) == (80, [])
    step = len(report["imported"]) // SAMPLE
    for case_id in report["imported"][::step][:SAMPLE]:
        ended, review = casewright("review", case_id)
        assert ended == ENDINGS.get(review["status"]), (case_id, review)
        assert review["because"], case_id
    assert casewright("audit", "verify")[1]["ok"] is True
