"""Opens a specialist's tools: a delegated token for one server, then an MCP client with it.

The token names the user as subject, the agent as actor, the run and the case, lists those of the
agent's tools that the user may use and lives for minutes. Where the server runs is the connector's business.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from mcp.server.mcpserver import MCPServer

from agents.specialist import Specialist
from agents.toolbox import McpToolbox, ToolBudget, open_toolbox
from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.contracts.principal import Actor, Principal, ServerName
from casewright.definitions import DefinitionsLock, LockedServer, Shown, differences
from casewright.errors import UnavailableError

MOST_NAMED = 5
"""Differences that a refusal names."""
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


class Pins(Protocol):
    """Knows what each server shows in a reviewed state of this repository."""

    async def require(self, server: ServerName, shown: Sequence[Shown], identity: RunIdentity, *, agent: str) -> None:
        """Refuse a server that shows something else.

        Raises:
            UnavailableError: it names where they differ.
        """
        ...


class LockedPins:
    """The pinned definitions of a checkout; a server that differs is quarantined, which the audit has."""

    def __init__(self, lock: Callable[[], DefinitionsLock], audit: AuditLog) -> None:
        """`lock` is asked once, when the first server is met.

        A lock that cannot be read raises there, and no server is used.
        """
        self._read = lock
        self._lock: DefinitionsLock | None = None
        self._fitting: dict[ServerName, Sequence[Shown]] = {}
        """What each server showed when it was last compared and fitted."""
        self._audit = audit

    async def require(self, server: ServerName, shown: Sequence[Shown], identity: RunIdentity, *, agent: str) -> None:
        """Refuse a server that shows something else than what is pinned.

        Raises:
            UnavailableError: it names where they differ; audited.
            StorageError: there is no lock to compare with.
        """
        if self._lock is None:
            self._lock = self._read()
        if self._fitting.get(server) == shown:
            return
        found = differences(_tools_of(self._lock.server(server)), shown, whole=True)
        if not found:
            self._fitting[server] = shown
            return
        entry = AuditEntry(
            kind="server.quarantined",
            tenant=identity.principal.tenant,
            subject=identity.principal.id,
            agent=agent,
            run_id=identity.run_id,
            case_id=identity.case_id,
            body={"server": server, "step": identity.step, "differences": list(found[:MOST_NAMED])},
        )
        await self._audit.append(entry)
        raise UnavailableError(
            f"the server {server!r} is not used: it shows other definitions than the reviewed ones: "
            f"{'; '.join(found[:MOST_NAMED])}; restore it, or review its definitions and pin them with "
            "`casewright mcp definitions --write`"
        )


def _tools_of(pinned: LockedServer) -> LockedServer:
    """What the orchestrator uses of a server: its tools, under what it says of itself."""
    kept = tuple(each for each in pinned.entries if each.entry.startswith(("tool ", "instructions ")))
    return pinned.model_copy(update={"entries": kept})


class Connections:
    """Opens toolboxes for the specialists of a run."""

    def __init__(self, exchange: Delegation, connector: Connector, pins: Pins) -> None:
        self._exchange = exchange
        self._connector = connector
        self._pins = pins

    @asynccontextmanager
    async def open(
        self, specialist: Specialist, identity: RunIdentity, budget: ToolBudget
    ) -> AsyncGenerator[McpToolbox, None]:
        """The specialist's tools for the length of one node.

        Raises:
            UnavailableError: the server is not the one that was reviewed.
        """
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
        await self._pins.require(specialist.server, await shown_by(server), identity, agent=specialist.name)
        async with open_toolbox(server, budget) as tools:
            yield tools


async def shown_by(server: MCPServer[Any]) -> tuple[Shown, ...]:
    """What a server in this process has to show of itself and of all its tools, whoever may see how much of it.

    Not over the wire: there each agent is shown its own tools alone, and every one would be a decision.
    """
    about = {"title": server.title or "", "text": server.instructions or ""}
    said = Shown(kind="instructions", name=server.name, parts=about)
    tools = await MCPServer.list_tools(server)
    return (
        said,
        *(
            Shown(kind="tool", name=tool.name, parts=tool.model_dump(mode="json", by_alias=True, exclude_none=True))
            for tool in tools
        ),
    )
