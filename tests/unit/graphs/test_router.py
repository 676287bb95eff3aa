"""Where a review goes next: a table of situations, and what holds in every state."""

import itertools
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.config import Budgets
from casewright.contracts.recommendation import CONSEQUENTIAL_ACTIONS, ActionKind
from graphs import progress
from graphs.budget import FINISHING_CALLS, FINISHING_STEPS, spent_out
from graphs.inquiry import MAX_INQUIRIES, heeded, question
from graphs.router import AGENTS, MAX_QUESTIONS, next_step, stopped
from graphs.state import DELEGATES, Delegate, ReviewState, ReviewUpdate, Step
from tests.unit.graphs.states import state

BUDGETS = Budgets(steps=20, delegations=3, tool_calls=50, tokens=9_000, cost_micro=70_000, wall_clock_seconds=60)
STEPS = get_args(Step)
ACTIONS = get_args(ActionKind)
ALL: list[str] = list(DELEGATES)
KNOWN: ReviewUpdate = {"classified": True}
FINISHED: ReviewUpdate = {"classified": True, "done": ALL, "verified": True}


@pytest.mark.proves("E1")
@pytest.mark.parametrize(
    ("given_state", "expected"),
    [
        (state(), "intake"),
        (state(done=ALL, verified=True, action="deny_claim"), "intake"),
        (state(KNOWN), "facts_analyst"),
        (state(KNOWN, done=ALL[:1]), "evidence_checker"),
        (state(KNOWN, done=ALL[:2]), "policy_researcher"),
        (state(KNOWN, done=ALL[:3]), "drafter"),
        (state(KNOWN, done=ALL[1:]), "facts_analyst"),
        (state(KNOWN, done=ALL), "verify"),
        (state(KNOWN, done=ALL, action="deny_claim"), "verify"),
        (state(FINISHED, action="no_action"), "record"),
        (state(FINISHED, action="request_information"), "ask"),
        (state(FINISHED, action="deny_claim"), "propose"),
        (state(FINISHED, action="escalate"), "propose"),
        (state(FINISHED), "wrap"),
        (state(FINISHED, action="pay_everybody"), "wrap"),
        (state(FINISHED, action="deny_claim", stop="it cannot be done"), "wrap"),
        (state(FINISHED, action="request_information", answered=MAX_QUESTIONS), "wrap"),
        (state(FINISHED, action="deny_claim", answered=MAX_QUESTIONS), "propose"),
        (state(doubt="clarification"), "inquire"),
        (state(FINISHED, action="deny_claim", doubt="loop"), "inquire"),
        (state(FINISHED, action="deny_claim", doubt="loop", asked=MAX_INQUIRIES), "wrap"),
        (state(FINISHED, action="deny_claim", asked=MAX_INQUIRIES), "propose"),
        (state(FINISHED, action="deny_claim", doubt="loop", stop="it cannot be done"), "wrap"),
        (state(delegated={"intake": 3}), "wrap"),
        (state(KNOWN, done=ALL[:1], delegated={"evidence_checker": 3}), "wrap"),
        (state(KNOWN, done=ALL[:1], delegated={"facts_analyst": 3}), "evidence_checker"),
        (state(FINISHED, action="deny_claim", delegated={"executor": 3}), "wrap"),
        (state(FINISHED, action="deny_claim", delegated={"drafter": 9}), "propose"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.get("done", [])) or "state",
)
def test_the_next_step_follows_from_what_is_done(given_state: ReviewState, expected: Step) -> None:
    assert next_step(given_state, BUDGETS) == expected


@pytest.mark.proves("E2")
@pytest.mark.parametrize(
    ("spent", "named"),
    [
        ({"steps": 20}, "20 steps (CASEWRIGHT_BUDGET_STEPS)"),
        ({"tool_calls": 50}, "50 tool calls (CASEWRIGHT_BUDGET_TOOL_CALLS)"),
        ({"tokens": 9_000}, "9000 tokens (CASEWRIGHT_BUDGET_TOKENS)"),
        ({"cost_micro": 70_001}, "70000 millionths of money (CASEWRIGHT_BUDGET_COST_MICRO)"),
        ({"spent_ms": 60_000}, "60 seconds (CASEWRIGHT_BUDGET_SECONDS)"),
        ({"delegated": {"executor": 3}}, "to 'executor' 3 times (CASEWRIGHT_BUDGET_DELEGATIONS)"),
        ({"steps": 20 - FINISHING_STEPS + 1}, "too few of the run's 20 steps"),
        ({"tool_calls": 50 - FINISHING_CALLS + 1}, "too few of the run's 50 tool calls"),
    ],
    ids=str,
)
def test_nothing_is_proposed_that_the_budget_could_not_carry_out(spent: dict[str, object], named: str) -> None:
    ready = state(FINISHED, action="deny_claim", **spent)
    assert next_step(ready, BUDGETS) == "wrap"
    assert named in stopped(ready, BUDGETS)
    enough = state(FINISHED, action="deny_claim", steps=20 - FINISHING_STEPS, tool_calls=50 - FINISHING_CALLS)
    assert next_step(enough, BUDGETS) == "propose"


COUNTS = st.integers(min_value=0, max_value=70)
DIGESTS = st.dictionaries(st.sampled_from(DELEGATES), st.sampled_from(["a", "b"]), max_size=4)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "classified": st.booleans(),
        "done": st.lists(st.sampled_from([*DELEGATES, "stranger"]), max_size=6),
        "verified": st.booleans(),
        "evidence_complete": st.booleans(),
        "action": st.sampled_from([*ACTIONS, "", "pay_everybody", "PROPOSE", "act"]),
        "doubt": st.sampled_from(["", "loop", "clarification"]),
        "asked": st.integers(min_value=0, max_value=6),
        "stop": st.sampled_from(["", "a reason"]),
        "delegated": st.dictionaries(st.sampled_from(["stranger", *AGENTS.values()]), st.integers(0, 5)),
        "answered": st.integers(min_value=0, max_value=8),
        "steps": COUNTS,
        "tool_calls": COUNTS,
        "tokens": st.integers(min_value=0, max_value=12_000),
        "cost_micro": st.integers(min_value=0, max_value=90_000),
        "spent_ms": st.integers(min_value=0, max_value=120_000),
        "approval_id": st.text(max_size=5),
        "effect_id": st.text(max_size=5),
        "declined": st.text(max_size=5),
        "amount_minor": st.integers(),
        "evidence": DIGESTS,
        "seen": DIGESTS,
        "fruitless": st.dictionaries(st.sampled_from(DELEGATES), st.integers(0, 3)),
        "trail": st.lists(st.text(max_size=5), max_size=3),
    },
)
STATES = FIELDS.map(lambda fields: state(**fields))


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
        assert found.get("classified") is True
        assert found.get("action") in CONSEQUENTIAL_ACTIONS
        assert set(DELEGATES) <= set(found.get("done", []))
        assert not found.get("doubt")
    if step == "record":
        assert found.get("action") == "no_action"
    if step in AGENTS:
        assert found.get("delegated", {}).get(AGENTS[step], 0) < BUDGETS.delegations


