"""A worker drives what the rows allow, whoever committed them, and leaves alone what must wait."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from casewright.clock import ManualClock
from casewright.contracts.run import RunReport
from casewright.models.offline import OfflineProvider
from casewright.models.provider import ModelReply, ModelRequest, NoReply
from commands.orchestrator import build_question_driver
from graphs.attempts import MAX_ATTEMPTS, PAUSES_SECONDS
from graphs.due import due_runs
from graphs.lease import leased
from graphs.worker import Driven, Drivers, Runner, SqliteRunner, Worker
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, opened

Waiting = tuple[Path, RunReport]
PATIENCE_SECONDS = 50


class Held(OfflineProvider):
    """Answers when it may: what happens meanwhile happens for certain while a step is driven."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.asked.set()
        await self.may_answer.wait()
        return await super().complete(request)


def crew(world: World, told: list[Driven] | None = None) -> SqliteRunner:
    tell = told.append if told is not None else None
    drivers = Drivers(reviews=world.runner, questions=build_question_driver(world.services, world.gateway))
    return SqliteRunner(world.services, world.records, drivers, tell=tell)


async def due(world: World) -> list[str]:
    found = await due_runs(world.services.database, world.services.clock.now_ns(), limit=10)
    return [run.run_id for run in found]


@asynccontextmanager
async def working(world: World, told: list[Driven]) -> AsyncGenerator[Worker, None]:
    """A worker in the background, which is stopped and ends by itself."""
    worker = Worker(world.services, crew(world, told))
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, PATIENCE_SECONDS)


