"""`casewright runs replay`: a run as it was, and what other policies, prompts, models or another index would change."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casewright.config import app_root
from tests.unit.commands.conftest import Casewright, Reviewed


def candidate(folder: Path, file: str, change: Callable[[Any], None]) -> Path:
    """A copy of the policies with one data file changed, in a folder for `--with-candidate`."""
    shutil.copytree(app_root() / "policies", folder / "policies")
    path = folder / "policies" / "data" / file
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    return folder


def becomes(document: dict[str, Any]) -> dict[str, str]:
    return {one["node"]: one["verdict"] for one in document["steps"]}


@pytest.mark.proves("G4")
def test_a_run_is_replayed_whole_for_whoever_may_read_it(alone: Casewright, reviewed: Reviewed) -> None:
    told = alone("runs", "replay", reviewed.run_id, "--as", "rosa", "--json")
    assert (told.code, told.document["same"], told.document["whole"]["report"]) == (0, True, "same")
    shown = alone("runs", "replay", reviewed.run_id, "--as", "rosa")
    assert "byte for byte the same" in " ".join(shown.out.split())
    assert alone("runs", "replay", reviewed.run_id, "--as", "marc").code in (2, 3)


@pytest.mark.thorough
@pytest.mark.proves("G4")
def test_weaker_approval_rules_are_told_at_the_step_that_acts_and_first(
    alone: Casewright, reviewed: Reviewed, tmp_path: Path
) -> None:
    def anybody(data: Any) -> None:
        for tiers in data["approvals"]["actions"].values():
            tiers[0]["roles"] = ["reviewer", "supervisor"]

    assert alone("approvals", "approve", reviewed.approval_id, "--as", "selma", "--json").code == 0
    folder = candidate(tmp_path / "candidate", "access/data.json", anybody)
    told = alone("runs", "replay", reviewed.run_id, "--with-candidate", str(folder), "--as", "selma", "--json")
    assert (told.code, told.document["stays"], told.document["newly_permitted"]) == (1, False, 1)
    first = told.document["touched"][0]
    assert (first["node"], first["by"], first["verdict"]) == ("act", "policy", "changes")
    assert "weakened" in first["what"] and "reviewer" in first["what"]
    steps = becomes(told.document)
    assert steps["drafter"] == "stays" and steps["act"] == "changes"
    denied = alone("runs", "replay", reviewed.run_id, "--with-candidate", str(folder), "--as", "rosa", "--json")
    assert denied.code == 3, "deciding recorded decisions again takes its own permission"


@pytest.mark.thorough
@pytest.mark.proves("G4")
def test_other_rules_for_a_deadline_change_the_assessment_and_leave_what_follows_unknown(
    alone: Casewright, reviewed: Reviewed, tmp_path: Path
) -> None:
    def longer(data: Any) -> None:
        text = json.dumps(data).replace('"count": 10,', '"count": 11,')
        data.clear()
        data.update(json.loads(text))

    folder = candidate(tmp_path / "candidate", "parameters/data.json", longer)
    told = alone("runs", "replay", reviewed.run_id, "--with-candidate", str(folder), "--as", "selma", "--json")
    rules = [one for one in told.document["touched"] if one["by"] == "rules"]
    assert len(rules) == 1 and rules[0]["verdict"] == "changes" and "deadlines" in rules[0]["what"]
    steps = becomes(told.document)
    assert steps["intake"] == steps["facts_analyst"] == "stays"
    assert "unknown" in steps.values() and told.document["newly_permitted"] == 0


@pytest.mark.thorough
@pytest.mark.proves("G4")
def test_an_index_with_a_later_version_is_told_by_the_searches_that_find_it(
    alone: Casewright, reviewed: Reviewed, tmp_path: Path
) -> None:
    own = reviewed.report["recommendation"]["index_version"]
    source = app_root() / "casewright" / "sample" / "harborline" / "documents" / "hl-error-resolution-2026.1.md"
    text = source.read_text(encoding="utf-8").replace("'2026.1'", "'2026.2'").replace("'2025.1'", "'2026.1'")
    folder = tmp_path / "documents"
    folder.mkdir()
    later = text.replace("effective_from: 2026-02-01", "effective_from: 2026-02-15")
    (folder / "hl-error-resolution-2026.2.md").write_text(later, encoding="utf-8")
    staged = alone("corpus", "ingest", str(folder), "--stage", "--as", "petra", "--json")
    assert staged.code == 0 and staged.document["ingested"] == 1
    index = staged.document["index_version"]
    told = alone("runs", "replay", reviewed.run_id, "--index", index, "--as", "rosa", "--json")
    assert told.code == 1 and not told.document["stays"]
    found = [one for one in told.document["touched"] if one["by"] == "index"]
    assert {one["verdict"] for one in found} == {"changes"}
    assert any("loses hl-error-resolution 2026.1" in one["what"] for one in found)
    steps = becomes(told.document)
    assert (steps["facts_analyst"], steps["policy_researcher"]) == ("stays", "changes")
    same = alone("runs", "replay", reviewed.run_id, "--index", own, "--as", "rosa", "--json")
    assert same.code == 0 and same.document["stays"]


def test_a_folder_without_a_candidate_is_refused(alone: Casewright, reviewed: Reviewed, tmp_path: Path) -> None:
    told = alone("runs", "replay", reviewed.run_id, "--with-candidate", str(tmp_path), "--as", "selma", "--json")
    assert told.code == 2 and "holds no candidate" in told.refusal
    told = alone("runs", "replay", reviewed.run_id, "--prompts", str(tmp_path / "none"), "--as", "selma", "--json")
    assert told.code == 2 and "is not a folder" in told.refusal
