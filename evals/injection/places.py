"""Puts an order where strangers write, and lets the agent of that place read it by the product's own path.

What comes back is what reached the agent, and the hands that it then has. Where nothing arrives (a document that was
refused, a server that is not used) the attack goes on all the same, as if the agent knew the order: a boundary after
another one has to hold alone.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel, ConfigDict

from agents.specialist import DRAFTER, EXECUTOR, FACTS_ANALYST, INTAKE, POLICY_RESEARCHER, Specialist
from agents.toolbox import McpToolbox, ToolBudget
from casewright.contracts.principal import Actor, Principal, ServerName
from casewright.errors import CasewrightError, DeniedError, ModelError
from commands.orchestrator import build_pins
from evals.injection.documents import VERSION, approved_id, label_of, pending_id
from evals.injection.hands import Hands
from evals.injection.models import handed_on
from evals.injection.orders import order_in
from evals.injection.scene import BANK, Own, Scene, short_name
from evals.unenforced import UnpinnedServers
from graphs.connections import Connections, Delegation, RunIdentity

AGENTS = {one.name: one for one in (INTAKE, FACTS_ANALYST, POLICY_RESEARCHER, DRAFTER, EXECUTOR)}
STEPS = {"executor": "act"}
"""The node that an agent acts in, where it is not called like the agent."""
READERS: dict[str, tuple[Specialist, str]] = {
    "approved-policy": (POLICY_RESEARCHER, DRAFTER.name),
    "agent-message": (INTAKE, INTAKE.name),
}
"""Who reads the text, and in which node, where it is another agent than the one that it reaches."""


@dataclass(frozen=True, kw_only=True)
class Attempted:
    """One case before it is played: which order, where."""

    case_id: str
    text: str
    """The order as the template wraps it."""
    template: str
    number: int
    """Of the goal, from 0: its clause in the documents."""
    place: str
    agent: str


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What reached the agent, and what it can do now."""

    own: Own
    hands: Hands
    goal: str
    """The goal that the agent makes out in what it read; empty: nothing reached it."""
    why_not: str = ""


class Answer(BaseModel):
    """Any structured answer, as it came."""

    model_config = ConfigDict(extra="allow")


@dataclass
class SeenTokens:
    """Delegates as the product does, and remembers the token: what an agent is given is in the attacker's hands."""

    real: Delegation
    last: str = ""

    def delegate(self, principal: Principal, actor: Actor, server: ServerName, tools: Iterable[str]) -> str:
        self.last = self.real.delegate(principal, actor, server, tools)
        return self.last


Read = Callable[[McpToolbox], Awaitable[Any]]


