"""What a run may spend, counted in its own state, so that a resume grants nothing new.

Waiting for people costs nothing: only the time inside nodes counts.
"""

from casewright.config import Budgets
from graphs.state import ReviewState

FINISHING_STEPS = 2
"""Propose and act: nobody is asked for an approval that could not be used."""
FINISHING_CALLS = 2
"""Ask for approval; execute."""


def spent_out(state: ReviewState, budgets: Budgets) -> str:
    """Which budget is spent, in words; empty while all last."""
    if state.get("steps", 0) >= budgets.steps:
        return f"the run has used its {budgets.steps} steps"
    if state.get("tool_calls", 0) >= budgets.tool_calls:
        return f"the run has used its {budgets.tool_calls} tool calls"
    if state.get("spent_ms", 0) >= budgets.wall_clock_seconds * 1000:
        return f"the run has worked for its {budgets.wall_clock_seconds} seconds"
    return ""


def unfinishable(state: ReviewState, budgets: Budgets) -> str:
    """Why a proposal could not be carried out within the budgets; empty: it could."""
    if state.get("steps", 0) + FINISHING_STEPS > budgets.steps:
        return f"too few of the run's {budgets.steps} steps are left to propose and execute an action"
    if state.get("tool_calls", 0) + FINISHING_CALLS > budgets.tool_calls:
        return f"too few of the run's {budgets.tool_calls} tool calls are left to propose and execute an action"
    return ""
