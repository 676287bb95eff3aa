"""Where a review goes next: a table of situations, and what holds in every state."""

from typing import cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.config import Budgets
from casewright.contracts.recommendation import CONSEQUENTIAL_ACTIONS, ActionKind
from graphs.budget import FINISHING_CALLS, FINISHING_STEPS, spent_out
from graphs.router import MAX_DELEGATIONS, MAX_QUESTIONS, next_step, stopped
from graphs.state import DELEGATES, ReviewState, ReviewUpdate, Step

BUDGETS = Budgets(steps=20, tool_calls=50, wall_clock_seconds=60)
STEPS = get_args(Step)
ACTIONS = get_args(ActionKind)
ALL: list[str] = list(DELEGATES)
FINISHED: ReviewUpdate = {"done": ALL, "verified": True}


def state(*updates: ReviewUpdate, **fields: object) -> ReviewState:
    """A state with what a run knows from the start, and the given fields."""
    found: dict[str, object] = {"run_id": "run-1", "case_id": "c-1", "tenant": "t-1", "subject": "rosa"}
    for update in updates:
        found |= update
    return cast(ReviewState, found | fields)


@pytest.mark.proves("E1")
@pytest.mark.parametrize(
    ("given_state", "expected"),
    [
        (state(), "facts_analyst"),
        (state(done=ALL[:1]), "evidence_checker"),
        (state(done=ALL[:2]), "policy_researcher"),
        (state(done=ALL[:3]), "drafter"),
        (state(done=ALL[1:]), "facts_analyst"),
        (state(done=ALL), "verify"),
        (state(done=ALL, action="deny_claim"), "verify"),
        (state(FINISHED, action="no_action"), "record"),
        (state(FINISHED, action="request_information"), "ask"),
        (state(FINISHED, action="deny_claim"), "propose"),
        (state(FINISHED, action="escalate"), "propose"),
        (state(FINISHED), "wrap"),
        (state(FINISHED, action="pay_everybody"), "wrap"),
        (state(FINISHED, action="deny_claim", stop="it cannot be done"), "wrap"),
        (state(FINISHED, action="request_information", answered=MAX_QUESTIONS), "wrap"),
        (state(FINISHED, action="deny_claim", answered=MAX_QUESTIONS), "propose"),
        (state(done=ALL[:1], delegations=MAX_DELEGATIONS), "wrap"),
        (state(FINISHED, action="deny_claim", delegations=MAX_DELEGATIONS), "propose"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.get("done", [])) or "state",
)
def test_the_next_step_follows_from_what_is_done(given_state: ReviewState, expected: Step) -> None:
    assert next_step(given_state, BUDGETS) == expected


@pytest.mark.proves("E2")
@pytest.mark.parametrize(
    ("spent", "named"),
    [
        ({"steps": 20}, "20 steps"),
        ({"tool_calls": 50}, "50 tool calls"),
        ({"spent_ms": 60_000}, "60 seconds"),
        ({"steps": 20 - FINISHING_STEPS + 1}, "too few of the run's 20 steps"),
        ({"tool_calls": 50 - FINISHING_CALLS + 1}, "too few of the run's 50 tool calls"),
    ],
    ids=str,
)
def test_nothing_is_proposed_that_the_budget_could_not_carry_out(spent: dict[str, int], named: str) -> None:
    ready = state(FINISHED, action="deny_claim", **spent)
    assert next_step(ready, BUDGETS) == "wrap"
    assert named in stopped(ready, BUDGETS)
    enough = state(FINISHED, action="deny_claim", steps=20 - FINISHING_STEPS, tool_calls=50 - FINISHING_CALLS)
    assert next_step(enough, BUDGETS) == "propose"


COUNTS = st.integers(min_value=0, max_value=70)
STATES = st.fixed_dictionaries(
    {},
    optional={
        "done": st.lists(st.sampled_from([*DELEGATES, "stranger"]), max_size=6),
        "verified": st.booleans(),
        "evidence_complete": st.booleans(),
        "action": st.sampled_from([*ACTIONS, "", "pay_everybody", "PROPOSE", "act"]),
        "stop": st.sampled_from(["", "a reason"]),
        "delegations": COUNTS,
        "answered": st.integers(min_value=0, max_value=8),
        "steps": COUNTS,
        "tool_calls": COUNTS,
        "spent_ms": st.integers(min_value=0, max_value=120_000),
        "approval_id": st.text(max_size=5),
        "effect_id": st.text(max_size=5),
        "declined": st.text(max_size=5),
        "amount_minor": st.integers(),
        "trail": st.lists(st.text(max_size=5), max_size=3),
    },
).map(lambda fields: state(**fields))


@pytest.mark.proves("E1", "E2", "C3")
@given(STATES)
def test_every_state_has_exactly_one_next_step_and_only_a_verified_consequence_is_proposed(found: ReviewState) -> None:
    step = next_step(found, BUDGETS)
    assert step in STEPS
    assert step == next_step(found, BUDGETS)
    assert (step == "wrap") == bool(stopped(found, BUDGETS)), "it wraps for a reason, and for every reason"
    if spent_out(found, BUDGETS) or found.get("stop"):
        assert step == "wrap"
    if step == "propose":
        assert found.get("verified") is True
        assert found.get("action") in CONSEQUENTIAL_ACTIONS
        assert set(DELEGATES) <= set(found.get("done", []))
    if step == "record":
        assert found.get("action") == "no_action"


@pytest.mark.proves("E2")
@given(STATES, st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=8))
def test_every_run_comes_to_an_end_or_waits(found: ReviewState, outcomes: list[ActionKind]) -> None:
    """Follow the router as the nodes do, whatever the rules say on each reading of the facts."""
    readings = 0
    for _ in range(BUDGETS.steps + 5):
        step = next_step(found, BUDGETS)
        if step in ("propose", "record", "wrap"):
            return
        found["steps"] = found.get("steps", 0) + 1
        if step in DELEGATES:
            found["done"] = [*found.get("done", []), step]
            found["delegations"] = found.get("delegations", 0) + 1
        if step == "evidence_checker":
            found["action"] = outcomes[min(readings, len(outcomes) - 1)]
            readings += 1
        if step == "verify":
            found["verified"] = True
        if step == "ask":
            found.update({"done": [], "verified": False, "answered": found.get("answered", 0) + 1})
    pytest.fail("the router went on for ever")
