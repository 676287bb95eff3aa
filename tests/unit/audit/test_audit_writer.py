"""The writer of the audit: groups, refusals alone, full disks, stuck databases, several loops, closing."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casewright.audit.durability import may_lag, must_be_durable
from casewright.audit.log import AuditLog
from casewright.clock import ManualClock
from casewright.contracts.event import EventKind
from casewright.errors import InputError, StorageError, UnavailableError
from casewright.identity.keys import SigningKey
from casewright.storage.database import Database, connect_to_file
from casewright.storage.groups import GroupRoutine, GroupWriter
from tests.unit.audit.decided import decided
from tests.unit.audit.kernel import START_NS, TENANT, Kernel, kernel
from tests.unit.audit.test_audit_log import entry

Connect = Callable[[], sqlite3.Connection]


def another_log(world: Kernel, connect: Connect) -> tuple[AuditLog, Database]:
    database = Database.sqlite(world.path)
    return AuditLog(database, world.signer, world.clock, connect=connect), database


class Trace:
    """What a writer's connection was asked to do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.statements: list[str] = []
        self.begun = threading.Event()

    def connect(self) -> sqlite3.Connection:
        connection = connect_to_file(self.path)
        connection.set_trace_callback(self._heard)
        return connection

    def _heard(self, statement: str) -> None:
        self.statements.append(statement)
        if statement == "BEGIN IMMEDIATE":
            self.begun.set()


