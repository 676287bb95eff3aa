"""Assignments and notices of approvals from the command line."""

import json

import pytest

from tests.unit.commands.conftest import Casewright, Reviewed

FIELDS = {"notice_id", "approval_id", "case_id", "kind", "number", "to", "at", "text"}


@pytest.mark.proves("E7")
def test_whoever_is_asked_to_vote_is_told_and_nobody_else(alone: Casewright, reviewed: Reviewed) -> None:
    assigned = alone("approvals", "assign", reviewed.approval_id, "idris", "--as", "selma", "--json")
    assert (assigned.code, assigned.document["assignee"], assigned.document["state"]) == (0, "idris", "pending")
    told = alone("approvals", "notices", "--as", "idris", "--json")
    assert told.code == 0
    (notice,) = told.document["notices"]
    assert set(notice) == FIELDS
    assert (notice["approval_id"], notice["kind"], notice["to"]) == (reviewed.approval_id, "assigned", "person:idris")
    assert alone("approvals", "notices", "--as", "selma", "--json").document == {"notices": []}


def test_tables_say_who_is_asked_to_vote(alone: Casewright, reviewed: Reviewed) -> None:
    alone("approvals", "assign", reviewed.approval_id, "idris", "--as", "selma")
    shown = alone("approvals", "show", reviewed.approval_id, "--as", "rosa")
    assert "idris is asked to vote" in " ".join(shown.out.split())
    assert "asked: idris" in alone("approvals", "list", "--as", "selma").out
    table = alone("approvals", "notices", "--as", "idris").out
    assert reviewed.approval_id in table
    assert "you are expected to" in " ".join(table.split())


@pytest.mark.thorough
@pytest.mark.proves("E7", "D5")
@pytest.mark.parametrize(
    ("by", "to", "code"),
    [("rosa", "selma", 3), ("tomas", "selma", 3), ("marc", "selma", 2), ("selma", "rosa", 1), ("selma", "marc", 2)],
)
def test_nobody_is_assigned_who_could_not_vote_nor_by_whom(
    alone: Casewright, reviewed: Reviewed, by: str, to: str, code: int
) -> None:
    refused = alone("approvals", "assign", reviewed.approval_id, to, "--as", by, "--json")
    assert refused.code == code
    assert refused.refusal
    shown = alone("approvals", "show", reviewed.approval_id, "--as", "selma", "--json").document
    assert shown["assignee"] == ""


def test_an_auditor_has_no_notices(alone: Casewright, reviewed: Reviewed) -> None:
    refused = alone("approvals", "notices", "--as", "avery", "--json")
    assert refused.code == 3
    assert reviewed.approval_id not in refused.out


@pytest.mark.proves("C3")
def test_a_note_can_neither_move_the_cursor_nor_reorder_what_is_read(alone: Casewright, reviewed: Reviewed) -> None:
    note = "[bold]\u202eevorppa\u200b"
    voted = alone("approvals", "reject", reviewed.approval_id, "--as", "selma", "--note", note, "--no-resume", "--json")
    assert voted.document["votes"][0]["note"] == note
    assert "\u202e" not in voted.out
    shown = alone("approvals", "show", reviewed.approval_id, "--as", "rosa").out
    assert "[bold]\\u202eevorppa\\u200b" in shown
    assert json.loads(voted.out)["state"] == "rejected"
