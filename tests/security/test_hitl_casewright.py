"""The human-in-the-loop probes against our own reviews: real servers, policies, ledger, outbox and checkpoints."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command
from sqlalchemy import select

from casewright.contracts.approval import ActionCall, Receipt
from casewright.contracts.principal import Caller
from casewright.contracts.run import RunReport
from casewright.effects.outbox import Outbox
from casewright.errors import CasewrightError, StorageError
from casewright.storage.tables import outbox
from commands.orchestrator import build_desk
from graphs.checkpoint import held_checkpoints
from graphs.lease import leased
from graphs.review import ReviewGraphs
from graphs.seals import Seals
from tests.hitl_conformance.subject import Effect, Factory, Refused, Shown
from tests.integration.graphs.reviews import World, changed, copied, opened, reviewer_of, sample_cases

pytestmark = pytest.mark.thorough

CASE = "HL-2026-0012"
"""A final credit that one supervisor approves."""
TENANT = "harborline"


class BrokenOnce(Outbox):
    """Executes as ever; the first time the process dies right afterwards."""

    broken = False

    async def execute(self, call: ActionCall, *, caller: Caller) -> Receipt:
        receipt = await super().execute(call, caller=caller)
        if not self.broken:
            self.broken = True
            raise StorageError("the process died here")
        return receipt


class CasewrightSubject:
    """Reviews of one case; each start is a run of its own."""

    requester = reviewer_of(CASE)
    approvers = ("selma", "idris")
    stranger = "avery"

    def __init__(self, home: Path) -> None:
        self._home = home
        self._open = AsyncExitStack()
        self._world: World
        self._reports: dict[str, RunReport] = {}

    async def restart(self) -> None:
        """Another process's view of the same folder."""
        await self._open.aclose()
        self._world = await self._open.enter_async_context(opened(self._home))

    async def close(self) -> None:
        await self._open.aclose()

    async def start(self) -> str:
        report = await self._world.start(CASE, fresh=True)
        self._reports[report.run_id] = report
        return report.run_id

    async def shown(self, run: str) -> Shown | None:
        approval_id = await self._waits_for(run)
        if approval_id is None:
            return None
        approval = await self._world.services.approvals.get(TENANT, approval_id)
        return Shown(key=approval_id, arguments=approval.call.arguments)

    async def decide(self, run: str, key: str, *, approve: bool, by: str) -> None:
        voter = self._world.person(by)
        await self._let(self._world.services.approvals.vote(key, voter=voter, approve=approve, note=""))

    async def wake(self, run: str, value: object = None) -> None:
        if value is not None:
            await self._resume_with(run, value)
        await self._let(self._world.resume(self._reports[run]))

    async def again(self, run: str) -> None:
        await self._let(self._world.start(CASE))

    async def drift(self, run: str) -> None:
        del run  # the case is what all its runs look at
        more = [item | {"amount_minor": 999_900} for item in sample_cases()[CASE]["transactions"]]
        await self._world.add(changed(CASE, transactions=more))

    async def force(self, run: str, node: str) -> None:
        async with self._graph(run) as graph:
            update: dict[str, Any] = {"trail": [node], "status": "completed"}
            await graph.aupdate_state(_config(run), update, as_node=node)
            await graph.ainvoke(None, _config(run), durability="sync")

    async def break_after_effect(self) -> None:
        services = self._world.services
        sink = services.outbox._sink  # pyright: ignore[reportPrivateUsage]
        broken = BrokenOnce(services.database, services.approvals, services.audit, services.clock, sink)
        vars(services)["outbox"] = broken  # where the lazily made one is kept

    async def effects(self) -> list[Effect]:
        async with self._world.services.database.read() as connection:
            rows = (await connection.execute(select(outbox.c.run_id, outbox.c.call, outbox.c.state))).all()
        done = [row for row in rows if row.state == "done"]
        assert len(await self._world.effects(CASE)) == len(done), "the case's own timeline tells of every effect"
        return [Effect(run=row.run_id, arguments=json.loads(row.call)["arguments"]) for row in done]

    async def _waits_for(self, run: str) -> str | None:
        row = await self._world.records.get(TENANT, run)
        waits = row.report.pending if row.report else ()
        return waits[0].approval_id if waits and waits[0].state == "pending" else None

    async def _resume_with(self, run: str, value: object) -> None:
        """What a process could try that holds the library, the folder and even the run's lease."""
        async with self._graph(run) as graph:
            snapshot = await graph.aget_state(_config(run))
            if snapshot.interrupts:
                resume = Command(resume={snapshot.interrupts[0].id: value})
                await graph.ainvoke(resume, _config(run), durability="sync")

    @asynccontextmanager
    async def _graph(self, run: str) -> AsyncGenerator[Any]:
        settings = self._world.services.settings
        desk = build_desk(self._world.services, self._world.gateway)
        clock, seals = self._world.services.clock, Seals.of(self._world.services.signing_key)
        async with (
            leased(settings.checkpoints, settings.home / "locks", run, clock) as lease,
            held_checkpoints(settings.checkpoints, lease, seals) as checkpoints,
        ):
            yield ReviewGraphs(desk).over(checkpoints, run_id=run)

    async def _let(self, work: Any) -> None:
        try:
            await work
        except StorageError:
            raise
        except CasewrightError as error:
            raise Refused(str(error)) from error


def subjects(installation: Path, tmp_path: Path) -> Factory:
    """Opens a subject over a copy of the installation."""

    @asynccontextmanager
    async def opened_subject() -> AsyncGenerator[CasewrightSubject]:
        subject = CasewrightSubject(copied(installation, tmp_path / f"home-{time.monotonic_ns()}"))
        await subject.restart()
        try:
            yield subject
        finally:
            await subject.close()

    def factory() -> AbstractAsyncContextManager[CasewrightSubject]:
        return opened_subject()

    return factory


@pytest.mark.proves("E3", "C3", "C4", "D5")
def test_our_gate_holds(hitl_probe: Callable[[Factory], None], installation: Path, tmp_path: Path) -> None:
    hitl_probe(subjects(installation, tmp_path))


@pytest.mark.proves("E3")
def test_a_decision_that_is_never_asked_for_would_be_noticed(installation: Path, tmp_path: Path) -> None:
    """A control: the adapter shows effects, so that a gate that lets everything through would fail."""

    async def approved() -> list[Effect]:
        async with subjects(installation, tmp_path)() as subject:
            run = await subject.start()
            shown = await subject.shown(run)
            assert shown is not None
            await subject.decide(run, shown.key, approve=True, by=subject.approvers[0])
            await subject.wake(run)
            return await subject.effects()

    (effect,) = asyncio.run(approved())
    assert effect.arguments["action"] == "issue_final_credit"


def _config(run: str) -> Any:
    return {"configurable": {"thread_id": run}, "recursion_limit": 50}
