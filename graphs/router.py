"""Where a review goes next: a pure function of its state.

Every reachable state has exactly one next step, and no path leads to `act` but through `gate`:
the router can name `propose`, which alone is wired to the gate. A model proposes nothing here.
A run begins here as well, so a fork may begin wherever its state says.
"""

from casewright.config import Budgets
from casewright.contracts.recommendation import CONSEQUENTIAL_ACTIONS
from graphs.budget import handed_over, spent_out, unfinishable
from graphs.inquiry import MAX_INQUIRIES
from graphs.state import DELEGATES, ReviewState, Step

MAX_QUESTIONS = 4
"""Times that one run waits for missing information."""
AGENTS: dict[Step, str] = {
    "intake": "intake",
    **{delegate: delegate for delegate in DELEGATES},
    "verify": "verifier",
    "propose": "executor",
}
"""To whom a step hands over."""


def next_step(state: ReviewState, budgets: Budgets) -> Step:
    """The one next step.

    `wrap` ends the run as incomplete, `record` as completed; `ask` waits for information,
    `inquire` asks a person.
    """
    return "wrap" if stopped(state, budgets) else _wanted(state)


def stopped(state: ReviewState, budgets: Budgets) -> str:
    """Why the run must wrap up, in words; empty: it need not."""
    reason = state.get("stop", "") or spent_out(state, budgets)
    if reason:
        return reason
    wanted = _wanted(state)
    match wanted:
        case "ask" if state.get("answered", 0) >= MAX_QUESTIONS:
            return f"information was asked for {MAX_QUESTIONS} times and is still missing"
        case "inquire" if state.get("asked", 0) >= MAX_INQUIRIES:
            return f"people were asked {MAX_INQUIRIES} times how to go on, and it still cannot be told"
        case "propose":
            return unfinishable(state, budgets) or handed_over(state, AGENTS[wanted], budgets)
        case "wrap":
            return f"the rules gave the action {state.get('action', '')!r}, which nobody knows how to carry out"
        case _ if wanted in AGENTS:
            return handed_over(state, AGENTS[wanted], budgets)
        case _:
            return ""


def _wanted(state: ReviewState) -> Step:
    """Where the review goes while nothing stops it."""
    if state.get("doubt", ""):
        return "inquire"
    if not state.get("classified", False):
        return "intake"
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
