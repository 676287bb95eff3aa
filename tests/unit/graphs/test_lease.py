"""One writer per run: a lease that dies with its holder, runs out when it is paused, and fences its checkpoints."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointMetadata, empty_checkpoint

from casewright.clock import NANOSECONDS, ManualClock
from casewright.errors import ConflictError, UnavailableError
from graphs.checkpoint import held_checkpoints, open_checkpoints
from graphs.lease import BEGINNING_SECONDS, LEASE_SECONDS, LOST, RunLease, leased
from graphs.seals import Seals

SEALS = Seals(bytes(32))
START_NS = 1_800_000_000_000_000_000


@asynccontextmanager
async def held(folder: Path, clock: ManualClock, run_id: str = "run-1") -> AsyncGenerator[RunLease, None]:
    async with leased(folder / "checkpoints.db", folder / "locks", run_id, clock) as lease:
        yield lease


async def write(folder: Path, lease: RunLease, run_id: str = "run-1") -> None:
    """One checkpoint and one pending write of a run, through a store that is fenced by the lease."""
    async with held_checkpoints(folder / "checkpoints.db", lease, SEALS) as saver:
        await write_with(saver, run_id)


async def write_with(saver: BaseCheckpointSaver[Any], run_id: str = "run-1") -> None:
    metadata: CheckpointMetadata = {"source": "loop", "step": 1, "parents": {}}
    config: Any = {"configurable": {"thread_id": run_id, "checkpoint_ns": ""}}
    written = await saver.aput(config, empty_checkpoint(), metadata, {})
    await saver.aput_writes(written, [("channel", "value")], "task")


def rows(folder: Path) -> tuple[int, ...]:
    """How many checkpoints and pending writes there are."""
    connection = sqlite3.connect(folder / "checkpoints.db")
    tables = ("checkpoints", "writes")
    counts = tuple(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables)
    connection.close()
    return counts


@pytest.mark.proves("E4")
async def test_a_second_writer_of_the_same_run_is_told_at_once(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    async with held(tmp_path, clock):
        with pytest.raises(ConflictError, match="'run-1' is being worked on"):
            async with held(tmp_path, clock):
                pytest.fail("two writers")
        async with held(tmp_path, clock, "run-2"):
            pass
    async with held(tmp_path, clock) as lease:
        assert lease.epoch == 2


@pytest.mark.proves("E4")
async def test_a_writer_that_fails_lets_the_next_one_in(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    with pytest.raises(RuntimeError, match="stopped"):
        async with held(tmp_path, clock):
            raise RuntimeError("stopped")
    async with held(tmp_path, clock):
        pass


@pytest.mark.proves("E4")
async def test_a_paused_writer_loses_its_run_when_its_lease_is_over_and_can_write_nothing_more(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    async with (
        held(tmp_path, clock) as paused,
        held_checkpoints(tmp_path / "checkpoints.db", paused, SEALS) as its_store,
    ):
        await write_with(its_store)
        clock.advance(seconds=LEASE_SECONDS - 1)
        with pytest.raises(ConflictError):
            async with held(tmp_path, clock):
                pytest.fail("the lease was not over")
        clock.advance(seconds=BEGINNING_SECONDS + 1)
        async with held(tmp_path, clock) as successor:
            assert (successor.epoch, await successor.is_held(), await paused.is_held()) == (
                paused.epoch + 1,
                True,
                False,
            )
            await write(tmp_path, successor)
            before = rows(tmp_path)
            with pytest.raises(sqlite3.IntegrityError, match=LOST):
                await write_with(its_store)
            assert not await paused.renew()
            assert rows(tmp_path) == before == (2, 2)
    async with held(tmp_path, clock) as last:
        assert last.epoch == successor.epoch + 1, "a lost lease that ends must not free the newer one"


@pytest.mark.proves("E4")
async def test_who_has_just_got_the_lock_is_given_time_to_take_the_lease(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    beginner = FileLock(tmp_path / "locks" / "run-1.lock", thread_local=False)
    (tmp_path / "locks").mkdir()
    with beginner, pytest.raises(ConflictError):
        async with held(tmp_path, clock):
            pytest.fail("the run is new, and somebody is beginning it")
    async with held(tmp_path, clock):
        pass
    with beginner:
        with pytest.raises(ConflictError):
            async with held(tmp_path, clock):
                pytest.fail("the lease was given back a moment ago, and somebody is taking it")
        clock.advance(seconds=BEGINNING_SECONDS)
        async with held(tmp_path, clock) as successor:
            assert successor.epoch == 2


@pytest.mark.proves("E4")
async def test_who_begins_a_run_that_rested_for_long_is_not_taken_for_a_paused_holder(tmp_path: Path) -> None:
    """The lease of the run's last holder is over for long when the next one has the lock, and not yet the lease."""
    looked = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Watched(ManualClock):
        def now_ns(self) -> int:
            loop.call_soon_threadsafe(looked.set)
            return super().now_ns()

    async def come_second() -> None:
        async with held(tmp_path, clock):
            pytest.fail("two writers")

    clock = Watched(START_NS)
    async with held(tmp_path, clock):
        pass
    clock.advance(seconds=3_600)
    with FileLock(tmp_path / "locks" / "run-1.lock", thread_local=False):
        looked.clear()
        second = asyncio.create_task(come_second())
        await asyncio.wait_for(looked.wait(), 30)
        with contextlib.closing(sqlite3.connect(tmp_path / "checkpoints.db")) as beginner, beginner:
            expires_ns = clock.now_ns() + LEASE_SECONDS * NANOSECONDS
            beginner.execute("UPDATE run_leases SET epoch = 2, expires_ns = ?", (expires_ns,))
        with pytest.raises(ConflictError, match="'run-1' is being worked on"):
            await second


@pytest.mark.proves("E4")
async def test_a_database_that_somebody_keeps_is_unavailable_and_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphs.lease._BUSY_SECONDS", 0)
    clock = ManualClock(START_NS)
    async with held(tmp_path, clock):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "checkpoints.db", isolation_level=None)) as keeper:
        keeper.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="in use"):
            async with held(tmp_path, clock):
                pytest.fail("nobody can take a lease now")
        keeper.execute("ROLLBACK")
    async with held(tmp_path, clock) as lease:
        assert lease.epoch == 2


@pytest.mark.proves("E4")
async def test_a_lost_lease_that_ends_does_not_end_the_one_that_took_over(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    first = leased(tmp_path / "checkpoints.db", tmp_path / "locks", "run-1", clock)
    await first.__aenter__()
    clock.advance(seconds=LEASE_SECONDS + BEGINNING_SECONDS)
    async with held(tmp_path, clock) as successor:
        await first.__aexit__(None, None, None)
        assert await successor.is_held()
        await write(tmp_path, successor)


@pytest.mark.proves("E4")
@pytest.mark.parametrize("run_id", ["run-2", ""])
async def test_a_lease_writes_checkpoints_of_its_own_run_only(tmp_path: Path, run_id: str) -> None:
    async with held(tmp_path, ManualClock(START_NS)) as lease:
        with pytest.raises(sqlite3.IntegrityError, match=LOST):
            await write(tmp_path, lease, run_id)
        assert rows(tmp_path) == (0, 0)


@pytest.mark.proves("E4")
async def test_without_a_lease_no_checkpoint_is_written(tmp_path: Path) -> None:
    async with open_checkpoints(tmp_path / "checkpoints.db") as saver:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await write_with(saver)
