"""A run's state as the beginning of another: what was spent stays spent, what was decided stays with the parent."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from casewright.config import Budgets
from casewright.errors import InputError
from casewright.storage.tables import run_meters
from graphs.forking import carry_meter, forked_state
from graphs.router import next_step
from graphs.state import DELEGATES, STATE_VERSION, ReviewState
from tests.unit.audit.kernel import TENANT, kernel
from tests.unit.graphs.states import state

DECIDED = (
    "approval_id",
    "effect_id",
    "declined",
    "draft_id",
    "draft_version",
    "draft_digest",
    "status",
    "because",
    "stop",
)
FINISHED = state(
    state_version=STATE_VERSION,
    classified=True,
    case_type="card_dispute",
    as_of="2026-10-01",
    currency="USD",
    topics=["card_dispute"],
    queries=["card dispute time limits"],
    clarified="card_dispute",
    model="offline/extractive",
    done=list(DELEGATES),
    fact_paths=["case/received_on"],
    evidence_complete=True,
    missing=[],
    action="deny_claim",
    amount_minor=0,
    refs=[["hl-disputes", "4.2"]],
    clauses=[["hl-disputes", "3", "4.2"]],
    gaps=[],
    index_version="i-1",
    evidence=dict.fromkeys(DELEGATES, "e"),
    seen=dict.fromkeys(DELEGATES, "s"),
    fruitless=dict.fromkeys(DELEGATES, 1),
    rounds=[["drafter", "a", "b"]],
    question_id="run-1-q1",
    asked=1,
    answered=2,
    draft_id="drf-1",
    draft_version=3,
    draft_digest="d" * 64,
    verified=True,
    approval_id="apr-1",
    effect_id="eff-1",
    declined="no",
    steps=12,
    delegated={"drafter": 3, "intake": 1},
    tool_calls=80,
    tokens=9_000,
    cost_micro=700,
    spent_ms=4_000,
    failed_steps=2,
    failed_ms=900,
    trail=["intake", "facts_analyst"],
    status="completed",
    because="the approved action was executed",
)
SPENT = ("steps", "delegated", "tool_calls", "tokens", "cost_micro", "spent_ms", "asked", "answered")


@pytest.mark.proves("E5", "C3")
@pytest.mark.parametrize("at", ["", *DELEGATES])
def test_a_fork_has_spent_what_its_parent_had_and_has_nothing_that_was_decided(at: str) -> None:
    fork = forked_state(FINISHED, at)
    assert [fork.get(name) for name in SPENT] == [FINISHED.get(name) for name in SPENT]
    assert fork.get("inherited") == {"tool_calls": 80, "tokens": 9_000, "cost_micro": 700}
    assert not any(name in fork for name in DECIDED)
    assert not fork.get("verified")
    assert not fork.get("question_id")
    assert fork.get("parent_draft") == "drf-1"
    assert fork.get("failed_steps", 0) == fork.get("failed_ms", 0) == 0, "its own records tell of none"
    assert next_step(fork, Budgets()) == (at or "intake")


@pytest.mark.proves("E5")
def test_a_fork_keeps_what_was_found_before_the_step_it_begins_from() -> None:
    research = forked_state(FINISHED, "policy_researcher")
    assert research.get("done") == ["facts_analyst", "evidence_checker"]
    assert (research.get("as_of"), research.get("action")) == ("2026-10-01", "deny_claim")
    assert set(research.get("evidence", {})) == {"facts_analyst", "evidence_checker"}
    assert "clauses" not in research
    assert "index_version" not in research
    assert forked_state(FINISHED, "drafter").get("clauses") == [["hl-disputes", "3", "4.2"]]
    assert "as_of" not in forked_state(FINISHED, "")


@pytest.mark.proves("E5")
def test_a_fork_begins_no_later_than_its_parent_had_come() -> None:
    early: ReviewState = {**FINISHED, "done": ["facts_analyst"]}
    assert next_step(forked_state(early, "drafter"), Budgets()) == "evidence_checker"
    unplaced: ReviewState = {**FINISHED, "classified": False}
    assert next_step(forked_state(unplaced, "drafter"), Budgets()) == "intake"


@pytest.mark.parametrize("at", ["act", "propose", "gate", "intake", "Drafter", "drafter "])
def test_a_fork_begins_at_no_other_step(at: str) -> None:
    with pytest.raises(InputError, match="no step"):
        forked_state(FINISHED, at)


@pytest.mark.proves("E5")
def test_the_fork_of_an_older_state_is_migrated_and_of_a_newer_one_keeps_only_what_was_spent() -> None:
    known: dict[str, Any] = {
        name: value for name, value in FINISHED.items() if name not in ("state_version", "delegated")
    }
    older = forked_state({**known, "trail": ["intake", *DELEGATES, "verify", "propose"], "classified": None}, "drafter")
    assert older.get("delegated", {})["executor"] == 1
    assert next_step(older, Budgets()) == "drafter"
    newer = forked_state({**FINISHED, "state_version": STATE_VERSION + 1}, "drafter")
    assert (newer.get("tool_calls"), newer.get("state_version")) == (80, STATE_VERSION)
    assert next_step(newer, Budgets()) == "intake"


@pytest.mark.proves("E5", "E2")
@given(st.lists(st.sampled_from(["", *DELEGATES]), min_size=1, max_size=5))
def test_forks_of_forks_give_nothing_back(path: list[str]) -> None:
    fork = FINISHED
    for at in path:
        fork = forked_state(fork, at)
    assert [fork.get(name) for name in SPENT] == [FINISHED.get(name) for name in SPENT]
    assert fork.get("parent_draft") == "drf-1"


@pytest.mark.proves("E5", "D5")
async def test_the_policys_budget_and_taint_of_a_run_hold_for_its_fork(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        meter = {"tenant": TENANT, "run_id": "run-1", "calls": 70, "untrusted": True}
        async with world.database.write() as connection:
            await connection.execute(insert(run_meters).values(meter))
            await carry_meter(connection, TENANT, parent="run-1", child="run-2")
            await carry_meter(connection, "millbrook", parent="run-1", child="run-3")
            await carry_meter(connection, TENANT, parent="run-none", child="run-4")
        async with world.database.read() as connection:
            kept = {row["run_id"]: dict(row) for row in (await connection.execute(select(run_meters))).mappings()}
        assert kept == {"run-1": meter, "run-2": {**meter, "run_id": "run-2"}}
