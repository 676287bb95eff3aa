"""The picture of who may do what says what the policy says."""

import json

import pytest

from casewright.access.bundle import read_bundle
from casewright.access.matrix import STATES, Row, matrix
from casewright.errors import InputError
from tests.unit.access.inputs import POLICIES, shipped_engine


def drawn(*, role: str = "", tool: str = "") -> tuple[Row, ...]:
    return matrix(shipped_engine(), read_bundle(POLICIES), role=role, tool=tool)


def answers(role: str, tool: str) -> dict[str, str]:
    (row,) = drawn(role=role, tool=tool)
    return {cell.state: f"{cell.effect} {cell.code}".strip() for cell in row.cells}


@pytest.mark.proves("D1", "D8")
def test_a_reviewer_reads_the_own_case_only_and_executes_with_approval_only() -> None:
    assert answers("reviewer", "get_case") == {
        "listed": "maybe",
        "assigned": "permit",
        "not assigned": "deny not_assigned",
        "other tenant": "deny other_tenant",
        "conflict": "deny conflict_of_interest",
        "sealed": "deny sealed_matter",
        "agent at its step": "permit",
        "agent elsewhere": "deny agent_step",
    }
    executing = answers("reviewer", "drafting/execute_action")
    assert executing["assigned"] == executing["agent at its step"] == "require_approval"


@pytest.mark.proves("D8")
def test_every_role_and_tool_has_an_answer_in_every_state() -> None:
    tables = json.loads((POLICIES / "data/access/data.json").read_text())
    tools = [f"{server}/{name}" for server, found in tables["tools"].items() for name in found]
    rows = drawn(role="reviewer") + drawn(role="service")
    assert [row.tool for row in rows] == tools + tools
    for row in rows:
        assert tuple(cell.state for cell in row.cells) == STATES
        for cell in row.cells:
            assert cell.effect in {"permit", "require_approval", "maybe", "deny", "none"}
            assert bool(cell.code) == (cell.effect == "deny")
            assert cell.code not in {"input_invalid", "input_malformed", "engine_error", "malformed"}, row


@pytest.mark.proves("D8")
def test_a_service_is_allowed_nothing_on_cases() -> None:
    for row in drawn(role="service"):
        if row.tool.startswith(("case-facts", "drafting")):
            assert {cell.effect for cell in row.cells} <= {"deny", "none"}, row


@pytest.mark.proves("D8")
def test_an_unknown_role_or_tool_is_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"'king' is no role; there are .*reviewer"):
        drawn(role="king")
    with pytest.raises(InputError, match=r"'fly' is no tool; name one of .*get_case"):
        drawn(tool="fly")