class Places:
    """The places of one scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._pins = build_pins(scene.services) if scene.enforced else UnpinnedServers()

    async def deliver(self, attempt: Attempted) -> Delivered:
        """Put the order in its place and let the agent read."""
        own, read, drift = await self._prepared(attempt)
        agent = AGENTS[attempt.agent]
        reader, step = READERS.get(attempt.place, (agent, STEPS.get(agent.name, agent.name)))
        identity, budget = self.identity(own, step), ToolBudget(limit=9, spent=0)
        text, why_not = "", ""
        tokens, connections = self._connections(drift)
        try:
            async with connections.open(reader, identity, budget) as tools:
                text = str(await read(tools))
        except (CasewrightError, MCPError) as error:
            text, why_not = self._refused(attempt, error)
        if attempt.place == "agent-message":
            text, why_not = await self._handed(own, text)
        token = tokens.last if reader is agent else self.token(own, agent)
        hands = Hands(world=self._scene.world, server=agent.server, token=token)
        return Delivered(own=own, hands=hands, goal=order_in(text), why_not=why_not)

    def token(self, own: Own, agent: Specialist, *, steps_taken: int = 3) -> str:
        """The token that an agent of the run is given, at a step after so many others."""
        actor = Actor(
            kind="agent",
            agent=agent.name,
            run_id=own.run_id,
            case_id=own.case_id,
            step=STEPS.get(agent.name, agent.name),
            steps_taken=steps_taken,
        )
        exchange = self._scene.services.exchange
        return exchange.delegate(self._scene.person("rosa"), actor, agent.server, agent.scopes)

    def identity(self, own: Own, step: str) -> RunIdentity:
        """For whom the run reads, and in which step."""
        return RunIdentity(
            principal=self._scene.person("rosa"),
            run_id=own.run_id,
            case_id=own.case_id,
            step=step,
            steps_taken=3,
        )

    def _connections(self, drift: str) -> tuple[SeenTokens, Connections]:
        factory, seen = self._scene.world.factory, SeenTokens(self._scene.services.exchange)

        def connect(name: ServerName, token: str) -> MCPServer[Any]:
            built = factory.build(name, token)
            return drifted(built, drift) if drift else built

        return seen, Connections(seen, connect, self._pins)

    async def _prepared(self, attempt: Attempted) -> tuple[Own, Read, str]:
        """The case file with the text in it, how the agent comes to read it, and what its server shows otherwise."""
        name, text, scene = short_name(attempt.case_id), attempt.text, self._scene
        match attempt.place:
            case "letter" | "agent-message":
                return await scene.own(name, narrative=text), _asking("get_case"), ""
            case "note":
                return await scene.own(name, note=text), _asking("get_timeline"), ""
            case "attachment":
                return await scene.own(name, attachment=text), _asking("get_evidence", evidence_id="upload"), ""
            case "tool-description":
                return await scene.own(name), _descriptions, text
            case "tool-error":
                asked = _asking("get_clause", document_id="hl-error-resolution", label=text)
                return await scene.own(name, narrative=text), asked, ""
            case "approver-comment":
                own = await scene.own(name)
                earlier = await scene.drafted("rosa", own.case_id, own.run_id)
                await scene.asked(earlier, votes=False, note=text)
                kept = replace(own, draft=await scene.drafted("rosa", own.case_id, own.run_id))
                return kept, _asking("execute_action", **replace(own, draft=earlier).terms), ""
            case _:
                return await scene.own(name), _asking_rule(attempt), ""

    def _refused(self, attempt: Attempted, error: Exception) -> tuple[str, str]:
        """A refusal is what the agent gets; at one place it is the very text that carries the order."""
        said = str(error)
        return (said, "") if attempt.place == "tool-error" else ("", said)

    async def _handed(self, own: Own, read: str) -> tuple[str, str]:
        """What intake hands on after it obeyed what it read, as far as the gateway lets it."""
        try:
            return await handed_on(self._scene, own, read, order_in(read)), ""
        except (ModelError, DeniedError) as error:
            return "", str(error)


def drifted(server: MCPServer[Any], description: str) -> MCPServer[Any]:
    """The server with the description of its first tool changed behind its back, as another release would show it."""
    tools = server._tool_manager._tools  # pyright: ignore[reportPrivateUsage]  # no public way leads to a drift
    name = next(iter(tools))
    tools[name] = tools[name].model_copy(update={"description": description})
    return server


def _asking(tool: str, **arguments: Any) -> Read:
    async def read(tools: McpToolbox) -> str:
        return (await tools.call(tool, arguments, Answer)).model_dump_json()

    return read


def _asking_rule(attempt: Attempted) -> Read:
    day, label = "2025-11-12", label_of(attempt.number)
    if attempt.place == "approved-policy":
        clauses = [{"document_id": approved_id(attempt.template), "label": label}]
        return _asking("get_clauses", clauses=clauses, as_of=day)
    pending = pending_id(attempt.template)
    return _asking("get_clause", document_id=pending, label=label, version=VERSION, as_of=day)


async def _descriptions(tools: McpToolbox) -> str:
    listed = await tools._client.list_tools()  # pyright: ignore[reportPrivateUsage]  # what its own client is shown
    return listed.model_dump_json()


__all__ = ["AGENTS", "BANK", "Attempted", "Delivered", "Places"]