class Following:
    """A run as its nodes would change it, with whatever the rules, people and delegates say on each turn."""

    def __init__(self, begun: ReviewState, data: st.DataObject) -> None:
        self.state: ReviewState = begun
        self.data = data
        self.path: list[str] = []

    def go(self) -> None:
        """One step of the graph as it is wired, counted as it is counted."""
        step = next_step(self.state, BUDGETS)
        self.path.append(step)
        if step in ("wrap", "record"):
            return
        self.state["steps"] = self.state.get("steps", 0) + 1
        if step in AGENTS:
            handed = self.state.get("delegated", {})
            self.state["delegated"] = {**handed, AGENTS[step]: handed.get(AGENTS[step], 0) + 1}
        self._worked(step)

    def _worked(self, step: Step) -> None:
        match step:
            case "intake":
                unclear = self.data.draw(st.booleans()) and not self.state.get("clarified")
                self.state.update({"classified": True, "doubt": "clarification" if unclear else ""})
            case "facts_analyst" | "evidence_checker" | "policy_researcher" | "drafter":
                self._delegated(step)
            case "verify":
                self.state["verified"] = True
            case "ask":
                self.state.update({"done": [], "verified": False, "answered": self.state.get("answered", 0) + 1})
            case "inquire":
                self._asked()
            case "propose":
                self.path += ["gate", "act"]
                self.state["stop" if self.data.draw(st.booleans()) else "effect_id"] = "done"
            case _:
                pytest.fail(f"nobody does {step!r}")

    def _delegated(self, name: Delegate) -> None:
        update: ReviewUpdate = {"evidence": progress.found(name, self.state, self.data.draw(st.integers(0, 1)))}
        if name == "evidence_checker":
            update["action"] = self.data.draw(st.sampled_from(ACTIONS))
        self.state = {**self.state, **update, **progress.noted(name, self.state, update)}
        self.state["done"] = [*self.state.get("done", []), name]

    def _asked(self) -> None:
        open_now = question(self.state)
        value = self.data.draw(st.sampled_from([option.value for option in open_now.options]))
        answer = {"state": "answered", "answer": value, "answered_by": "rosa"}
        self.path += ["ask_person", "heed"]
        self.state["steps"] = self.state.get("steps", 0) + 1
        self.state = {**self.state, **heeded(self.state, open_now.model_copy(update=answer))}


@pytest.mark.proves("E1", "E2", "E6", "C3")
@given(STATES, st.data())
def test_every_path_ends_within_the_budgets_and_reaches_act_only_through_the_gate(
    begun: ReviewState, data: st.DataObject
) -> None:
    begun["candidates"] = ["error_resolution", "other"]
    run = Following(begun, data)
    for _ in range(BUDGETS.steps + 2):
        run.go()
        if run.path[-1] in ("wrap", "record") or run.state.get("effect_id"):
            break
    else:
        pytest.fail(f"the router went on for ever: {run.path}")
    assert run.state.get("steps", 0) <= max(BUDGETS.steps + 1, begun.get("steps", 0))
    for before, step in itertools.pairwise(["start", *run.path]):
        if step == "act":
            assert before == "gate"
        if step == "gate":
            assert before == "propose"
