"""Where a run waits for people. These nodes interrupt and do nothing else.

A node re-runs from its top on every resume, so nothing with an effect may stand beside an
interrupt. The value a run is resumed with is ignored: it is a wake-up. What people decided is
in the approval ledger, what they added in the case store, and what they answered in the store
of questions; all are read afterwards.
"""

from langgraph.types import interrupt

from graphs.state import ReviewState, ReviewUpdate


async def gate(state: ReviewState) -> ReviewUpdate:
    """Wait for the decision on the proposed action."""
    interrupt({"waiting": "approval", "approval_id": state.get("approval_id", "")})
    return {"trail": [*state.get("trail", []), "gate"]}


async def ask(state: ReviewState) -> ReviewUpdate:
    """Wait for missing information; afterwards the facts are read anew."""
    interrupt({"waiting": "information", "missing": state.get("missing", [])})
    return {
        "trail": [*state.get("trail", []), "ask"],
        "answered": state.get("answered", 0) + 1,
        "done": [],
        "verified": False,
    }


async def ask_person(state: ReviewState) -> ReviewUpdate:
    """Wait for the answer to the question that `inquire` wrote."""
    interrupt({"waiting": "answer", "question_id": state.get("question_id", ""), "kind": state.get("doubt", "")})
    return {"trail": [*state.get("trail", []), "ask_person"]}
