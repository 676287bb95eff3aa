"""`casewright feedback`: said of a run one may read, listed and exported for whoever may read it."""

import json
from pathlib import Path

import pytest

from tests.unit.commands.conftest import Casewright, Reviewed


def test_feedback_is_given_listed_and_exported(alone: Casewright, reviewed: Reviewed, tmp_path: Path) -> None:
    cited = [item for finding in reviewed.report["recommendation"]["summary"] for item in finding["citations"]]
    told = ("--wrong-citation", "2", "--why", "[b]x[/b]\u202e")
    given = alone("feedback", "give", reviewed.run_id, *told, "--as", "rosa", "--json")
    assert given.code == 0
    assert given.document["citation"] == cited[1]
    assert given.document["about"]["draft"]["draft_id"] == reviewed.report["draft_id"]
    shown = alone("feedback", "list", "--run", reviewed.run_id, "--as", "selma")
    assert "[b]x[/b]\\u202e" in shown.out
    file = tmp_path / "examples.jsonl"
    exported = alone("feedback", "export", str(file), "--as", "avery", "--json")
    assert exported.document == {"examples": 1, "not_readable": 0, "file": str(file)}
    line = json.loads(file.read_text(encoding="utf-8"))
    assert (line["id"], line["wrong"]) == (given.document["feedback_id"], "[b]x[/b]\u202e")


@pytest.mark.parametrize("name", ["tomas", "marc"])
def test_a_run_that_one_may_not_read_takes_no_feedback_and_shows_none(
    alone: Casewright, reviewed: Reviewed, name: str, tmp_path: Path
) -> None:
    assert alone("feedback", "give", reviewed.run_id, "--up", "--as", "rosa", "--json").code == 0
    refused = alone("feedback", "give", reviewed.run_id, "--down", "--as", name, "--json")
    assert refused.code in (2, 3)
    assert alone("feedback", "list", "--as", name, "--json").document == {"feedback": []}
    file = tmp_path / "examples.jsonl"
    assert alone("feedback", "export", str(file), "--as", name, "--json").document["examples"] == 0
    assert file.read_text(encoding="utf-8") == ""
    kept = alone("feedback", "list", "--as", "selma", "--json").document["feedback"]
    assert [(item["subject"], item["kind"]) for item in kept] == [("rosa", "up")]


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ((), "exactly one of"),
        (("--up", "--correction", "x"), "exactly one of"),
        (("--correction", "x", "--why", "y"), "leave --why out"),
        (("--wrong-citation", "999"), "citation(s)"),
        (("--correction", "x" * 4_001), "shorten it"),
    ],
)
def test_what_is_not_clear_is_bad_input(
    alone: Casewright, reviewed: Reviewed, told: tuple[str, ...], problem: str
) -> None:
    refused = alone("feedback", "give", reviewed.run_id, *told, "--as", "rosa", "--json")
    assert refused.code == 2
    assert problem in refused.refusal
