"""The wiring of the review graph.

intake → router ⇄ specialists → verify → propose → gate → act → record, and wrap when a budget
is spent or a step could not be done. Only `propose` leads to `gate`, and only `gate` to `act`.
What a person has to answer goes inquire → ask_person → heed, and back to the router.
"""

from collections.abc import Callable
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START, StateGraph

from casewright.config import Budgets
from graphs.desk import Desk
from graphs.gate import ask, ask_person, gate
from graphs.nodes import ReviewNodes
from graphs.router import AGENTS, next_step, stopped
from graphs.state import DELEGATES, ReviewState, ReviewUpdate
from graphs.stepping import Node, Stepping

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph

    ReviewGraph = CompiledStateGraph[ReviewState, None, ReviewState, ReviewState]

ROUTED = ("intake", *DELEGATES, "verify", "ask", "inquire", "propose", "record", "wrap")
"""Where the router may lead."""
RETURNING = ("intake", *DELEGATES, "verify", "ask", "heed")
"""What comes back to the router."""
RECURSION_LIMIT = 200
"""A backstop only: the run's own counters end it long before."""


class ReviewGraphs:
    """The graph over one desk: compiled once, and bound to the checkpoints of whoever holds a run."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stepping = Stepping(desk)

    def over(self, checkpoints: "BaseCheckpointSaver[Any]", *, run_id: str) -> "ReviewGraph":
        """The graph for one run whose lease was just had: nothing is known of what it counted before."""
        self._stepping.forget(run_id)
        bound = copy(self._compiled)
        bound.checkpointer = checkpoints
        return bound

    @cached_property
    def _compiled(self) -> "ReviewGraph":
        return _compiled(self._desk, self._stepping)


def _compiled(desk: Desk, stepping: Stepping) -> "ReviewGraph":
    graph = StateGraph(ReviewState)
    for name, node in _nodes(desk, stepping).items():
        graph.add_node(name, node)  # pyright: ignore[reportUnknownMemberType]

    def route(state: ReviewState) -> str:
        return next_step(state, desk.budgets)

    for name in (START, *RETURNING):
        graph.add_conditional_edges(name, route, list(ROUTED))
    graph.add_conditional_edges("inquire", _unless_stopped("ask_person"), ["ask_person", "wrap"])
    graph.add_edge("ask_person", "heed")
    graph.add_conditional_edges("propose", _unless_stopped("gate"), ["gate", "wrap"])
    graph.add_edge("gate", "act")
    graph.add_conditional_edges("act", _after_act, ["gate", "record", "wrap"])
    graph.add_edge("record", END)
    graph.add_edge("wrap", END)
    return graph.compile()  # pyright: ignore[reportUnknownMemberType]


def _nodes(desk: Desk, steps: Stepping) -> dict[str, Node]:
    """Every node by name."""
    nodes = ReviewNodes(desk)
    executor = AGENTS["propose"]
    return {
        "intake": steps.step("intake", nodes.intake, agent=AGENTS["intake"]),
        "facts_analyst": steps.delegate("facts_analyst", nodes.analyse_facts),
        "evidence_checker": steps.delegate("evidence_checker", nodes.check_evidence),
        "policy_researcher": steps.delegate("policy_researcher", nodes.research),
        "drafter": steps.delegate("drafter", nodes.draft),
        "verify": steps.step("verify", nodes.verify, agent=AGENTS["verify"]),
        "ask": ask,
        "inquire": steps.step("inquire", nodes.inquire),
        "ask_person": ask_person,
        "heed": steps.step("heed", nodes.heed),
        "propose": steps.step("propose", nodes.propose, agent=executor),
        "gate": gate,
        "act": steps.step("act", nodes.act, agent=executor),
        "record": steps.step("record", nodes.record, closing=True),
        "wrap": steps.unless_wanted(_wrap(desk.budgets)),
    }


def _unless_stopped(following: str) -> Callable[[ReviewState], str]:
    def follow(state: ReviewState) -> str:
        return "wrap" if state.get("stop") else following

    return follow


def _after_act(state: ReviewState) -> str:
    if state.get("effect_id") or state.get("declined"):
        return "record"
    return "wrap" if state.get("stop") else "gate"


def _wrap(budgets: Budgets) -> Node:
    async def wrap(state: ReviewState) -> ReviewUpdate:
        return {
            "status": "incomplete",
            "because": stopped(state, budgets),
            "trail": [*state.get("trail", []), "wrap"],
        }

    return wrap
