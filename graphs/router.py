"""Where a review goes next: a pure function of its state.

Every reachable state has exactly one next step, and no path leads to `act` but through `gate`:
the router can name `propose`, which alone is wired to the gate. A model proposes nothing here.
"""

from casewright.config import Budgets
from casewright.contracts.recommendation import CONSEQUENTIAL_ACTIONS
from graphs.budget import spent_out, unfinishable
from graphs.state import DELEGATES, ReviewState, Step

MAX_QUESTIONS = 4
MAX_DELEGATIONS = len(DELEGATES) * (1 + MAX_QUESTIONS)
"""Every delegate once at first, and once more after each answer."""


def next_step(state: ReviewState, budgets: Budgets) -> Step:
    """The one next step.

    `wrap` ends the run as incomplete, `record` as completed; `ask` waits for information.
    """
    return "wrap" if stopped(state, budgets) else _wanted(state)


def stopped(state: ReviewState, budgets: Budgets) -> str:
    """Why the run must wrap up, in words; empty: it need not."""
    reason = state.get("stop", "") or spent_out(state, budgets)
    if reason:
        return reason
    match _wanted(state):
        case "ask" if state.get("answered", 0) >= MAX_QUESTIONS:
            return f"information was asked for {MAX_QUESTIONS} times and is still missing"
        case "propose":
            return unfinishable(state, budgets)
        case "wrap":
            return f"the rules gave the action {state.get('action', '')!r}, which nobody knows how to carry out"
        case wanted if wanted in DELEGATES and state.get("delegations", 0) >= MAX_DELEGATIONS:
            return f"the run has handed over {MAX_DELEGATIONS} times"
        case _:
            return ""


def _wanted(state: ReviewState) -> Step:
    """Where the review goes while nothing stops it."""
    for delegate in DELEGATES:
        if delegate not in state.get("done", []):
            return delegate
    if not state.get("verified", False):
        return "verify"
    match state.get("action", ""):
        case "request_information":
            return "ask"
        case "no_action":
            return "record"
        case action if action in CONSEQUENTIAL_ACTIONS:
            return "propose"
        case _:
            return "wrap"
