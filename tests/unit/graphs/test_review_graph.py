"""The wiring of the review graph, read from the compiled graph itself."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from mcp.server.mcpserver import MCPServer

from casewright.audit.beside import Beside
from casewright.clock import ManualClock
from casewright.config import Budgets, app_root
from casewright.contracts.principal import Actor, Principal, ServerName
from casewright.contracts.question import RunQuestion
from casewright.definitions import Shown
from casewright.identity.local import sample_identities
from casewright.models.accounting import MemoryRecorder
from casewright.models.gateway import Gateway
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from graphs.budget import Recorded
from graphs.connections import Connections, RunIdentity
from graphs.desk import Desk
from graphs.review import RETURNING, ROUTED, ReviewGraphs
from tests.support.model_permission import offline_only

Edges = frozenset[tuple[str, str]]


class NoRecorder:
    """Nothing runs here, so nothing is recorded."""

    async def step(self, run_id: str, kind: str, body: dict[str, object], *, beside: Sequence[Beside] = ()) -> None:
        raise AssertionError("no node runs in these tests")


class NoWishes:
    """Nothing runs here, so nothing is wanted of it."""

    async def wanted(self, run_id: str) -> bool:
        raise AssertionError("no node runs in these tests")


class NoQuestions:
    """Nothing runs here, so nobody is asked."""

    async def ask(self, question: RunQuestion) -> RunQuestion:
        raise AssertionError("no node runs in these tests")

    async def get(self, tenant: str, question_id: str) -> RunQuestion:
        raise AssertionError("no node runs in these tests")


class NoSpending:
    """Nothing runs here, so nothing is spent."""

    async def of_run(self, tenant: str, run_id: str) -> Recorded:
        raise AssertionError("no node runs in these tests")


class NoDelegation:
    """No node runs here, so nobody is given a token."""

    def delegate(self, principal: Principal, actor: Actor, server: ServerName, tools: Iterable[str]) -> str:
        raise AssertionError("no node runs in these tests")


class NoPins:
    """No server is connected to here."""

    async def require(self, server: ServerName, shown: Sequence[Shown], identity: RunIdentity, *, agent: str) -> None:
        raise AssertionError("no node runs in these tests")


def no_server(server: ServerName, token: str) -> MCPServer[Any]:
    raise AssertionError("no node runs in these tests")


@pytest.fixture(scope="module")
def edges() -> Edges:
    """Every edge of the compiled graph, conditional ones included."""
    clock = ManualClock(1)
    desk = Desk(
        connections=Connections(NoDelegation(), no_server, NoPins()),
        gateway=Gateway(
            [OfflineProvider()],
            PromptLibrary(app_root() / "agents" / "prompts"),
            MemoryRecorder(),
            permission=offline_only(),
        ),
        recorder=NoRecorder(),
        wishes=NoWishes(),
        questions=NoQuestions(),
        spending=NoSpending(),
        people=sample_identities(),
        budgets=Budgets(),
        clock=clock,
    )
    graph = ReviewGraphs(desk).over(InMemorySaver(), run_id="run-1").get_graph()
    return frozenset((edge.source, edge.target) for edge in graph.edges)


def sources(edges: Edges, target: str) -> set[str]:
    return {source for source, found in edges if found == target}


def reachable(edges: Edges, start: str, *, without: Iterable[str] = ()) -> set[str]:
    """Every node that a path from `start` comes to, walking through none of `without`."""
    closed, seen, waiting = set(without), {start}, [start]
    while waiting:
        at = waiting.pop()
        for source, target in edges:
            if source == at and target not in seen | closed:
                seen.add(target)
                waiting.append(target)
    return seen


@pytest.mark.proves("C3", "E1")
def test_no_path_reaches_act_but_through_propose_and_the_gate(edges: Edges) -> None:
    assert sources(edges, "act") == {"gate"}
    assert sources(edges, "gate") == {"propose", "act"}
    assert sources(edges, "propose") == {"__start__", *RETURNING}
    assert "act" in reachable(edges, "__start__")
    assert "act" not in reachable(edges, "__start__", without=["gate"])
    assert "gate" not in reachable(edges, "__start__", without=["propose"])


@pytest.mark.parametrize("source", ["verify", "intake", "ask", "heed", "inquire", "propose", "__start__"])
def test_the_search_for_paths_would_find_a_way_around_the_gate(edges: Edges, source: str) -> None:
    assert "act" in reachable(edges | {(source, "act")}, "__start__", without=["gate"])


@pytest.mark.proves("E1")
def test_every_node_is_reached_and_ends_only_in_record_or_wrap(edges: Edges) -> None:
    nodes = {node for edge in edges for node in edge}
    assert reachable(edges, "__start__") == nodes
    assert sources(edges, "__end__") == {"record", "wrap"}
    for node in nodes:
        assert "__end__" in reachable(edges, node)


@pytest.mark.proves("E1")
def test_the_router_alone_begins_a_run_and_connects_the_specialists(edges: Edges) -> None:
    for source in ("__start__", *RETURNING):
        assert {target for found, target in edges if found == source} == set(ROUTED)
    assert "act" not in ROUTED
    assert "gate" not in ROUTED


@pytest.mark.proves("E1", "E6")
def test_a_person_is_asked_only_after_the_question_is_written_and_heeded_only_after_the_wait(edges: Edges) -> None:
    assert sources(edges, "ask_person") == {"inquire"}
    assert sources(edges, "heed") == {"ask_person"}
    assert {target for source, target in edges if source == "inquire"} == {"ask_person", "wrap"}
    assert "heed" not in reachable(edges, "__start__", without=["ask_person"])
