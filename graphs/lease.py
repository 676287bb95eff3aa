"""One writer per run: a lease with an epoch, checked by the database in every checkpoint write.

Who gets a run holds its file lock, which the operating system releases when the process dies, and
raises the run's epoch. A holder that was paused keeps the lock but stops renewing; once its lease
is over another process takes the run at the next epoch. From then on every checkpoint that the
first one tries to write is refused inside its own statement (a fencing token, as in Kleppmann,
*Designing Data-Intensive Applications*, chapter 8). It is *not* a queue: nobody waits here.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from casewright.clock import NANOSECONDS, Clock
from casewright.errors import ConflictError
from casewright.storage.database import storage_error

if TYPE_CHECKING:
    import aiosqlite

LEASE_SECONDS = 30
RENEWALS_PER_LEASE = 3
BEGINNING_SECONDS = 10
"""Who has just got the lock needs a moment to take the lease; only after it is a holder without one a paused holder."""
SECOND_LOOK_SECONDS = 1.0
"""The last lease of a run that rested is over, too: whoever has just got the lock has taken the next one by then."""
LOST = "the lease of this run was lost"
_TABLE = """
CREATE TABLE IF NOT EXISTS run_leases (
    run_id TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, expires_ns INTEGER NOT NULL
)
"""
_TAKE = """
INSERT INTO run_leases (run_id, epoch, expires_ns) VALUES (?, 1, ?)
ON CONFLICT (run_id) DO UPDATE SET epoch = epoch + 1, expires_ns = excluded.expires_ns
RETURNING epoch
"""
_FENCE = """
CREATE TEMP TRIGGER {name} BEFORE {verb} ON main.{table}
WHEN NOT EXISTS (
    SELECT 1 FROM main.run_leases AS newest JOIN temp.held_lease AS held USING (run_id, epoch)
    WHERE run_id = {row}.thread_id
)
BEGIN SELECT RAISE(ROLLBACK, '{lost}'); END
"""
"""It rolls back, so that the connection of a writer that lost its lease does not keep the database locked."""
_BUSY_SECONDS = 10
_log = logging.getLogger("casewright.graphs")


class HeldElsewhereError(ConflictError):
    """Look again in a moment: another process is working on the run."""


@dataclass(frozen=True, kw_only=True)
class RunLease:
    """The right to write one run's checkpoints, as long as nobody took it over."""

    path: Path
    """The checkpoint database, where leases are kept: the check and the write are one transaction."""
    run_id: str
    epoch: int
    clock: Clock

    async def is_held(self) -> bool:
        """Whether this is still the newest epoch."""
        return await asyncio.to_thread(self._is_held)

    async def renew(self) -> bool:
        """Hold it for another while; False: somebody else has it."""
        return await asyncio.to_thread(self._expire_in, LEASE_SECONDS)

    async def release(self) -> None:
        await asyncio.to_thread(self._expire_in, 0)

    def _is_held(self) -> bool:
        with contextlib.closing(_connect(self.path)) as connection:
            row = connection.execute("SELECT epoch FROM run_leases WHERE run_id = ?", (self.run_id,)).fetchone()
        return row is not None and row[0] == self.epoch

    def _expire_in(self, seconds: int) -> bool:
        expires_ns = self.clock.now_ns() + seconds * NANOSECONDS
        with contextlib.closing(_connect(self.path)) as connection:
            values = (expires_ns, self.run_id, self.epoch)
            changed = connection.execute("UPDATE run_leases SET expires_ns = ? WHERE run_id = ? AND epoch = ?", values)
            return changed.rowcount == 1


@asynccontextmanager
async def leased(checkpoints: Path, locks: Path, run_id: str, clock: Clock) -> AsyncGenerator[RunLease, None]:
    """Hold a run for the length of the block, renewing in the background.

    Raises:
        HeldElsewhereError: another process is working on the run.
        UnavailableError: another process keeps the database of checkpoints; it may have been stopped in a write.
        StorageError: the database cannot be used.
    """
    lock = await asyncio.to_thread(_lock, locks, run_id)
    try:
        lease = await _lease(lock, checkpoints, run_id, clock)
    except sqlite3.Error as error:
        lock.release()
        raise storage_error(str(checkpoints), error) from error
    if lease is None:
        raise HeldElsewhereError(f"run {run_id!r} is being worked on by another process; look again in a moment")
    renewing = asyncio.create_task(_keep(lease))
    try:
        yield lease
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing
        await lease.release()
        lock.release()


async def fence(connection: "aiosqlite.Connection", lease: RunLease) -> None:
    """Let this connection write checkpoints of no run but the leased one, and only while the lease is the newest."""
    await connection.execute("CREATE TEMP TABLE held_lease (run_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL)")
    await connection.execute("INSERT INTO held_lease VALUES (?, ?)", (lease.run_id, lease.epoch))
    for table in ("checkpoints", "writes"):
        for verb, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            name = f"fence_{table}_{verb.lower()}"
            await connection.execute(_FENCE.format(name=name, verb=verb, table=table, row=row, lost=LOST))
    await connection.commit()


async def _keep(lease: RunLease) -> None:
    """Renew until it is lost; a database that cannot be written now is tried again with the next renewal."""
    held = True
    while held:
        await asyncio.sleep(LEASE_SECONDS / RENEWALS_PER_LEASE)
        try:
            held = await lease.renew()
        except sqlite3.Error:
            _log.warning("the lease of run %r could not be renewed", lease.run_id, exc_info=True)


async def _lease(lock: FileLock, checkpoints: Path, run_id: str, clock: Clock) -> RunLease | None:
    """The lease with the lock, or from a holder who let it pass; None: somebody holds the run, or just begins to."""
    alone, passed = _acquired(lock), None
    if not alone:
        passed = await asyncio.to_thread(_passed, checkpoints, run_id, clock)
        if passed is None:
            return None
        await asyncio.sleep(SECOND_LOOK_SECONDS)
        alone = _acquired(lock)
    return await asyncio.to_thread(_take, checkpoints, run_id, clock, None if alone else passed)


def _passed(path: Path, run_id: str, clock: Clock) -> int | None:
    """The epoch of the lease that its holder has let pass; None: it is not over, or there is none yet."""
    with _table(path) as connection:
        return _passed_epoch(connection, run_id, clock.now_ns())


def _take(path: Path, run_id: str, clock: Clock, passed: int | None) -> RunLease | None:
    """The next epoch, with the lock or after the one that has passed; None: that one is not the newest any more."""
    with _table(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        now_ns = clock.now_ns()
        if passed is not None and _passed_epoch(connection, run_id, now_ns) != passed:
            connection.execute("ROLLBACK")
            return None
        (epoch,) = connection.execute(_TAKE, (run_id, now_ns + LEASE_SECONDS * NANOSECONDS)).fetchone()
        connection.execute("COMMIT")
    return RunLease(path=path, run_id=run_id, epoch=epoch, clock=clock)


def _passed_epoch(connection: sqlite3.Connection, run_id: str, now_ns: int) -> int | None:
    row = connection.execute("SELECT epoch, expires_ns FROM run_leases WHERE run_id = ?", (run_id,)).fetchone()
    if row is None or int(row[1]) + BEGINNING_SECONDS * NANOSECONDS > now_ns:
        return None
    return int(row[0])


@contextlib.contextmanager
def _table(path: Path) -> Generator[sqlite3.Connection]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(_connect(path)) as connection:
        connection.execute(_TABLE)
        yield connection


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _lock(folder: Path, run_id: str) -> FileLock:
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{run_id}.lock", thread_local=False)
