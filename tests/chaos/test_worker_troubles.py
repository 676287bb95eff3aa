"""What a worker survives: an end in the middle, a pause, a locked database, a full disk. Real processes."""

import asyncio
import contextlib
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from casewright.clock import NANOSECONDS
from commands.orchestrator import build_question_driver
from graphs.lease import LEASE_SECONDS
from graphs.worker import Drivers, SqliteRunner
from tests.chaos.reviewing import CHECKOUT, PATIENCE_SECONDS, People, WorkerProcess, deadline, environment
from tests.integration.graphs.reviews import World, opened

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]
CASE = "HL-2026-0012"
DRAIN_SECONDS = 30
FULL_BYTES = 300_000
"""More than a worker needs to start, less than a review writes."""


@pytest.fixture
def worker(home: Path) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(home)
    yield worker
    worker.kill()


async def begun(people: People, run_id: str, *, steps: int = 1) -> None:
    """Wait until the run has taken so many steps."""
    until = deadline()
    while len(await people.world.records.events(run_id, kind="step")) < steps:
        assert time.monotonic() < until, await people.row(run_id)
        await asyncio.sleep(0.01)


async def check_one_effect(world: World, run_id: str) -> None:
    report = (await world.records.get("harborline", run_id)).report
    assert report is not None
    assert report.status == "completed", report.because
    assert report.steps == (*NODES, "gate", "act", "record"), "a step was lost or is there twice"
    assert len(await world.effects(CASE)) == await world.outbox_rows() == 1
    assert await world.audited("run.ended") == 1
    assert (await world.services.audit.verify()).ok


NODES = ("intake", "facts_analyst", "evidence_checker", "policy_researcher", "drafter", "verify", "propose")


@pytest.mark.proves("E4", "E5")
async def test_a_worker_that_is_told_to_end_gives_its_run_back_and_the_next_one_finishes_it(
    home: Path, worker: WorkerProcess
) -> None:
    async with opened(home) as world:
        people = People(world=world)
        run_id = await people.ask(CASE)
        worker.start()
        await begun(people, run_id)
        told = time.monotonic()
        assert await asyncio.to_thread(worker.end) == 0
        assert time.monotonic() - told < DRAIN_SECONDS
        row = await people.row(run_id)
        assert (row.status, row.attempts, row.wanted) == ("queued", 0, ""), "it was told too late; nothing is proved"
        worker.start()
        await people.see_to([run_id], until=deadline())
        assert await asyncio.to_thread(worker.end) == 0
        await check_one_effect(world, run_id)


@pytest.mark.proves("E4")
async def test_a_second_signal_ends_a_worker_at_once_and_nothing_is_lost(home: Path, worker: WorkerProcess) -> None:
    async with opened(home) as world:
        people = People(world=world)
        run_id = await people.ask(CASE)
        process = worker.start()
        await begun(people, run_id)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, PATIENCE_SECONDS) in (0, 130, 143)
        worker.start()
        await people.see_to([run_id], until=deadline())
        await check_one_effect(world, run_id)


def paused_between_writes(process: subprocess.Popen[str], home: Path) -> None:
    """Pause it where it keeps no database from others; they would wait for it and, in vain, give up."""
    for _ in range(100):
        process.send_signal(signal.SIGSTOP)
        if all(is_free(home / name) for name in ("casewright.db", "checkpoints.db")):
            return
        process.send_signal(signal.SIGCONT)
    raise AssertionError("it was in a write whenever it was paused; nothing is proved")


def is_free(path: Path) -> bool:
    """Whether nobody is writing to it."""
    with contextlib.closing(sqlite3.connect(path, timeout=0.1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
    return True


class Later:
    """The clock of whoever looks when the lease of the paused worker is over."""

    def now_ns(self) -> int:
        return time.time_ns() + 2 * LEASE_SECONDS * NANOSECONDS


@pytest.mark.proves("E4")
async def test_a_paused_worker_that_wakes_up_writes_nothing_more_of_a_run_that_was_taken_over(
    home: Path, worker: WorkerProcess
) -> None:
    async with opened(home) as world, opened(home, clock=Later()) as later:
        people = People(world=world)
        run_id = await people.ask(CASE)
        process = worker.start()
        await begun(people, run_id, steps=2)
        paused_between_writes(process, home)
        assert (await people.row(run_id)).status == "running", "it was paused too late; nothing is proved"
        drivers = Drivers(reviews=later.runner, questions=build_question_driver(later.services, later.gateway))
        assert await SqliteRunner(later.services, later.records, drivers).tick() == 1
        taken = await people.row(run_id)
        assert taken.status == "waiting_approval"
        process.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(worker.end) == 0
        assert (await people.row(run_id)).report == taken.report
        assert len(await world.services.approvals.list("harborline", run_id=run_id)) == 1
        worker.start()
        await people.see_to([run_id], until=deadline())
        await check_one_effect(world, run_id)


@pytest.mark.proves("E4")
async def test_a_database_that_somebody_locks_for_some_seconds_delays_a_review_and_loses_nothing(
    home: Path, worker: WorkerProcess
) -> None:
    async with opened(home) as world:
        people = People(world=world)
        run_id = await people.ask(CASE)
        worker.start()
        await begun(people, run_id)
        for name in ("casewright.db", "checkpoints.db"):
            connection = sqlite3.connect(home / name, timeout=30, isolation_level=None)
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(3)
            connection.execute("ROLLBACK")
            connection.close()
        await people.see_to([run_id], until=deadline())
        await check_one_effect(world, run_id)


@pytest.mark.proves("E4")
async def test_a_disk_that_is_full_stops_a_review_without_an_effect_and_it_goes_on_when_there_is_room(
    home: Path, worker: WorkerProcess
) -> None:
    async with opened(home) as world:
        people = People(world=world)
        run_id = await people.ask(CASE)
    full = on_a_full_disk(home)
    async with opened(home) as world:
        people = People(world=world)
        try:
            until = deadline()
            while (await people.row(run_id)).status == "queued" and not tripped(home):
                assert time.monotonic() < until
                await asyncio.sleep(0.05)
            while not tripped(home):
                assert time.monotonic() < until, "the disk was never full; nothing is proved"
                await asyncio.sleep(0.05)
        finally:
            full.kill()
            full.wait(PATIENCE_SECONDS)
        assert await world.outbox_rows() == 0
        assert (await people.row(run_id)).status != "completed"
        worker.start()
        await people.see_to([run_id], until=deadline())
        assert len(await world.effects(CASE)) == await world.outbox_rows() == 1
        assert (await world.services.audit.verify()).ok


def on_a_full_disk(home: Path) -> "subprocess.Popen[str]":
    """A worker whose files may not grow: writing more fails as on a full disk."""
    with (home / "full.log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "casewright.launch", "worker"],
            cwd=CHECKOUT,
            env=environment(home),
            stderr=log,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES)),
        )


def tripped(home: Path) -> bool:
    """Whether the worker has met the full disk."""
    said = (home / "full.log").read_text(encoding="utf-8", errors="replace")
    return any(word in said for word in ("disk I/O error", "is full", "File too large"))
