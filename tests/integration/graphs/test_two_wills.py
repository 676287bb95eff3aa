"""What is wanted of a run while it is driven, and who may still record of it after somebody else took it over."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.beside import Beside
from casewright.clock import NANOSECONDS
from casewright.config import Budgets
from casewright.contracts.run import RunReport
from casewright.errors import CasewrightError, ConflictError
from casewright.storage.replay_tables import tool_recordings
from casewright.storage.run_tables import run_events, runs
from commands.orchestrator import build_desk
from graphs.attempts import MAX_ATTEMPTS
from graphs.closing import report_from_records
from graphs.desk import StepRecorder
from graphs.lease import LEASE_SECONDS
from graphs.records import RunRecords, RunRow
from graphs.requests import RunRequests
from graphs.runner import ReviewRunner
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, opened

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]
Waiting = tuple[Path, RunReport]
Meanwhile = Callable[[], Awaitable[object]]


class Interrupted:
    """Records as before, and lets something happen before or after one event of the run."""

    def __init__(self, records: StepRecorder, event: tuple[str, str], *, before: Meanwhile, after: Meanwhile) -> None:
        self._records, self._event = records, event
        self._before, self._after = before, after

    async def step(self, run_id: str, kind: str, body: dict[str, object], *, beside: Sequence[Beside] = ()) -> None:
        meant = self._event in ((kind, ""), (kind, body.get("node")))
        if meant:
            await self._before()
        await self._records.step(run_id, kind, body, beside=beside)
        if meant:
            await self._after()


async def nothing() -> None:
    """Nothing happens."""


def driver(
    world: World, event: tuple[str, str], *, before: Meanwhile = nothing, after: Meanwhile = nothing
) -> ReviewRunner:
    """A runner in whose steps something happens."""
    desk = build_desk(world.services, world.gateway)
    recorder = Interrupted(desk.recorder, event, before=before, after=after)
    return ReviewRunner(world.services, replace(desk, recorder=recorder), world.records)


def asking(world: World) -> RunRequests:
    return RunRequests(world.services, world.records, world.services.questions)


@pytest.mark.proves("E5")
@pytest.mark.parametrize(("wish", "status"), [("cancel", "cancelled"), ("pause", "paused")])
async def test_what_is_wanted_within_a_step_is_obeyed_before_the_next_one_does_anything(
    home: Path, wish: Literal["cancel", "pause"], status: str
) -> None:
    async with opened(home) as world, opened(home) as elsewhere:
        people, tomas = asking(elsewhere), world.person("tomas")
        row = await people.start(tomas, CREDIT_CASE)

        async def want() -> None:
            await getattr(people, wish)(tomas, row.run_id, why="")

        report = await driver(world, ("step", "evidence_checker"), after=want).resume(row.tenant, row.run_id)
        assert report.status == status
        assert report.steps == ("intake", "facts_analyst", "evidence_checker")
        events = await world.records.events(row.run_id)
        assert [event.body["node"] for event in events if event.kind == "step"] == list(report.steps)
        assert events[-1].kind == "status", "nothing was begun after it"


@pytest.mark.proves("E5", "E2")
async def test_what_is_wanted_within_the_last_step_that_the_budget_allows_is_obeyed_before_the_run_ends_by_it(
    home: Path,
) -> None:
    budgets = Budgets(steps=3)
    async with opened(home, budgets=budgets) as world, opened(home) as elsewhere:
        people, tomas = asking(elsewhere), world.person("tomas")
        row = await people.start(tomas, CREDIT_CASE)

        async def cancel() -> None:
            await people.cancel(tomas, row.run_id, why="")

        report = await driver(world, ("step", "evidence_checker"), after=cancel).resume(row.tenant, row.run_id)
        assert (report.status, report.steps[-1]) == ("cancelled", "evidence_checker")
        unwanted = await world.start(CREDIT_CASE, fresh=True)
        assert unwanted.status == "incomplete", "nothing else ends it so soon; else nothing is proved"


@pytest.mark.proves("E5")
async def test_an_effect_that_was_being_executed_when_the_run_was_cancelled_is_told_with_its_receipt(
    waiting: Waiting,
) -> None:
    home, report = waiting
    async with opened(home) as world, opened(home) as elsewhere:
        await world.vote(report, "selma")

        async def cancel() -> None:
            await asking(elsewhere).cancel(world.person("tomas"), report.run_id, why="")

        done = await driver(world, ("executed", ""), before=cancel).resume("harborline", report.run_id)
        assert (done.status, done.steps[-1]) == ("cancelled", "act")
        assert done.receipt is not None
        assert (len(await world.effects(CREDIT_CASE)), await world.audited("run.ended")) == (1, 1)


@pytest.mark.proves("E5")
async def test_a_run_that_ends_before_it_can_be_cancelled_stays_as_it_ended(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world, opened(home) as elsewhere:
        await world.vote(report, "selma")

        async def cancel() -> None:
            await asking(elsewhere).cancel(world.person("tomas"), report.run_id, why="")

        done = await driver(world, ("step", "record"), after=cancel).resume("harborline", report.run_id)
        row = await world.records.get("harborline", report.run_id)
        assert (done.status, row.status, row.wanted) == ("completed", "completed", "")
        assert await world.audited("run.ended") == 1


class Later:
    """The clock of whoever looks when the lease of the other holder is over."""

    def now_ns(self) -> int:
        return time.time_ns() + 2 * LEASE_SECONDS * NANOSECONDS


async def recorded(world: World, run_id: str) -> tuple[list[tuple[Any, ...]], ...]:
    """Every event of the run and every recording of its steps, as they are stored."""
    async with world.services.database.read() as connection:
        found = [
            (await connection.execute(select(table).where(table.c.run_id == run_id))).all()
            for table in (run_events, tool_recordings)
        ]
    return tuple([tuple(row) for row in rows] for rows in found)


@pytest.mark.proves("E4")
@pytest.mark.parametrize("event", [("assessed", ""), ("step", "evidence_checker")])
async def test_a_holder_that_wakes_after_a_takeover_records_nothing_more_of_the_run(
    home: Path, event: tuple[str, str]
) -> None:
    stopped, woken = asyncio.Event(), asyncio.Event()

    async def rest() -> None:
        stopped.set()
        await woken.wait()

    async with opened(home) as world, opened(home, clock=Later()) as later:
        row = await asking(world).start(world.person("tomas"), CREDIT_CASE)
        first = asyncio.create_task(driver(world, event, before=rest).resume(row.tenant, row.run_id))
        await asyncio.wait_for(stopped.wait(), 50)
        taken = await later.runner.resume(row.tenant, row.run_id)
        assert taken.status == "waiting_approval"
        before = await recorded(later, row.run_id)
        woken.set()
        with pytest.raises(ConflictError, match="taken over"):
            await asyncio.wait_for(first, 50)
        assert await recorded(later, row.run_id) == before
        assert len(before[1]) > 2, "steps were recorded; else nothing is proved"


class LateRecords(RunRecords):
    """Rests once the lease is had, before the run is looked at."""

    def __init__(self, world: World, rest: Meanwhile) -> None:
        super().__init__(world.services.database, world.services.clock)
        self._rest, self._reads = rest, 0

    async def get(self, tenant: str, run_id: str, *, connection: AsyncConnection | None = None) -> RunRow:
        self._reads += connection is None
        if self._reads == 2 and connection is None:
            await self._rest()
        return await super().get(tenant, run_id, connection=connection)


@pytest.mark.proves("E4")
async def test_a_holder_that_wakes_before_its_first_step_claims_nothing_of_a_run_that_was_taken_over(
    home: Path,
) -> None:
    resting, woken, at_work = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def rest() -> None:
        resting.set()
        await woken.wait()

    async with opened(home) as world, opened(home, clock=Later()) as later:
        row = await asking(world).start(world.person("tomas"), CREDIT_CASE)
        late = ReviewRunner(world.services, build_desk(world.services, world.gateway), LateRecords(world, rest))
        first = asyncio.create_task(late.resume(row.tenant, row.run_id))
        await asyncio.wait_for(resting.wait(), 50)

        async def let_the_first_go() -> None:
            woken.set()
            with pytest.raises(ConflictError, match="taken over"):
                await asyncio.wait_for(first, 50)
            at_work.set()

        second = driver(later, ("step", "evidence_checker"), before=let_the_first_go)
        assert (await second.resume(row.tenant, row.run_id)).status == "waiting_approval"
        assert at_work.is_set()
        assert await later.records.events(row.run_id, kind="taken_over") == ()
        assert (await later.records.get(row.tenant, row.run_id)).attempts == 0


@pytest.mark.proves("E5")
async def test_a_retry_while_the_last_failure_is_being_told_is_not_taken_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "index").rename(home / "elsewhere")
    async with opened(home) as world:
        row = await asking(world).start(world.person("tomas"), CREDIT_CASE)
        async with world.services.database.write() as connection:
            await connection.execute(update(runs).values(attempts=MAX_ATTEMPTS - 1))

        async def told(*arguments: Any) -> RunReport:
            await asking(world).retry(world.person("tomas"), row.run_id)
            return await report_from_records(*arguments)

        monkeypatch.setattr("graphs.runner.report_from_records", told)
        with pytest.raises(CasewrightError):
            await world.runner.resume("harborline", row.run_id)
        now = await world.records.get("harborline", row.run_id)
        assert (now.status, now.attempts, now.report) == ("queued", 0, None)
