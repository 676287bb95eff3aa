"""Whether a run goes in circles: the same delegate, given the same, and nothing new found by anybody.

Pure. Evidence is compared by digests of what was found (facts with their values, the rules' assessment, clauses),
never of how a model worded it. One repetition may come from a change of the case that means nothing; two in a row
are shown to a person (see `graphs.inquiry`).
"""

from typing import Any

from casewright import canonical
from graphs.state import Delegate, ReviewState, ReviewUpdate

MOST_FRUITLESS = 2
SHOWN_ROUNDS = 12
"""Three times every delegate."""
_KEPT = 32
_SHORT = 12
"""Characters of a digest that are kept (128 bits, in every checkpoint), and that people are shown."""


def found(name: Delegate, state: ReviewState, results: Any) -> dict[str, str]:
    """The run's evidence with what a delegate found now; `results` are JSON values, ids and amounts."""
    return {**state.get("evidence", {}), name: digest(results)}


def noted(name: Delegate, before: ReviewState, update: ReviewUpdate) -> ReviewUpdate:
    """What to keep of a delegate's turn, and the doubt once it has repeated itself too often."""
    given, evidence = digest(_given(name, before)), digest(update.get("evidence", before.get("evidence", {})))
    now = digest([given, evidence])
    repeated = before.get("seen", {}).get(name) == now
    times = before.get("fruitless", {}).get(name, 0) + 1 if repeated else 0
    turn = [str(name), given[:_SHORT], evidence[:_SHORT]]
    kept: ReviewUpdate = {
        "seen": {**before.get("seen", {}), name: now},
        "fruitless": {**before.get("fruitless", {}), name: times},
        "rounds": [*before.get("rounds", []), turn][-SHOWN_ROUNDS:],
    }
    return {**kept, "doubt": "loop"} if times >= MOST_FRUITLESS else kept


def loop_shown(state: ReviewState) -> list[str]:
    """The latest turns in words, oldest first."""
    return [
        f"{name} was given {given} and the evidence was then {then}" for name, given, then in state.get("rounds", [])
    ]


def repeating(state: ReviewState) -> tuple[str, int]:
    """Who repeated itself most, and how often in a row."""
    counted = state.get("fruitless", {})
    return max(counted.items(), key=lambda item: item[1], default=("", 0))


def digest(value: Any) -> str:
    """Of a JSON value, short enough to be kept with every step."""
    return canonical.digest(value)[:_KEPT]


def _given(name: Delegate, state: ReviewState) -> Any:
    """What a delegate works from, as the state has it before its turn."""
    evidence = state.get("evidence", {})
    match name:
        case "facts_analyst":
            return [state["case_id"]]
        case "evidence_checker":
            return [evidence.get("facts_analyst", "")]
        case "policy_researcher":
            return [state.get("as_of", ""), state.get("queries", []), state.get("refs", [])]
        case "drafter":
            return [evidence.get("facts_analyst", ""), evidence.get("evidence_checker", ""), state.get("clauses", [])]