@pytest.mark.proves("G1")
async def test_what_waits_is_committed_together_and_signed_once(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        trace = Trace(world.path)
        log, database = another_log(world, trace.connect)
        lock = sqlite3.connect(world.path, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        waiting = [asyncio.ensure_future(log.append(entry(number), durable=False)) for number in range(50)]
        assert await asyncio.to_thread(trace.begun.wait, 30)
        lock.execute("ROLLBACK")
        lock.close()
        events = await asyncio.gather(*waiting)
        await database.close()
        assert [event.seq for event in events] == list(range(1, 51))
        assert trace.statements.count("COMMIT") <= 2
        assert (await world.audit.verify()).events == 50


@pytest.mark.proves("G1")
@pytest.mark.parametrize(
    ("kind", "durable", "expected"),
    [
        ("call.allowed", False, "NORMAL"),
        ("call.denied", False, "NORMAL"),
        ("call.allowed", True, "FULL"),
        ("approval.voted", False, "FULL"),
        ("policy_data.changed", False, "FULL"),
    ],
)
async def test_a_consequence_waits_for_the_disk_whatever_the_caller_says(
    tmp_path: Path, kind: EventKind, durable: bool, expected: str
) -> None:
    async with kernel(tmp_path) as world:
        trace = Trace(world.path)
        log, database = another_log(world, trace.connect)
        await log.append(entry(kind=kind), durable=durable)
        await database.close()
        begin = trace.statements.index("BEGIN IMMEDIATE")
        assert trace.statements[begin - 1] == f"PRAGMA synchronous={expected}"


@pytest.mark.parametrize("verb", ["list", "read", "search", "check"])
def test_reads_may_lag_and_calls_of_unknown_or_other_verbs_may_not(verb: Any) -> None:
    assert must_be_durable("call.allowed", verb) is False
    assert all(must_be_durable("call.allowed", other) for other in ("", "write", "execute"))
    for kind in ("approval.requested", "effect.executed", "draft.saved", "run.started", "policy_data.changed"):
        assert must_be_durable(kind, verb) and not may_lag(kind)


async def test_an_entry_that_is_refused_fails_alone(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        good = [world.audit.append(entry(number)) for number in range(6)]
        bad = [world.audit.append(entry(body={"n": 2**60})), world.audit.append(entry(kind="no.kind"))]
        done = await asyncio.gather(*good[:3], *bad, *good[3:], return_exceptions=True)
        assert [type(one) for one in done[3:5]] == [InputError, InputError]
        assert (await world.audit.verify()).events == 6


async def test_a_decision_recorded_twice_fails_alone_in_its_group(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        entry_, record = decided(1)
        appends = [world.audit.append(entry(number)) for number in range(3)]
        twice = [world.audit.append(entry_, record=record) for _ in range(2)]
        done = await asyncio.gather(*appends, *twice, return_exceptions=True)
        failed = [one for one in done if isinstance(one, BaseException)]
        assert len(failed) == 1
        assert isinstance(failed[0], StorageError) and "nothing of it was written" in str(failed[0])
        verdict = await world.audit.verify()
        assert (verdict.ok, verdict.events) == (True, 4)


async def test_a_full_disk_fails_closed_and_the_log_goes_on_when_there_is_space(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        before = await world.audit.append(entry(0))
        room = {"pages": 0}

        def connect() -> sqlite3.Connection:
            connection = connect_to_file(world.path)
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count={pages + room['pages']}")
            return connection

        log, database = another_log(world, connect)
        large = entry(1, body={"text": "x" * 50_000})
        failed = await asyncio.gather(*(log.append(large) for _ in range(5)), return_exceptions=True)
        assert [type(one) for one in failed] == [StorageError] * 5
        assert all("full" in str(one) for one in failed)
        assert await world.audit.head() == (before.seq, before.hash)
        assert (await world.audit.verify()).ok
        room["pages"] = 1_000
        assert (await log.append(large)).seq == 2
        await database.close()
        verdict = await world.audit.verify()
        assert (verdict.ok, verdict.events) == (True, 2)


async def test_a_database_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        log, database = another_log(world, lambda: connect_to_file(world.path, read_only=True))
        with pytest.raises(StorageError, match="make the file and its folder writable"):
            await log.append(entry())
        await database.close()


async def test_a_missing_database_is_not_made_by_the_writer(tmp_path: Path) -> None:
    database = Database.sqlite(tmp_path / "none.db")
    log = AuditLog(database, SigningKey.generate(), ManualClock(START_NS))
    with pytest.raises(StorageError, match="casewright init"):
        await log.append(entry())
    await database.close()
    assert not (tmp_path / "none.db").exists()


async def test_a_lock_that_another_process_keeps_is_an_error_and_not_a_wait_for_ever(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:

        def impatient() -> sqlite3.Connection:
            connection = connect_to_file(world.path)
            connection.execute("PRAGMA busy_timeout=50")
            return connection

        log, database = another_log(world, impatient)
        lock = sqlite3.connect(world.path, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="in use"):
            await log.append(entry())
        lock.execute("ROLLBACK")
        lock.close()
        assert (await log.append(entry())).seq == 1
        await database.close()


class Stuck:
    """A routine that stands still inside a group until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.let_go = threading.Event()
        self.groups: list[list[int]] = []

    def write(self, _connection: sqlite3.Connection, items: Any) -> list[int]:
        self.groups.append(list(items))
        self.entered.set()
        assert self.let_go.wait(20)
        return [item * 10 for item in items]

    def writer(self, **limits: Any) -> GroupWriter[int, int]:
        routine = GroupRoutine[int, int](
            name="stuck",
            connect=lambda: sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False),
            write=self.write,
        )
        return GroupWriter(routine, **limits)


async def test_a_stuck_writer_refuses_instead_of_hanging() -> None:
    stuck = Stuck()
    writer = stuck.writer(patience_seconds=0.1, max_waiting=2)
    first = asyncio.ensure_future(writer.submit(1, durable=False))
    assert await asyncio.to_thread(stuck.entered.wait, 30)
    waiting = [asyncio.ensure_future(writer.submit(number, durable=False)) for number in (2, 3)]
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError, match="too many entries wait"):
        await writer.submit(4, durable=False)
    done = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [type(one) for one in done] == [UnavailableError] * 3
    assert all("within 0.1 seconds" in str(one) for one in done)
    stuck.let_go.set()
    await asyncio.to_thread(writer.close)
    assert await writer.submit(5, durable=False) == 50
    writer.close()
    assert stuck.groups == [[1], [2, 3], [5]]


async def test_an_item_whose_caller_gave_up_is_written_all_the_same() -> None:
    stuck = Stuck()
    writer = stuck.writer()
    gone = asyncio.ensure_future(writer.submit(1, durable=False))
    assert await asyncio.to_thread(stuck.entered.wait, 30)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    stuck.let_go.set()
    assert await writer.submit(2, durable=False) == 20
    writer.close()
    assert stuck.groups == [[1], [2]]


async def test_a_writer_that_failed_without_reason_goes_on_with_the_next_group() -> None:
    failing = [True]

    def write(_connection: sqlite3.Connection, items: Any) -> list[int]:
        if failing.pop() if failing else False:
            raise KeyError("unforeseen")
        return list(items)

    routine = GroupRoutine[int, int](
        name="odd",
        connect=lambda: sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False),
        write=write,
    )
    writer: GroupWriter[int, int] = GroupWriter(routine)
    with pytest.raises(StorageError, match="KeyError"):
        await writer.submit(1, durable=True)
    assert await writer.submit(2, durable=True) == 2
    writer.close()


def writer_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "casewright-group-writer"]


async def test_closing_commits_what_waits_and_a_later_append_starts_again(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        writers = len(writer_threads())
        waiting = [asyncio.ensure_future(world.audit.append(entry(number))) for number in range(20)]
        await asyncio.sleep(0)
        await world.database.close()
        assert sorted(event.seq for event in await asyncio.gather(*waiting)) == list(range(1, 21))
        assert len(writer_threads()) == writers
        assert (await world.audit.append(entry())).seq == 21
        assert len(writer_threads()) == writers + 1


def test_several_event_loops_share_one_log(tmp_path: Path) -> None:
    async def opened() -> Kernel:
        async with kernel(tmp_path) as world:
            return world

    world = asyncio.run(opened())
    database = Database.sqlite(world.path)
    log = AuditLog(database, world.signer, world.clock)

    async def appends() -> list[int]:
        return [event.seq for event in await asyncio.gather(*(log.append(entry(n)) for n in range(25)))]

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend(asyncio.run(appends()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == list(range(1, 101))
    asyncio.run(database.close())


async def test_appends_inside_and_outside_of_transactions_make_one_chain(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:

        async def inside(number: int) -> None:
            async with world.database.write() as connection:
                await world.audit.append(entry(number), connection=connection)

        await asyncio.gather(*(inside(n) for n in range(10)), *(world.audit.append(entry(n)) for n in range(30)))
        verdict = await world.audit.verify()
        assert (verdict.ok, verdict.events) == (True, 40)
        assert len(await world.audit.events(tenant=TENANT)) == 40


@pytest.mark.proves("G1")
async def test_an_append_of_a_read_takes_less_than_a_millisecond(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        best: float | None = None
        for _ in range(5):
            taken: list[float] = []
            for number in range(60):
                began = time.perf_counter()
                await world.audit.append(entry(number), durable=False)
                taken.append(time.perf_counter() - began)
            median = sorted(taken)[30]
            best = median if best is None else min(best, median)
        assert best is not None
        assert best < 0.001  # the goal of half a millisecond is measured by the bench, on a quiet machine
