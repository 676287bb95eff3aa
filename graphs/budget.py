"""What a run may spend, counted in its own state, so that neither a resume nor a fork grants anything new.

A step that died in the middle has left no state, but its calls stand in the audit and its failure in the run's
events: `reconciled` takes from there what the state does not know. Waiting for people costs nothing. A model call that
could cost more than is left is not made (`allowance`). It is *not* the policy's own budget of calls, which servers hold
against a run with every call.
"""

from dataclasses import dataclass

from casewright.config import BUDGET_VARIABLES, Budgets
from casewright.contracts.run import BudgetLimits, BudgetSpent
from casewright.models.allowance import Allowance
from graphs.state import ReviewState, ReviewUpdate

FINISHING_STEPS = 2
"""Propose and act: nobody is asked for an approval that could not be used."""
FINISHING_CALLS = 2
"""Ask for approval; execute."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What the records tell of one run, without those it was forked from."""

    calls: int
    tokens: int
    cost_micro: int
    failed_steps: int
    failed_ms: int


def reconciled(state: ReviewState, recorded: Recorded) -> ReviewUpdate:
    """What was spent, as the state and the records tell it: whichever knows of more."""
    before = state.get("inherited", {})
    return {
        "tool_calls": max(state.get("tool_calls", 0), before.get("tool_calls", 0) + recorded.calls),
        "tokens": max(state.get("tokens", 0), before.get("tokens", 0) + recorded.tokens),
        "cost_micro": max(state.get("cost_micro", 0), before.get("cost_micro", 0) + recorded.cost_micro),
        "steps": state.get("steps", 0) + max(0, recorded.failed_steps - state.get("failed_steps", 0)),
        "spent_ms": state.get("spent_ms", 0) + max(0, recorded.failed_ms - state.get("failed_ms", 0)),
        "failed_steps": max(state.get("failed_steps", 0), recorded.failed_steps),
        "failed_ms": max(state.get("failed_ms", 0), recorded.failed_ms),
    }


def spent_out(state: ReviewState, budgets: Budgets) -> str:
    """Which budget is spent and what sets it, in words; empty while all last."""
    if state.get("steps", 0) >= budgets.steps:
        return f"the run has used its {budgets.steps} steps {_set_by('steps')}"
    if state.get("tool_calls", 0) >= budgets.tool_calls:
        return f"the run has used its {budgets.tool_calls} tool calls {_set_by('tool_calls')}"
    if state.get("tokens", 0) >= budgets.tokens:
        return f"the run has used its {budgets.tokens} tokens {_set_by('tokens')}"
    if state.get("cost_micro", 0) >= budgets.cost_micro:
        return f"the run has spent its {budgets.cost_micro} millionths of money {_set_by('cost_micro')}"
    if state.get("spent_ms", 0) >= budgets.wall_clock_seconds * 1000:
        return f"the run has worked for its {budgets.wall_clock_seconds} seconds {_set_by('wall_clock_seconds')}"
    return ""


def handed_over(state: ReviewState, agent: str, budgets: Budgets) -> str:
    """Why the run may not hand over to this agent again, in words; empty: it may."""
    if state.get("delegated", {}).get(agent, 0) < budgets.delegations:
        return ""
    return f"the run has handed over to {agent!r} {budgets.delegations} times {_set_by('delegations')}"


def unfinishable(state: ReviewState, budgets: Budgets) -> str:
    """Why a proposal could not be carried out within the budgets; empty: it could."""
    if state.get("steps", 0) + FINISHING_STEPS > budgets.steps:
        return f"too few of the run's {budgets.steps} steps are left to propose and execute {_set_by('steps')}"
    if state.get("tool_calls", 0) + FINISHING_CALLS > budgets.tool_calls:
        left = f"too few of the run's {budgets.tool_calls} tool calls are left to propose and execute"
        return f"{left} {_set_by('tool_calls')}"
    return ""


def step_deadline(state: ReviewState, budgets: Budgets) -> tuple[float, str]:
    """After how many seconds the next step is given up, and why, in words."""
    left = budgets.wall_clock_seconds - state.get("spent_ms", 0) / 1000
    if left < budgets.step_seconds:
        why = f"the run has worked for its {budgets.wall_clock_seconds} seconds {_set_by('wall_clock_seconds')}"
        return max(left, 0.0), why
    why = f"one step may take {budgets.step_seconds} seconds {_set_by('step_seconds')}"
    return float(budgets.step_seconds), why


def allowance(state: ReviewState, budgets: Budgets) -> Allowance:
    """What the run may still spend on models, for one step; every request is held against it before it is sent."""
    left = whole_allowance(budgets)
    left.tokens -= state.get("tokens", 0)
    left.cost_micro -= state.get("cost_micro", 0)
    return left


def whole_allowance(budgets: Budgets) -> Allowance:
    """What a run that has spent nothing may spend on models."""
    return Allowance(
        tokens=budgets.tokens,
        cost_micro=budgets.cost_micro,
        tokens_set_by=BUDGET_VARIABLES["tokens"],
        cost_set_by=BUDGET_VARIABLES["cost_micro"],
    )


def limits(budgets: Budgets) -> BudgetLimits:
    """The limits as a report shows them."""
    return BudgetLimits(
        steps=budgets.steps,
        delegations=budgets.delegations,
        tool_calls=budgets.tool_calls,
        tokens=budgets.tokens,
        cost_micro=budgets.cost_micro,
        wall_clock_seconds=budgets.wall_clock_seconds,
        step_seconds=budgets.step_seconds,
    )


def spent(state: ReviewState) -> BudgetSpent:
    """What the state counts as a report shows it."""
    return BudgetSpent(
        steps=state.get("steps", 0),
        delegations=state.get("delegated", {}),
        tool_calls=state.get("tool_calls", 0),
        tokens=state.get("tokens", 0),
        cost_micro=state.get("cost_micro", 0),
        wall_clock_ms=state.get("spent_ms", 0),
    )


def _set_by(budget: str) -> str:
    return f"({BUDGET_VARIABLES[budget]})"
