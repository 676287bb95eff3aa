"""`casewright runs replay`: a run as it was, and what other policies, prompts, models or another index would change."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from casewright.config import app_root
from commands.runs_replay import agrees
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
    assert {one["verdict"] for one in rules} == {"changes"} and all("deadlines" in one["what"] for one in rules)
    assert [one["node"] for one in rules] == ["evidence_checker", "drafter"], "wherever the case was assessed"
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


@pytest.mark.thorough
@pytest.mark.proves("G4")
def test_other_rules_for_what_may_leave_never_leave_a_step_that_asked_a_model(
    alone: Casewright, reviewed: Reviewed, tmp_path: Path
) -> None:
    """The offline provider answered, since nothing might leave: under other routes another model would be asked."""

    def wider(data: Any) -> None:
        data["routes"] = [*data["routes"], data["routes"][0] | {"region": "elsewhere"}]

    folder = candidate(tmp_path / "candidate", "egress/data.json", wider)
    told = alone("runs", "replay", reviewed.run_id, "--with-candidate", str(folder), "--as", "selma", "--json")
    assert told.code == 1 and not told.document["stays"]
    found = [one for one in told.document["touched"] if one["by"] == "egress"]
    assert {one["verdict"] for one in found} == {"unknown"}
    assert {"intake", "drafter"} <= {one["node"] for one in found}


@pytest.mark.thorough
@pytest.mark.proves("G4")
def test_a_step_without_its_recording_is_unknown_and_a_run_without_any_is_not_the_same(
    alone: Casewright, reviewed: Reviewed
) -> None:
    own = reviewed.report["recommendation"]["index_version"]
    with closing(sqlite3.connect(reviewed.home / "casewright.db")) as connection, connection:
        connection.execute("DELETE FROM tool_recordings WHERE run_id = ? AND step = 0", (reviewed.run_id,))
    told = alone("runs", "replay", reviewed.run_id, "--index", own, "--as", "rosa", "--json")
    assert told.code == 1 and told.document["touched"][0]["by"] == "record"
    assert set(becomes(told.document).values()) == {"unknown"}
    with closing(sqlite3.connect(reviewed.home / "casewright.db")) as connection, connection:
        connection.execute("DELETE FROM tool_recordings WHERE run_id = ?", (reviewed.run_id,))
        connection.execute("DELETE FROM model_calls WHERE run_id = ?", (reviewed.run_id,))
    bare = alone("runs", "replay", reviewed.run_id, "--as", "rosa", "--json")
    assert (bare.code, bare.document["same"], bare.document["whole"]["replayed"]) == (1, False, False)


@pytest.mark.proves("G4")
def test_nothing_replayed_is_not_the_same() -> None:
    assert not agrees({"replayed": False, "same": None}, [])
    assert agrees({"replayed": True, "same": True}, [])


@pytest.mark.thorough
@pytest.mark.proves("G4")
def test_values_of_a_case_are_told_to_nobody_who_may_not_see_all_of_it(alone: Casewright, reviewed: Reviewed) -> None:
    """Evidence is sealed after the review: its own reviewer sees no value of a difference any more, and no rules of a
    candidate are tried on the case for them, since rules can say what they read.
    """
    with closing(sqlite3.connect(reviewed.home / "casewright.db")) as connection, connection:
        connection.execute("UPDATE run_events SET body = replace(body, 'true', 'false') WHERE kind = 'assessed'")
    told = alone("runs", "replay", reviewed.run_id, "--as", "rosa", "--json").document["whole"]["difference"]
    assert (told["what"], told["withheld"], told["was"], told["now"]) == ("event", False, "false", "true")
    with closing(sqlite3.connect(reviewed.home / "casewright.db")) as connection, connection:
        sealing = "UPDATE case_evidence SET sealed = 1 WHERE case_id = ? AND position = 0"
        assert connection.execute(sealing, (reviewed.report["case_id"],)).rowcount == 1
    told = alone("runs", "replay", reviewed.run_id, "--as", "rosa", "--json").document["whole"]["difference"]
    assert (told["what"], told["withheld"], told["was"], told["now"]) == ("event", True, "", "")


def test_a_folder_without_a_candidate_is_refused(alone: Casewright, reviewed: Reviewed, tmp_path: Path) -> None:
    told = alone("runs", "replay", reviewed.run_id, "--with-candidate", str(tmp_path), "--as", "selma", "--json")
    assert told.code == 2 and "holds no candidate" in told.refusal
    told = alone("runs", "replay", reviewed.run_id, "--prompts", str(tmp_path / "none"), "--as", "selma", "--json")
    assert told.code == 2 and "is not a folder" in told.refusal
