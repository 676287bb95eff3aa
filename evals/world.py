"""The real parts that suites try their cases on: an installation of their own, its servers in memory, whole reviews.

Stores, policies, servers, gate and graph are those of the product; only the clock may stand still and the model may be
scripted. What enforces is never taken away here; see `evals.unenforced` for the positive controls.
"""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mcp import Client

from casewright.clock import Clock, ManualClock
from casewright.config import Budgets, Settings, app_root, process_environment
from casewright.contracts.principal import Actor, Principal, ServerName
from casewright.identity.tokens import Grant
from casewright.services import Services

if TYPE_CHECKING:
    from mcp_types import CallToolResult

    from casewright.models.gateway import Gateway
    from casewright.models.provider import Provider
    from graphs.records import RunRecords
    from graphs.runner import ReviewRunner

NOW_NS = 1_794_000_000_000_000_000
"""A day in November 2026, after every sample case was received; where a clock stands still, it stands here."""
POLICIES = Path(process_environment().get("CASEWRIGHT_POLICIES") or app_root() / "policies").resolve()
"""Those that the installation at hand uses: what is evaluated is what a release would pin."""


def copied(installation: Path, home: Path) -> Path:
    """A copy of a data folder, to work in."""
    return Path(shutil.copytree(installation, home, dirs_exist_ok=True))


@dataclass(frozen=True, kw_only=True)
class Caller:
    """For whom a token is, and on what; the defaults are the reviewer rosa as a person, on her case."""

    identity: str = "rosa"
    case_id: str = "HL-2026-0001"
    agent: str = ""
    run_id: str = "run-eval"
    scopes: tuple[str, ...] = ("*",)
    seconds: int = 600
    step: str = ""
    """Of an agent: the node it acts in."""


class ServerWorld:
    """Services over one data folder and clients of its servers, in this process."""

    def __init__(self, services: Services) -> None:
        from commands.review_requests import ReviewRequests
        from servers.build import ServerFactory

        self.services = services
        self.factory: ServerFactory = ServerFactory(services, reviews=ReviewRequests(services))

    def token(self, server: ServerName, caller: Caller) -> str:
        """A token as the installation itself would mint it."""
        kind: Literal["user", "agent"] = "agent" if caller.agent else "user"
        actor = Actor(kind=kind, agent=caller.agent, run_id=caller.run_id, case_id=caller.case_id, step=caller.step)
        principal = self.services.identities.find(caller.identity)
        grant = Grant(principal=principal, actor=actor, server=server, scopes=caller.scopes, seconds=caller.seconds)
        return self.services.tokens.mint(grant)

    def client(self, server: ServerName, token: str) -> Client:
        """A client of a server with any token, not yet open."""
        return Client(self.factory.build(server, token), read_timeout_seconds=20)

    async def call(self, server: ServerName, tool: str, arguments: dict[str, Any], caller: Caller) -> "CallToolResult":
        """One call over a client of its own."""
        async with self.client(server, self.token(server, caller)) as client:
            return await client.call_tool(tool, arguments)

    async def effects(self, tenant: str, case_id: str) -> tuple[str, ...]:
        """What the case's own record says was done on it; this is what counts as executed."""
        stored = await self.services.cases.load(tenant, case_id)
        if stored is None:
            return ()
        return tuple(event.what for event in stored.case.timeline if event.source == "recorded effect")


@asynccontextmanager
async def opened_servers(
    home: Path, *, policies: Path = POLICIES, clock: Clock | None = None
) -> AsyncGenerator[ServerWorld, None]:
    """Servers over a data folder of their own, at a clock that stands still unless one is given."""
    services = Services(Settings(home=home, policies=policies), clock=clock or ManualClock(NOW_NS))
    try:
        yield ServerWorld(services)
    finally:
        await services.close()


@dataclass(frozen=True, kw_only=True)
class ReviewWorld:
    """What drives whole reviews over a data folder, as one process of the product would."""

    services: Services
    gateway: "Gateway"
    runner: "ReviewRunner"
    records: "RunRecords"

    def person(self, identity: str) -> Principal:
        """A local identity.

        Raises:
            InputError: there is none of this name.
        """
        return self.services.identities.find(identity)


@asynccontextmanager
async def opened_reviews(
    home: Path,
    *,
    policies: Path = POLICIES,
    budgets: Budgets | None = None,
    provider: "Provider | None" = None,
    clock: Clock | None = None,
) -> AsyncGenerator[ReviewWorld, None]:
    """Reviews over a data folder; with `provider`, a gateway that asks nobody else."""
    from commands.orchestrator import build_gateway, build_records, build_runner

    services = Services(Settings(home=home, policies=policies, budgets=budgets or Budgets()), clock)
    gateway = build_gateway(services) if provider is None else gateway_over(services, provider)
    try:
        async with gateway:
            yield ReviewWorld(
                services=services,
                gateway=gateway,
                runner=build_runner(services, gateway),
                records=build_records(services),
            )
    finally:
        await services.close()


def gateway_over(services: Services, provider: "Provider") -> "Gateway":
    """A gateway that asks nobody but `provider`, and records as always."""
    from casewright.models.gateway import Gateway
    from casewright.models.prompts import PromptLibrary
    from commands.orchestrator import AuditRecorder, build_permission

    prompts = PromptLibrary(app_root() / "agents" / "prompts")
    return Gateway([provider], prompts, AuditRecorder(services), permission=build_permission(services))
