"""The wiring of the review graph.

intake → router ⇄ specialists → verify → propose → gate → act → record, and wrap when a budget
is spent or a step could not be done. Only `propose` leads to `gate`, and only `gate` to `act`.
"""

from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START, StateGraph

from casewright.config import Budgets
from graphs.desk import Desk
from graphs.gate import ask, gate
from graphs.nodes import Node, ReviewNodes
from graphs.router import next_step, stopped
from graphs.state import ReviewState, ReviewUpdate

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph

ROUTED = ("facts_analyst", "evidence_checker", "policy_researcher", "drafter", "verify", "ask", "propose", "record")
RECURSION_LIMIT = 200
"""A backstop only: the run's own counters end it long before."""


def build_graph(
    desk: Desk, checkpoints: "BaseCheckpointSaver[Any]"
) -> "CompiledStateGraph[ReviewState, None, ReviewState, ReviewState]":
    """The compiled graph over one desk and one checkpoint store."""
    nodes = ReviewNodes(desk)
    graph = StateGraph(ReviewState)

    def add(name: str, node: Node) -> None:
        graph.add_node(name, node)  # pyright: ignore[reportUnknownMemberType]

    add("intake", nodes.step("intake", nodes.intake))
    add("facts_analyst", nodes.delegate("facts_analyst", nodes.analyse_facts))
    add("evidence_checker", nodes.delegate("evidence_checker", nodes.check_evidence))
    add("policy_researcher", nodes.delegate("policy_researcher", nodes.research))
    add("drafter", nodes.delegate("drafter", nodes.draft))
    add("verify", nodes.step("verify", nodes.verify))
    add("ask", ask)
    add("propose", nodes.step("propose", nodes.propose))
    add("gate", gate)
    add("act", nodes.step("act", nodes.act))
    add("record", nodes.step("record", nodes.record, closing=True))
    add("wrap", _wrap(desk.budgets))

    def route(state: ReviewState) -> str:
        return next_step(state, desk.budgets)

    graph.add_edge(START, "intake")
    for name in ("intake", "facts_analyst", "evidence_checker", "policy_researcher", "drafter", "verify", "ask"):
        graph.add_conditional_edges(name, route, [*ROUTED, "wrap"])
    graph.add_conditional_edges("propose", _after_propose, ["gate", "wrap"])
    graph.add_edge("gate", "act")
    graph.add_conditional_edges("act", _after_act, ["gate", "record", "wrap"])
    graph.add_edge("record", END)
    graph.add_edge("wrap", END)
    return graph.compile(checkpointer=checkpoints)  # pyright: ignore[reportUnknownMemberType]


def _after_propose(state: ReviewState) -> str:
    return "wrap" if state.get("stop") else "gate"


def _after_act(state: ReviewState) -> str:
    if state.get("effect_id") or state.get("declined"):
        return "record"
    return "wrap" if state.get("stop") else "gate"


def _wrap(budgets: Budgets) -> Any:
    async def wrap(state: ReviewState) -> ReviewUpdate:
        return {
            "status": "incomplete",
            "because": stopped(state, budgets),
            "trail": [*state.get("trail", []), "wrap"],
        }

    return wrap
