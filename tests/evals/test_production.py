"""Cases from production: made of runs, feedback and failure reviews without people in them; red, then green again."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from casewright.config import app_root
from casewright.contracts.evaluation import CaseResult
from casewright.errors import InputError
from commands.main import run
from evals.datasets import read_lines
from evals.production.cases import Observed, ProductionCase, ProductionExpected, scored
from evals.production.incident import read_review, with_eval
from evals.suite import Materials
from evals.suites.production import OPTION, Production
from tests.integration.graphs.reviews import copied, sample_cases
from tests.unit.commands.conftest import Casewright, Outcome

TEMPLATE = app_root() / "docs" / "evals" / "failure-review.md"
WHY = "a reviewer asked for it after a credit was computed wrongly"


@pytest.fixture
def casewright(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Casewright:
    """`casewright ARGUMENTS` over a copy of the sample installation."""
    monkeypatch.setenv("CASEWRIGHT_HOME", str(copied(installation, tmp_path / "home")))

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = run(list(arguments))
        written = capsys.readouterr()
        return Outcome(code=code, out=written.out, errors=written.err)

    return call


@pytest.mark.parametrize(
    ("expected", "seen", "wrong"),
    [
        ({"action": "deny_claim"}, Observed(action="deny_claim"), ()),
        ({"action": "deny_claim"}, Observed(action="escalate", because="waiting"), ("wrong_action",)),
        ({"amount_minor": 0}, Observed(amount_minor=None), ("wrong_amount",)),
        ({"answered": False}, Observed(text="a guess"), ("answered",)),
        ({"answered": True}, Observed(abstained=True, because="nothing"), ("abstained",)),
        ({"cites": ["d 1"], "cites_not": ["d 2"]}, Observed(cited=("d 2",)), ("not_cited", "wrongly_cited")),
        ({"says": ["2 Business Days"]}, Observed(text="within 2 business days"), ()),
        ({"says": ["2 business days"]}, Observed(text="soon"), ("not_said",)),
    ],
)
@pytest.mark.proves("H4")
def test_what_came_of_a_case_is_held_against_each_thing_that_is_right(
    expected: dict[str, object], seen: Observed, wrong: tuple[str, ...]
) -> None:
    found = scored(ProductionExpected.model_validate(expected), seen)
    assert found.wrong == wrong and bool(found.stage) == bool(wrong) == bool(found.happened)


def test_what_is_right_in_words_alone_cannot_be_checked() -> None:
    with pytest.raises(InputError, match="nothing that can be checked"):
        scored(ProductionExpected(said="it was simply wrong"), Observed())


@pytest.mark.proves("H4")
def test_a_failure_review_ends_with_its_eval_or_is_refused(tmp_path: Path) -> None:
    review = Path(shutil.copy(TEMPLATE, tmp_path / "review.md"))
    assert read_review(review).value("Run") == "", "what stands in angle brackets is not filled in"
    with_eval(review, "prod-1")
    assert read_review(review).value("Eval") == "prod-1"
    review.write_text(review.read_text(encoding="utf-8") + "\n**Afterword:** more\n", encoding="utf-8")
    with pytest.raises(InputError, match="its last field"):
        read_review(review)


def test_every_case_that_ships_says_why_and_what_can_be_checked() -> None:
    cases = read_lines("from-production.jsonl", ProductionCase)
    assert all(case.expected.checkable and len(case.why) >= 10 for case in cases)
    assert {case.slices["kind"] for case in cases} == {"question", "review"}


def tried(installation: Path, work: Path, data: Path, policies: Path) -> list[CaseResult]:
    """Every case of a data file, under some policies."""
    work.mkdir()
    materials = Materials(installation=installation, work=work, shared=None, options={OPTION: str(data)})
    suite = Production(policies=policies)

    async def each() -> list[CaseResult]:
        async with suite.opened(materials, enforced=True) as attempt:
            return [await attempt(case) for case in suite.cases(materials)]

    return asyncio.run(each())


@pytest.mark.thorough
@pytest.mark.proves("H4")
@pytest.mark.timeout(300)
def test_feedback_becomes_a_case_that_is_red_with_the_defect_and_green_when_it_is_mended(
    installation: Path, tmp_path: Path, casewright: Casewright
) -> None:
    """The defect: an outcome rule that escalates what it has to credit, in a copy of the policies."""
    data, case_id = tmp_path / "cases.jsonl", "HL-2026-0001"
    report = casewright("review", case_id, "--as", "rosa", "--json").document
    given = casewright(
        "feedback", "give", report["run_id"], "--up", "--why", "right", "--as", "rosa", "--json"
    ).document
    of_feedback = ("eval", "add", "--from-feedback", given["feedback_id"], "--file", str(data), "--why", WHY)
    assert casewright(*of_feedback, "--as", "marc").code in (2, 3), "whoever may not read the run makes no case of it"
    added = casewright(*of_feedback, "--as", "rosa", "--json")
    assert added.code == 0, added.errors
    again = casewright(*of_feedback, "--as", "rosa", "--json")
    assert again.code != 0 and "was added before" in again.refusal
    line = data.read_text(encoding="utf-8")
    sample = sample_cases()[case_id]
    personal = [one["name"] for one in sample["parties"]] + [one["account_id"] for one in sample["accounts"]]
    assert not any(text in line for text in (*personal, sample["narrative"][:40], case_id))

    mended = app_root() / "policies"
    broken = Path(shutil.copytree(mended, tmp_path / "policies"))
    rule = broken / "casewright" / "outcome" / "proposal.rego"
    right, wrong = (f'"open_unauthorized_transfer": "{action}"' for action in ("issue_provisional_credit", "escalate"))
    text = rule.read_text(encoding="utf-8")
    assert text.count(right) == 1
    rule.write_text(text.replace(right, wrong), encoding="utf-8")
    (red,) = tried(installation, tmp_path / "red", data, broken)
    assert (red.verdict, red.stage) == ("failed", "facts") and "wrong_action" in red.forbidden
    assert "runs explain" in red.trace
    (green,) = tried(installation, tmp_path / "green", data, mended)
    assert (green.verdict, green.outcomes) == ("passed", {"right": True}), green.happened


@pytest.mark.thorough
@pytest.mark.proves("H4")
def test_a_failure_review_becomes_a_case_and_is_refused_without_one(tmp_path: Path, casewright: Casewright) -> None:
    data, review = tmp_path / "cases.jsonl", tmp_path / "review.md"
    asked = casewright("ask", "When must the bank tell the result of an investigation?", "--as", "rosa", "--json")
    filled = {
        "Run": asked.document["run_id"],
        "Why it could happen": "the clause on results was cut from what was searched",
        "What is right": "two business days; ask Maria at maria@example.com",
        "Action": "—",
        "Amount": "—",
        "Cites": "hl-error-resolution 4.2",
        "Does not cite": "—",
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, value in filled.items():
        start = text.index(f"**{name}:**")
        text = f"{text[:start]}**{name}:** {value}{text[text.index(chr(10), start) :]}"
    review.write_text(text, encoding="utf-8")
    of_review = ("eval", "add", "--from-incident", str(review), "--file", str(data), "--as", "rosa", "--json")
    refused = casewright(*of_review, "--check")
    assert refused.code == 2 and "names no eval" in refused.refusal
    added = casewright(*of_review)
    assert added.code == 0, added.errors
    assert casewright(*of_review, "--check").document["case_id"] == added.document["case_id"]
    (line,) = data.read_text(encoding="utf-8").splitlines()
    assert "maria@example.com" not in line and json.loads(line)["given"]["origin"] == "incident"
    data.unlink()
    gone = casewright(*of_review, "--check")
    assert gone.code == 2 and "is not there" in gone.refusal


@pytest.mark.thorough
@pytest.mark.proves("H4")
def test_a_case_holds_neither_a_name_to_look_for_nor_what_is_restricted_or_unseen(
    installation: Path, tmp_path: Path, casewright: Casewright
) -> None:
    data, case_id = tmp_path / "cases.jsonl", "HL-2026-0001"
    report = casewright("review", case_id, "--as", "rosa", "--json").document
    named = sample_cases()[case_id]["parties"][0]["name"]
    of_run = (
        "eval",
        "add",
        "--from-run",
        report["run_id"],
        "--why",
        WHY,
        "--file",
        str(data),
        "--as",
        "rosa",
        "--json",
    )
    refused = casewright(*of_run, "--says", f"a letter to {named}")
    assert refused.code == 2 and "points to somebody" in refused.refusal
    with closing(sqlite3.connect(tmp_path / "home" / "casewright.db")) as connection, connection:
        sealing = "UPDATE case_evidence SET sealed = 1, transaction_id = NULL WHERE case_id = ? AND evidence_id = ?"
        speaking = "UPDATE case_communications SET text = text || ? WHERE case_id = ? AND position = 0"
        gone = sample_cases()[case_id]["evidence"][-1]["evidence_id"]
        assert connection.execute(sealing, (case_id, gone)).rowcount == 1
        assert connection.execute(speaking, (f" as in {gone}", case_id)).rowcount == 1
    added = casewright(*of_run, "--expect-action", "issue_provisional_credit")
    assert added.code == 0, added.errors
    case = json.loads(data.read_text(encoding="utf-8"))["given"]["case"]
    known = sample_cases()[case_id]
    assert len(case["evidence"]) == len(known["evidence"]) - 1
    assert len(case.get("communications", ())) == len(known["communications"]) - 1, "what speaks of it goes with it"
    with closing(sqlite3.connect(tmp_path / "home" / "casewright.db")) as connection, connection:
        connection.execute("UPDATE cases SET classification = 'restricted' WHERE case_id = ?", (case_id,))
    data.unlink()
    stays = casewright(*["selma" if one == "rosa" else one for one in of_run], "--expect-action", "escalate")
    assert stays.code == 1 and "sealed or restricted" in stays.refusal and not data.exists()