async def status_of(world: World, run_id: str, *wanted: str) -> str:
    """The run's status as soon as it is one of those."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (status := (await world.records.get("harborline", run_id)).status) not in wanted:
        assert time.monotonic() < until, f"{run_id!r} is {status}"
        await asyncio.sleep(0.01)
    return status


@pytest.mark.thorough
@pytest.mark.proves("E4", "E3")
async def test_a_run_that_was_only_asked_for_is_driven_to_its_gate_and_after_the_vote_to_its_end(home: Path) -> None:
    told: list[Driven] = []
    async with opened(home) as world:
        runner: Runner = crew(world, told)
        row = await runner.start(world.person("tomas"), CREDIT_CASE)
        assert await due(world) == [row.run_id]
        assert await runner.tick() == 1
        waiting = await world.records.get("harborline", row.run_id)
        assert waiting.report is not None
        assert (waiting.status, waiting.waiting_for) == ("waiting_approval", waiting.report.pending[0].approval_id)
        assert await due(world) == []
        assert await runner.tick() == 0, "nothing has happened, so nothing is driven"
        await world.vote(waiting.report, "selma")
        assert await due(world) == [row.run_id]
        assert await runner.tick() == 1
        assert (await world.records.get("harborline", row.run_id)).status == "completed"
        assert [driven.status for driven in told] == ["waiting_approval", "completed"]
        assert await world.outbox_rows() == 1


@pytest.mark.proves("E3")
async def test_a_worker_notices_a_vote_without_being_told(waiting: Waiting) -> None:
    home, report = waiting
    told: list[Driven] = []
    async with opened(home) as world, opened(home) as elsewhere, working(world, told):
        await elsewhere.vote(report, "selma")
        assert await status_of(elsewhere, report.run_id, "completed", "incomplete", "failed") == "completed"
        assert len(await elsewhere.effects(CREDIT_CASE)) == 1


@pytest.mark.thorough
@pytest.mark.proves("E5")
async def test_what_is_wanted_of_a_run_while_it_is_driven_is_obeyed_before_its_next_step(home: Path) -> None:
    model = Held()
    async with opened(home, provider=model) as world, opened(home) as elsewhere:
        asked, told = crew(elsewhere), list[Driven]()
        tomas = world.person("tomas")
        async with working(world, told):
            row = await asked.start(tomas, CREDIT_CASE)
            await asyncio.wait_for(model.asked.wait(), PATIENCE_SECONDS)
            assert await status_of(elsewhere, row.run_id, "running")
            await asked.pause(tomas, row.run_id, why="lunch")
            model.may_answer.set()
            assert await status_of(elsewhere, row.run_id, "paused", "waiting_approval") == "paused"
            paused = await elsewhere.records.get("harborline", row.run_id)
            assert paused.report is not None
            assert (paused.report.because, paused.wanted) == ("paused by tomas: lunch", "")
            steps = paused.report.steps
            assert 1 <= len(steps) < 7, "it was paused too late; nothing is proved"
            await asked.resume(tomas, row.run_id)
            assert await status_of(elsewhere, row.run_id, "waiting_approval", "failed") == "waiting_approval"
        done = (await elsewhere.records.get("harborline", row.run_id)).report
        assert done is not None
        assert (done.steps[: len(steps)], len(done.steps)) == (steps, 7), "no step was lost or done twice"


@pytest.mark.thorough
@pytest.mark.proves("E5")
async def test_a_cancellation_while_a_run_is_driven_ends_it_before_its_next_step(home: Path) -> None:
    model = Held()
    async with opened(home, provider=model) as world, opened(home) as elsewhere:
        asked, tomas = crew(elsewhere), world.person("tomas")
        async with working(world, []):
            row = await asked.start(tomas, CREDIT_CASE)
            await asyncio.wait_for(model.asked.wait(), PATIENCE_SECONDS)
            await asked.cancel(tomas, row.run_id, why="")
            model.may_answer.set()
            assert await status_of(elsewhere, row.run_id, "cancelled", "waiting_approval") == "cancelled"
        assert await elsewhere.audited("run.ended") == 1
        assert await due(elsewhere) == []


@pytest.mark.thorough
@pytest.mark.proves("E4")
async def test_a_stopped_worker_gives_its_run_back_between_two_steps(home: Path) -> None:
    told: list[Driven] = []
    model = Held()
    async with opened(home, provider=model) as world, opened(home) as elsewhere:
        async with working(world, told) as worker:
            row = await crew(elsewhere).start(world.person("tomas"), CREDIT_CASE)
            await asyncio.wait_for(model.asked.wait(), PATIENCE_SECONDS)
            worker.stop()
            model.may_answer.set()
        given_back = await elsewhere.records.get("harborline", row.run_id)
        assert given_back.report is not None
        assert (given_back.status, given_back.attempts) == ("queued", 0)
        assert [driven.status for driven in told] == ["queued"]
        assert await crew(elsewhere).tick() == 1
        done = (await elsewhere.records.get("harborline", row.run_id)).report
        assert done is not None
        assert done.status == "waiting_approval"
        assert (done.steps[: len(given_back.report.steps)], len(done.steps)) == (given_back.report.steps, 7)


@pytest.mark.proves("E4")
async def test_a_run_that_another_process_holds_is_left_alone_and_looked_at_again(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphs.worker.ELSEWHERE_SECONDS", 600.0)  # longer than any machine takes for two looks
    home, report = waiting
    async with opened(home) as world:
        settings = world.services.settings
        await world.vote(report, "selma")
        runner = crew(world)
        async with leased(settings.checkpoints, settings.home / "locks", report.run_id, world.services.clock):
            assert await runner.tick() == 1
            assert await runner.tick() == 0, "it is left alone for a while"
        assert (await world.records.get("harborline", report.run_id)).status == "waiting_approval"
        assert await crew(world).tick() == 1
        assert (await world.records.get("harborline", report.run_id)).status == "completed"


@pytest.mark.proves("E3")
async def test_an_approval_that_nobody_decides_wakes_its_run_when_its_time_is_over(waiting: Waiting) -> None:
    home, report = waiting
    clock = ManualClock(time.time_ns())
    async with opened(home, clock=clock) as world:
        assert await crew(world).tick() == 0
        clock.advance(seconds=(report.pending[0].expires_ns - clock.now_ns()) / 1e9 + 1)
        assert await crew(world).tick() == 1
        renewed = await world.records.get("harborline", report.run_id)
        assert (renewed.status, await due(world)) == ("waiting_approval", [])
        assert renewed.waiting_for not in ("", report.pending[0].approval_id)


@pytest.mark.thorough
@pytest.mark.proves("E5")
async def test_a_run_that_cannot_be_driven_is_tried_again_then_fails_with_the_reason_and_can_be_retried(
    home: Path,
) -> None:
    clock = ManualClock(time.time_ns())
    (home / "index").rename(home / "elsewhere")
    async with opened(home, clock=clock) as world:
        row = await crew(world).start(world.person("tomas"), CREDIT_CASE)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            assert await crew(world).tick() == 1
            tried = await world.records.get("harborline", row.run_id)
            assert (tried.status, tried.attempts) == ("queued" if attempt < MAX_ATTEMPTS else "failed", attempt)
            assert await crew(world).tick() == 0, "it is left alone until its pause is over"
            clock.advance(seconds=PAUSES_SECONDS[-1])
        failed = await world.records.get("harborline", row.run_id)
        assert failed.report is not None
        assert (failed.report.status, "index" in failed.report.because) == ("failed", True)
        assert await due(world) == []
    (home / "elsewhere").rename(home / "index")
    async with opened(home, clock=clock) as world:
        retried = await crew(world).retry(world.person("tomas"), row.run_id)
        assert (retried.status, retried.attempts) == ("queued", 0)
        assert await crew(world).tick() == 1
        done = await world.records.get("harborline", row.run_id)
        assert (done.status, done.attempts) == ("waiting_approval", 0)
