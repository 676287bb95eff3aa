"""What a run has spent, as its state and the records tell it, and which budget ends it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.config import BUDGET_VARIABLES, Budgets
from graphs.budget import Recorded, limits, reconciled, spent, spent_out, step_deadline
from graphs.state import ReviewState
from tests.unit.graphs.states import state

NOTHING = Recorded(calls=0, tokens=0, cost_micro=0, failed_steps=0, failed_ms=0)


@pytest.mark.proves("E2")
def test_what_a_step_spent_that_died_before_its_state_was_kept_is_counted_from_the_records() -> None:
    before = state(steps=3, tool_calls=10, tokens=500, cost_micro=40, spent_ms=900)
    died = Recorded(calls=17, tokens=1_500, cost_micro=90, failed_steps=2, failed_ms=4_000)
    counted = spent({**before, **reconciled(before, died)})
    assert (counted.steps, counted.tool_calls, counted.tokens) == (5, 17, 1_500)
    assert (counted.cost_micro, counted.wall_clock_ms) == (90, 4_900)


@pytest.mark.proves("E2")
def test_the_same_failure_is_counted_once() -> None:
    died = Recorded(calls=4, tokens=10, cost_micro=1, failed_steps=1, failed_ms=700)
    once: ReviewState = {**state(steps=1), **reconciled(state(steps=1), died)}
    assert reconciled(once, died) == reconciled(state(steps=1), died)


@pytest.mark.proves("E2", "E5")
def test_what_a_fork_spends_comes_on_top_of_what_its_parents_spent() -> None:
    begun = state(
        tool_calls=50, tokens=900, cost_micro=30, inherited={"tool_calls": 50, "tokens": 900, "cost_micro": 30}
    )
    own = Recorded(calls=5, tokens=100, cost_micro=7, failed_steps=0, failed_ms=0)
    counted = spent({**begun, **reconciled(begun, own)})
    assert (counted.tool_calls, counted.tokens, counted.cost_micro) == (55, 1_000, 37)


COUNTS = st.integers(min_value=0, max_value=10_000)
RECORDED = st.builds(Recorded, calls=COUNTS, tokens=COUNTS, cost_micro=COUNTS, failed_steps=COUNTS, failed_ms=COUNTS)
COUNTED = ("steps", "tool_calls", "tokens", "cost_micro", "spent_ms")
STATES = st.fixed_dictionaries({}, optional=dict.fromkeys((*COUNTED, "failed_steps", "failed_ms"), COUNTS)).map(
    lambda fields: state(**fields)
)


@pytest.mark.proves("E2")
@given(STATES, RECORDED)
def test_records_never_give_anything_back_and_read_twice_they_count_once(before: ReviewState, known: Recorded) -> None:
    after: ReviewState = {**before, **reconciled(before, known)}
    for name in COUNTED:
        assert after.get(name, 0) >= before.get(name, 0)
    assert reconciled(after, known) == reconciled(before, known)
    assert after.get("tool_calls", 0) >= known.calls
    assert after.get("tokens", 0) >= known.tokens


@pytest.mark.proves("E2")
@pytest.mark.parametrize(
    ("budget", "fields"),
    [
        ("steps", {"steps": 4}),
        ("tool_calls", {"tool_calls": 4}),
        ("tokens", {"tokens": 4}),
        ("cost_micro", {"cost_micro": 4}),
        ("wall_clock_seconds", {"spent_ms": 4_000}),
    ],
)
def test_a_spent_budget_is_named_with_the_variable_that_sets_it(budget: str, fields: dict[str, int]) -> None:
    small = dataclasses.replace(Budgets(), **{budget: 4})
    assert BUDGET_VARIABLES[budget] in spent_out(state(**fields), small)
    one_less = {name: value - 1 for name, value in fields.items()}
    assert spent_out(state(**one_less), small) == ""


@pytest.mark.proves("E2")
def test_a_step_is_given_up_at_its_own_limit_or_at_what_is_left_of_the_run() -> None:
    budgets = Budgets(wall_clock_seconds=100, step_seconds=30)
    assert step_deadline(state(), budgets)[0] == 30
    seconds, why = step_deadline(state(spent_ms=90_000), budgets)
    assert seconds == 10
    assert "CASEWRIGHT_BUDGET_SECONDS" in why
    assert step_deadline(state(spent_ms=120_000), budgets)[0] == 0
    assert "CASEWRIGHT_BUDGET_STEP_SECONDS" in step_deadline(state(), budgets)[1]


def test_a_report_shows_every_limit_and_every_limit_has_its_variable() -> None:
    assert set(limits(Budgets()).model_dump()) == set(BUDGET_VARIABLES) == {f.name for f in dataclasses.fields(Budgets)}
