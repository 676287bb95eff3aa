"""Opens a specialist's tools: a delegated token for one server, then an MCP client with it.

The token names the user as subject, the agent as actor, the run and the case, lists those of the
agent's tools that the user may use and lives for minutes. Where the server runs is the connector's business.
"""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from mcp.server.mcpserver import MCPServer

from agents.specialist import Specialist
from agents.toolbox import McpToolbox, ToolBudget, open_toolbox
from casewright.contracts.principal import Actor, Principal, ServerName

Connector = Callable[[ServerName, str], MCPServer[Any]]
"""Gives the server that answers with this token; in process by default."""


class Delegation(Protocol):
    """Gives an agent a token of its own; never the person's. See `casewright.identity.exchange`."""

    def delegate(self, principal: Principal, actor: Actor, server: ServerName, tools: Iterable[str]) -> str: ...


@dataclass(frozen=True, kw_only=True)
class RunIdentity:
    """For whom a run acts, and on what."""

    principal: Principal
    run_id: str
    case_id: str
    step: str
    """The node that acts."""
    steps_taken: int
    """Steps of the run before this one."""


class Connections:
    """Opens toolboxes for the specialists of a run."""

    def __init__(self, exchange: Delegation, connector: Connector) -> None:
        self._exchange = exchange
        self._connector = connector

    @asynccontextmanager
    async def open(
        self, specialist: Specialist, identity: RunIdentity, budget: ToolBudget
    ) -> AsyncGenerator[McpToolbox, None]:
        """The specialist's tools for the length of one node."""
        actor = Actor(
            kind="agent",
            agent=specialist.name,
            run_id=identity.run_id,
            case_id=identity.case_id,
            step=identity.step,
            steps_taken=identity.steps_taken,
        )
        token = self._exchange.delegate(identity.principal, actor, specialist.server, specialist.scopes)
        server = self._connector(specialist.server, token)
        async with open_toolbox(server, budget) as tools:
            yield tools
