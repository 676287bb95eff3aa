"""Opens a specialist's tools: a delegated token for one server, then an MCP client with it.

The token names the user as subject, the agent as actor, the run and the case, lists the
agent's tools and lives for minutes. Where the server runs is the connector's business.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver import MCPServer

from agents.specialist import Specialist
from agents.toolbox import McpToolbox, ToolBudget, open_toolbox
from casewright.contracts.principal import Actor, Principal, ServerName
from casewright.identity.tokens import Grant, TokenAuthority

Connector = Callable[[ServerName, str], MCPServer[Any]]
"""Gives the server that answers with this token; in process by default."""


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

    def __init__(self, tokens: TokenAuthority, connector: Connector) -> None:
        self._tokens = tokens
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
        grant = Grant(principal=identity.principal, actor=actor, server=specialist.server, scopes=specialist.scopes)
        server = self._connector(specialist.server, self._tokens.mint(grant))
        async with open_toolbox(server, budget) as tools:
            yield tools
