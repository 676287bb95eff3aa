"""One installation of the sample organisation, made once per session and copied for each test that needs it.

`World` is what a test drives: the services over a copy, a clock that stands still, tokens for
anybody, and MCP clients in memory. Nothing here is a double: stores, policies and servers are real.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client
from mcp_types import CallToolResult

from casewright.access.embedded import EmbeddedEngine
from casewright.clock import ManualClock
from casewright.config import Settings
from casewright.contracts.event import AuditEvent
from casewright.contracts.principal import Actor, ServerName
from casewright.identity.tokens import Grant
from casewright.services import Services
from commands.review_requests import ReviewRequests
from servers.build import ServerFactory

CHECKOUT = Path(__file__).resolve().parent.parent.parent
POLICIES = CHECKOUT / "policies"
NOW_NS = 1_794_000_000_000_000_000
"""A day in November 2026, after every sample case was received."""
RUN = "run-1"
CASE = "HL-2026-0001"
SEALED_CASE = "HL-2026-0007"
Mode = Literal["auto", "legacy"]
MODES: tuple[Mode, ...] = ("auto", "legacy")


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """For whom a token is, and on what; the defaults are the reviewer rosa on her case."""

    identity: str = "rosa"
    case_id: str = CASE
    agent: str = ""
    run_id: str = RUN
    scopes: tuple[str, ...] = ("*",)
    seconds: int = 600
    step: str = ""
    """Of an agent: the node it acts in; empty: the one it has for its first scope."""

    @property
    def node(self) -> str:
        """Where the agent acts; a person acts in no node."""
        if self.step or not self.agent:
            return self.step
        nodes = {"verifier": "verify", "executor": "act" if self.scopes[0] == "execute_action" else "propose"}
        return nodes.get(self.agent, self.agent)


ROSA = Bearer()


class World:
    """Services over one data folder, and clients of its servers."""

    def __init__(self, home: Path, policies: Path) -> None:
        self.home = home
        self.policies = policies
        self.clock = ManualClock(NOW_NS)
        self.services = Services(Settings(home=home, policies=policies), clock=self.clock)
        self.factory = ServerFactory(self.services, reviews=ReviewRequests(self.services))

    def token(self, server: ServerName, bearer: Bearer = ROSA) -> str:
        """A token as the installation itself would mint it."""
        kind: Literal["user", "agent"] = "agent" if bearer.agent else "user"
        actor = Actor(kind=kind, agent=bearer.agent, run_id=bearer.run_id, case_id=bearer.case_id, step=bearer.node)
        principal = self.services.identities.find(bearer.identity)
        grant = Grant(principal=principal, actor=actor, server=server, scopes=bearer.scopes, seconds=bearer.seconds)
        return self.services.tokens.mint(grant)

    def client(self, server: ServerName, bearer: Bearer = ROSA, *, mode: Mode = "auto") -> Client:
        """A client of a server in this process, not yet open."""
        return self.client_with(server, self.token(server, bearer), mode=mode)

    def client_with(self, server: ServerName, token: str, *, mode: Mode = "auto") -> Client:
        """A client whose token is any text."""
        return Client(self.factory.build(server, token), mode=mode, read_timeout_seconds=60)

    async def call(
        self, server: ServerName, tool: str, arguments: dict[str, Any] | None = None, *, bearer: Bearer = ROSA
    ) -> CallToolResult:
        """One call over a client of its own."""
        async with self.client(server, bearer) as client:
            return await client.call_tool(tool, arguments or {})

    async def events(self, *, run_id: str = RUN, tenant: str = "harborline") -> tuple[AuditEvent, ...]:
        """The audit of one run; an empty tenant gives what nobody could be found for."""
        return await self.services.audit.events(tenant=tenant, run_id=run_id)

    async def effects(self, case_id: str = CASE, *, tenant: str = "harborline") -> list[str]:
        """What the case's own record says was done on it."""
        stored = await self.services.cases.load(tenant, case_id)
        assert stored is not None
        return [event.what for event in stored.case.timeline if event.source == "recorded effect"]


def said(result: CallToolResult) -> str:
    """The text of a result."""
    return " ".join(block.text for block in result.content if block.type == "text")


def structured(result: CallToolResult) -> dict[str, Any]:
    """The structured result of a call that must have succeeded."""
    assert not result.is_error, said(result)
    assert result.structured_content is not None
    return result.structured_content


def process_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a process over an installation, whatever the tests themselves run with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CASEWRIGHT_")}
    return kept | {"CASEWRIGHT_HOME": str(home), "PYTHONPATH": str(CHECKOUT), **more}


def interruptible() -> None:
    """Let a child that is starting be ended by Ctrl-C: what a shell runs in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@asynccontextmanager
async def opened(home: Path, policies: Path = POLICIES) -> AsyncGenerator[World]:
    """A world over a folder that is there already."""
    found = World(home, policies)
    try:
        yield found
    finally:
        await found.services.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as `casewright init` leaves it; copy it before you write to it."""
    home = tmp_path_factory.mktemp("installation") / "home"
    command = [sys.executable, "-m", "casewright.launch", "init", "--home", str(home), "--json"]
    done = subprocess.run(
        command, env=process_environment(home), cwd=CHECKOUT, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    EmbeddedEngine.load(POLICIES, cache=home / "vetted-policies")
    return home


@pytest.fixture
def home(installation: Path, tmp_path: Path) -> Path:
    """A copy of the installation that this test may change."""
    return Path(shutil.copytree(installation, tmp_path / "home"))


@pytest.fixture
async def world(home: Path) -> AsyncGenerator[World]:
    """A world over this test's own copy, with the shipped policies."""
    async with opened(home) as found:
        yield found


@pytest.fixture
def own_policies(tmp_path: Path) -> Iterator[Path]:
    """A copy of the policies that this test may change."""
    yield Path(shutil.copytree(POLICIES, tmp_path / "policies"))
