"""Rules change while fifty clients call: nobody's call fails, and nobody gets more than the rules in force give.

The servers are the real ones, in memory; the edits are writes to the policy folder, as an author
makes them. A call that begins and ends while one set of rules is in force must go exactly by it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mcp import Client
from mcp_types import CallToolResult

from casewright.access.bundle import read_bundle
from servers.guard import HIDDEN
from tests.support.installation import Bearer, World, opened, said

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]
CLIENTS = 50
CALLS_A_PHASE = 100
PHASE_SECONDS = 60.0
RULE = Path("casewright", "access", "closing.rego")
CLOSING = """package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Closed
# description: Reading cases is closed for a moment
deny contains {"code": "closed", "message": "closed for a moment"} if input.tool.name == "get_case"
"""
OPEN = CLOSING.replace('"get_case"', '"no_such_tool"')
BROKEN = CLOSING.replace("if input", "if { input")
FORBIDDEN = CLOSING.replace('input.tool.name == "get_case"', "http.send({})")


@dataclass(kw_only=True)
class Traffic:
    """What the clients see, by the phase in which a call began and ended."""

    phase: int = 0
    """Odd while an edit is under way: then both answers are right."""
    allowed: dict[int, int] = field(default_factory=dict[int, int])
    denied: dict[int, int] = field(default_factory=dict[int, int])
    failed: list[str] = field(default_factory=list[str])
    over: bool = False
    noted: asyncio.Event = field(default_factory=asyncio.Event)

    async def call_on(self, client: Client) -> None:
        while not self.over:
            began = self.phase
            result = await client.call_tool("get_case", {})
            self._note(result, began if began == self.phase else -1)

    def _note(self, result: CallToolResult, phase: int) -> None:
        if not result.is_error:
            self.allowed[phase] = self.allowed.get(phase, 0) + 1
        elif HIDDEN in said(result):
            self.denied[phase] = self.denied.get(phase, 0) + 1
        else:
            self.failed.append(said(result))

        self.noted.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for something that only calls bring about."""
        async with asyncio.timeout(PHASE_SECONDS):
            while not reached():
                self.noted.clear()
                await self.noted.wait()

    def seen(self, phase: int) -> int:
        return self.allowed.get(phase, 0) + self.denied.get(phase, 0)


@asynccontextmanager
async def clients_calling(world: World, traffic: Traffic) -> AsyncGenerator[None]:
    """Fifty clients, each in a run of its own, that call until the block ends."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(world.client("case-facts", Bearer(run_id=f"run-{number}")))
            for number in range(CLIENTS)
        ]
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(traffic.call_on(client))
            try:
                yield
            finally:
                traffic.over = True


async def phase_of(world: World, traffic: Traffic, *, text: str, takes_effect: bool) -> int:
    """Edit the rule, wait until it is in force or refused, and let the clients call for a while."""
    engine, path = world.services.engine, world.policies / RULE
    traffic.phase += 1
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").replace(path)
    wanted = read_bundle(world.policies).revision
    if takes_effect:
        await traffic.until(lambda: engine.revision == wanted)
    else:
        await traffic.until(lambda: engine.last_error is not None)
    traffic.phase += 1
    await traffic.until(lambda: traffic.seen(traffic.phase) >= CALLS_A_PHASE)
    return traffic.phase


@pytest.mark.proves("D7")
async def test_rules_change_under_fifty_clients_without_a_failed_or_a_wrongly_allowed_call(
    home: Path, own_policies: Path
) -> None:
    (own_policies / RULE).write_text(OPEN)
    traffic = Traffic()
    async with opened(home, own_policies) as world:
        async with clients_calling(world, traffic):
            opening = await phase_of(world, traffic, text=OPEN + "\n", takes_effect=True)
            closed = await phase_of(world, traffic, text=CLOSING, takes_effect=True)
            broken = await phase_of(world, traffic, text=BROKEN, takes_effect=False)
            reopened = await phase_of(world, traffic, text=OPEN, takes_effect=True)
            forbidden = await phase_of(world, traffic, text=FORBIDDEN, takes_effect=False)
            again = await phase_of(world, traffic, text=CLOSING, takes_effect=True)
        assert traffic.failed == []
        for phase in (closed, broken, again):
            assert traffic.allowed.get(phase, 0) == 0, "a closed phase allowed a call"
            assert traffic.denied[phase] >= CALLS_A_PHASE
        for phase in (opening, reopened, forbidden):
            assert traffic.denied.get(phase, 0) == 0, "an open phase denied a call"
            assert traffic.allowed[phase] >= CALLS_A_PHASE
        assert world.services.engine.last_error is None
        audited = await world.services.audit.verify()
        assert audited.ok
