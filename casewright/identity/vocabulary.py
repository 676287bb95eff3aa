"""What there is to be allowed: roles, tools by server and verb, and the agents' tools.

Read from the reviewed policy data, so that identity, exchange and policy use one list. It grants
nothing: it only makes tokens narrower than what they ask for. Called by the claims mapping and by
the token exchange.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from casewright.errors import PolicyError

READING = frozenset({"list", "read", "search", "check"})
ANY_TOOL = "*"
"""The scope of a person who may call whatever the policy allows."""


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The names of the policies in force."""

    roles: frozenset[str]
    tools: dict[str, dict[str, str]]
    """Verb by server and tool."""
    agents: dict[str, frozenset[str]]
    """Tools as `server/tool` by agent."""

    def tools_of(self, server: str) -> tuple[str, ...]:
        """Every tool of a server, sorted."""
        return tuple(sorted(self.tools.get(server, {})))

    def agent_tools(self, agent: str, server: str) -> frozenset[str]:
        """What an agent may ever call there; an unknown agent nothing."""
        named = (name.partition("/") for name in self.agents.get(agent, frozenset()))
        return frozenset(tool for place, _, tool in named if place == server)

    def scope_names(self, server: str) -> tuple[str, ...]:
        """The scopes a client may ask for at this server."""
        return (f"{server}:read", f"{server}:write", *self.tools_of(server))

    def tools_named(self, scope: str, server: str) -> tuple[str, ...]:
        """The tools that one scope opens at a server; none for a scope that is not ours."""
        verbs = self.tools.get(server, {})
        if scope == f"{server}:read":
            return tuple(name for name, verb in verbs.items() if verb in READING)
        if scope == f"{server}:write":
            return tuple(name for name, verb in verbs.items() if verb not in READING)
        return (scope,) if scope in verbs else ()


class VocabularyFile:
    """The vocabulary of a policy folder; read again when the file changes, the last good one kept meanwhile."""

    def __init__(self, policies: Path | Callable[[], Path]) -> None:
        """Name the folder, or what says anew which folder it is."""
        self._policies = policies
        self._lock = threading.Lock()
        self._stamp: tuple[Path, int, int] | None = None
        self._kept: Vocabulary | None = None

    def current(self) -> Vocabulary:
        """The names in force.

        Raises:
            PolicyError: they cannot be read and never could.
        """
        folder = self._policies if isinstance(self._policies, Path) else self._policies()
        path = folder / "data" / "access" / "data.json"
        with self._lock:
            try:
                found = path.stat()
                stamp = (path, found.st_mtime_ns, found.st_size)
                if self._kept is None or stamp != self._stamp:
                    self._kept, self._stamp = _read(path), stamp
            except (OSError, ValueError) as error:
                if self._kept is None:
                    raise PolicyError(f"{str(path)!r} cannot be read: {error}; `casewright policy check`") from error
            return self._kept


class _Tool(BaseModel):
    model_config = ConfigDict(frozen=True)
    verb: str


class _Agent(BaseModel):
    model_config = ConfigDict(frozen=True)
    tools: frozenset[str]


class _Data(BaseModel):
    """The parts of the access data that count here; the policies' own schema checks the rest."""

    model_config = ConfigDict(frozen=True)
    roles: dict[str, Any]
    tools: dict[str, dict[str, _Tool]]
    agents: dict[str, _Agent]


def _read(path: Path) -> Vocabulary:
    try:
        data = _Data.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(f"{error.error_count()} problem(s), the first: {error.errors()[0]['msg']}") from error
    return Vocabulary(
        roles=frozenset(data.roles),
        tools={server: {name: tool.verb for name, tool in tools.items()} for server, tools in data.tools.items()},
        agents={name: agent.tools for name, agent in data.agents.items()},
    )
