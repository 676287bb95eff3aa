"""A review, its approval and its record, from the command line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.run import RunReport
from graphs.explanation.links import ranges
from tests.unit.commands.conftest import Casewright, Reviewed

CASE = "HL-2026-0001"
REPORT_FIELDS = {
    "run_id",
    "case_id",
    "status",
    "because",
    "recommendation",
    "evidence",
    "deadlines",
    "pending",
    "steps",
    "budget",
    "model",
    "receipt",
}
PENDING_FIELDS = {"approval_id", "action", "digest", "roles", "quorum", "amount_minor", "currency"}
QUESTIONS = ("answered", "why", "evidence", "permission", "model", "tools", "validation", "cost", "detection")


def approve(casewright: Casewright, reviewed: Reviewed) -> dict[str, Any]:
    """Both supervisors approve; the document of the last vote."""
    for name in ("selma", "idris"):
        voted = casewright("approvals", "approve", reviewed.approval_id, "--as", name, "--note", "read", "--json")
        assert voted.code == 0
        if voted.document["state"] != "pending":
            return voted.document
    raise AssertionError("two votes did not decide it")


@pytest.mark.proves("C1", "E3")
def test_a_review_reports_all_that_the_contract_names(alone: Casewright, reviewed: Reviewed) -> None:
    report = reviewed.report
    assert set(report) >= REPORT_FIELDS
    assert (report["case_id"], report["status"]) == (CASE, "waiting_approval")
    assert {"complete", "missing"} <= set(report["evidence"])
    assert [set(item) >= PENDING_FIELDS for item in report["pending"]] == [True]
    shown = alone("runs", "show", reviewed.run_id, "--json")
    assert shown.code == 0
    assert shown.document == report


def test_a_second_review_continues_the_open_run_and_says_it_waits(alone: Casewright, reviewed: Reviewed) -> None:
    again = alone("review", CASE, "--as", "rosa", "--json")
    assert again.code == 4
    assert again.document["run_id"] == reviewed.run_id
    runs = alone("runs", "list", "--json").document["runs"]
    assert [row["run_id"] for row in runs] == [reviewed.run_id]
    fields = {"run_id", "kind", "case_id", "subject", "status", "created", "updated"}
    assert set(runs[0]) == fields


@pytest.mark.proves("C3", "D5")
def test_the_requester_is_refused_and_a_second_person_decides(alone: Casewright, reviewed: Reviewed) -> None:
    refused = alone("approvals", "approve", reviewed.approval_id, "--as", "rosa", "--json")
    assert refused.code == 3
    assert "rosa" in refused.refusal
    pending = alone("approvals", "show", reviewed.approval_id, "--as", "selma", "--json").document
    assert (pending["state"], pending["votes"]) == ("pending", [])
    decided = approve(alone, reviewed)
    assert decided["remaining"] == 0
    assert decided["run"]["status"] == "completed"
    assert decided["receipt"]["approval_id"] == reviewed.approval_id
    assert alone("approvals", "list", "--as", "selma", "--json").document == {"approvals": []}
    everything = alone("approvals", "list", "--all", "--as", "selma", "--json").document["approvals"]
    assert [item["state"] for item in everything] == ["consumed"]


@pytest.mark.proves("C4")
def test_a_finished_run_gives_its_report_again_and_repeats_nothing(alone: Casewright, reviewed: Reviewed) -> None:
    receipt = approve(alone, reviewed)["receipt"]
    for _ in range(2):
        resumed = alone("runs", "resume", reviewed.run_id, "--json")
        assert resumed.code == 0
        assert resumed.document["receipt"] == receipt
    timeline = alone("cases", "show", CASE, "--json").document["timeline"]
    assert len([event for event in timeline if event["event_id"].startswith("recorded:")]) == 1
    again = alone("approvals", "approve", reviewed.approval_id, "--as", "idris", "--json")
    assert again.code != 0
    assert reviewed.approval_id in again.refusal
    ended = alone("runs", "cancel", reviewed.run_id, "--json")
    assert ended.code != 0
    assert reviewed.run_id in ended.refusal


def test_a_rejection_ends_the_run_without_an_effect(alone: Casewright, reviewed: Reviewed) -> None:
    voted = alone("approvals", "reject", reviewed.approval_id, "--as", "selma", "--note", "no", "--json")
    assert voted.code == 0
    assert (voted.document["state"], voted.document["receipt"]) == ("rejected", None)
    assert voted.document["votes"][0]["note"] == "no"
    assert alone("runs", "show", reviewed.run_id, "--json").document["status"] == voted.document["run"]["status"]


def test_a_cancelled_run_keeps_its_record_and_drops_what_it_waits_for(alone: Casewright, reviewed: Reviewed) -> None:
    cancelled = alone("runs", "cancel", reviewed.run_id, "--json")
    assert cancelled.code == 0
    assert cancelled.document["status"] == "cancelled"
    assert alone("runs", "show", reviewed.run_id, "--json").document["status"] == "cancelled"
    for name in ("selma", "idris"):
        alone("approvals", "approve", reviewed.approval_id, "--as", name, "--json")
    timeline = alone("cases", "show", CASE, "--json").document["timeline"]
    assert [event for event in timeline if event["event_id"].startswith("recorded:")] == []


@pytest.mark.proves("G2")
def test_every_question_of_the_auditor_is_answered_from_records(alone: Casewright, reviewed: Reviewed) -> None:
    approve(alone, reviewed)
    explained = alone("runs", "explain", reviewed.run_id, "--as", "avery", "--json")
    assert explained.code == 0
    document = explained.document
    last = int(alone("audit", "head", "--json").document["head"].partition(":")[0])
    for name in QUESTIONS:
        assert document[name], name
        for statement in document[name]:
            assert statement["text"]
            for link in statement["events"]:
                kind, _, number = link.partition(":")
                assert kind in ("audit", "run")
                assert 1 <= int(number) <= last
    assert "508.75 USD" in document["answered"][0]["text"]


def test_an_explanation_is_written_to_a_file_in_each_format(
    alone: Casewright, reviewed: Reviewed, tmp_path: Path
) -> None:
    plain = alone("runs", "explain", reviewed.run_id, "--as", "avery", "--format", "markdown")
    file = tmp_path / "explained"
    beginnings = {"text": f"Run {reviewed.run_id}: ", "markdown": f"# Run {reviewed.run_id}\n", "json": "{\n"}
    for form, beginning in beginnings.items():
        told = alone("runs", "explain", reviewed.run_id, "--as", "avery", "--format", form, "--output", str(file))
        assert told.code == 0
        assert file.read_text(encoding="utf-8").startswith(beginning)
        if form == "markdown":
            assert "## Under what permission?\n" in plain.out
            assert file.read_text(encoding="utf-8").count("\n## ") == plain.out.count("\n## ")
    document = json.loads(file.read_text(encoding="utf-8"))
    shown = alone("runs", "explain", reviewed.run_id, "--as", "avery", "--json").document
    assert [statement["text"] for statement in document["why"]] == [item["text"] for item in shown["why"]]
    assert alone("runs", "explain", reviewed.run_id, "--format", "markdown", "--json").code == 2
    assert alone("runs", "explain", reviewed.run_id, "--output", str(tmp_path)).code == 1


@pytest.mark.parametrize("verb", ["show", "resume", "cancel", "explain"])
def test_an_unknown_run_is_bad_input_with_the_way_to_the_list(alone: Casewright, reviewed: Reviewed, verb: str) -> None:
    refused = alone("runs", verb, "run-nowhere", "--json")
    assert refused.code == 2
    assert "'run-nowhere'" in refused.refusal
    assert "casewright runs list" in refused.refusal


@pytest.mark.parametrize("verb", ["show", "approve", "reject"])
def test_an_unknown_approval_is_bad_input_with_the_way_to_the_list(
    alone: Casewright, reviewed: Reviewed, verb: str
) -> None:
    refused = alone("approvals", verb, "apr-nowhere", "--json")
    assert refused.code == 2
    assert "'apr-nowhere'" in refused.refusal
    assert "casewright approvals list" in refused.refusal


def test_another_tenant_sees_neither_runs_nor_approvals(alone: Casewright, reviewed: Reviewed) -> None:
    assert alone("runs", "list", "--as", "marc", "--json").document == {"runs": []}
    assert alone("approvals", "list", "--as", "marc", "--json").document == {"approvals": []}
    for line in (("runs", "show", reviewed.run_id), ("approvals", "show", reviewed.approval_id)):
        absent = (*line[:2], "no-such-id")
        hidden_answer = alone(*line, "--as", "marc", "--json")
        absent_answer = alone(*absent, "--as", "marc", "--json")
        assert hidden_answer.code == absent_answer.code == 2
        assert hidden_answer.refusal.replace(line[2], "no-such-id") == absent_answer.refusal


def test_views_for_people_fit_80_columns_and_cut_nothing(alone: Casewright, reviewed: Reviewed) -> None:
    approval = alone("approvals", "show", reviewed.approval_id, "--json").document
    lines = (
        ("runs", "list"),
        ("runs", "show", reviewed.run_id),
        ("runs", "explain", reviewed.run_id),
        ("approvals", "list"),
        ("approvals", "show", reviewed.approval_id),
    )
    shown = {line: alone(*line) for line in lines}
    for line, outcome in shown.items():
        assert outcome.code == 0, line
        assert all(len(row) <= 80 for row in outcome.out.splitlines()), line
        assert "…" not in outcome.out, line
    for identifier in (reviewed.run_id, CASE):
        assert identifier in shown["runs", "list"].out
    for value in (reviewed.approval_id, CASE, "issue_provisional_credit", "508.75 USD", "supervisor"):
        assert value in shown["approvals", "list"].out
    exactly = shown["approvals", "show", reviewed.approval_id].out
    for value in (
        approval["digest"],
        approval["call"]["policy_revision"],
        str(approval["call"]["arguments"]["amount_minor"]),
    ):
        assert value in exactly


def test_event_links_are_shown_in_short() -> None:
    assert ranges(["audit:5", "audit:6", "audit:7", "audit:9", "run:3"]) == "audit:5-7,9, run:3"
    assert ranges([]) == ""


@pytest.mark.proves("B3", "E3")
def test_what_waits_for_information_exits_with_four_and_names_it(
    alone: Casewright, reviewed: Reviewed, tmp_path: Path
) -> None:
    thin = {"case_id": "HL-9001", "case_type": "unauthorized_transfer", "title": "Not mine", "assigned_to": ["rosa"]}
    rows = tmp_path / "cases.json"
    rows.write_text(json.dumps([thin | {"received_on": "2026-03-02"}]), encoding="utf-8")
    assert alone("cases", "import", str(rows), "--json").code == 0
    asked = alone("review", "HL-9001", "--json")
    assert (asked.code, asked.document["status"]) == (4, "waiting_answer"), "nothing says what happened"
    options = [option["value"] for option in asked.document["asked"]["options"]]
    assert "unauthorized_transfer" in options
    outcome = alone("runs", "answer", asked.document["run_id"], "unauthorized_transfer", "--json")
    assert (outcome.code, outcome.document["status"]) == (4, "waiting_information")
    missing = outcome.document["evidence"]["missing"]
    assert missing
    read = RunReport.model_validate_json(outcome.out)
    assert read.evidence is not None
    assert [item.model_dump(mode="json") for item in read.evidence.missing] == missing
    assert all(item["why"] and item["clause"]["label"] for item in missing)
    assert missing[0]["title"].split()[0] in alone("runs", "show", outcome.document["run_id"]).out


def test_every_line_works_from_any_folder_with_a_relative_home(
    alone: Casewright, reviewed: Reviewed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CASEWRIGHT_HOME")
    monkeypatch.chdir(tmp_path)
    shown = alone("--home", reviewed.home.name, "runs", "--json", "show", reviewed.run_id, "--as=rosa")
    assert shown.document["run_id"] == reviewed.run_id
    assert re.search(r"run-[0-9a-f]{16}", shown.out)
