"""One thread that writes what many wait for, a group per transaction (group commit).

Callers on any event loop submit an item and wait until the group it went into is committed. The
thread has its own SQLite connection and takes whatever waits. It knows nothing of what it
writes; the audit gives it that (`casewright.audit.writer`). For SQLite only.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from casewright.errors import CasewrightError, StorageError, UnavailableError
from casewright.storage.database import storage_error

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

MAX_GROUP = 256
MAX_WAITING = 10_000
"""More than this waiting means that the disk does not keep up: new items are refused."""
PATIENCE_SECONDS = 30.0
"""How long a caller waits for its commit; longer than SQLite waits for another process's lock."""
_logger = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class _Waiting(Generic[ItemT, ResultT]):
    """One item, how firmly it has to be stored, and who waits for it where."""

    item: ItemT
    durable: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[ResultT]


_Outcome = ResultT | BaseException
_Inbox = queue.SimpleQueue[_Waiting[ItemT, ResultT] | None]


@dataclass(frozen=True, kw_only=True)
class GroupRoutine(Generic[ItemT, ResultT]):
    """What the thread does: open a connection, and write a group inside an open transaction."""

    name: str
    """The database, for messages."""
    connect: Callable[[], sqlite3.Connection]
    """A connection in autocommit that the writer's thread may use."""
    write: Callable[[sqlite3.Connection, Sequence[ItemT]], Sequence[ResultT]]
    """Write the items and return a result for each, in order; the transaction is not its own."""


class GroupWriter(Generic[ItemT, ResultT]):
    """Starts its thread with the first item; `close` lets it finish what waits and ends it."""

    def __init__(
        self,
        routine: GroupRoutine[ItemT, ResultT],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._routine = routine
        self._patience = patience_seconds
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._inbox: _Inbox[ItemT, ResultT] | None = None
        self._thread: threading.Thread | None = None

    async def submit(self, item: ItemT, *, durable: bool) -> ResultT:
        """Wait until the item is committed; with `durable`, until it is on the disk.

        A caller that gives up waiting does not take its item back.

        Raises:
            UnavailableError: too much waits, or the commit took longer than the writer's patience.
            StorageError: the database cannot be written.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ResultT] = loop.create_future()
        self._enqueue(_Waiting(item=item, durable=durable, loop=loop, future=future))
        expiry = loop.call_later(self._patience, self._expire, future)
        try:
            return await future
        finally:
            expiry.cancel()

    def close(self) -> None:
        """Commit what waits and end the thread; an item that comes later starts another."""
        with self._lock:
            inbox, thread, self._inbox, self._thread = self._inbox, self._thread, None, None
        if inbox is not None and thread is not None:
            inbox.put(None)
            thread.join(self._patience)

    def _enqueue(self, waiting: _Waiting[ItemT, ResultT]) -> None:
        with self._lock:
            if self._inbox is None or self._thread is None or not self._thread.is_alive():
                self._start()
            if self._inbox is None or self._inbox.qsize() >= self._max_waiting:
                raise UnavailableError(
                    f"too many entries wait to be written to {self._routine.name!r}; try again in a moment"
                )
            self._inbox.put(waiting)

    def _start(self) -> None:
        self._inbox = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=_work, args=(self._routine, self._inbox), name="casewright-group-writer", daemon=True
        )
        self._thread.start()

    def _expire(self, future: asyncio.Future[ResultT]) -> None:
        if not future.done():
            future.set_exception(
                UnavailableError(
                    f"{self._routine.name!r} could not be written within {self._patience:g} seconds; try again later"
                )
            )


def _work(routine: GroupRoutine[ItemT, ResultT], inbox: _Inbox[ItemT, ResultT]) -> None:
    """The thread: it ends only when it is told to, whatever happens to a group."""
    connection: sqlite3.Connection | None = None
    going_on = True
    while going_on:
        group, going_on = _take(inbox)
        if not group:
            continue
        outcomes: Sequence[_Outcome[ResultT]]
        try:
            connection = connection or _opened(routine)
            outcomes = _written(routine, connection, group)
        except BaseException as error:  # noqa: BLE001 - the thread's outermost boundary; every waiter is told
            outcomes = [error] * len(group)
            connection = _closed(connection)
        _answer(routine.name, group, outcomes)
    _closed(connection)


def _take(inbox: _Inbox[ItemT, ResultT]) -> tuple[list[_Waiting[ItemT, ResultT]], bool]:
    """Everything that waits, at least one item; and whether to go on after it."""
    first = inbox.get()
    if first is None:
        return [], False
    group = [first]
    with suppress(queue.Empty):
        while len(group) < MAX_GROUP:
            following = inbox.get_nowait()
            if following is None:
                return group, False
            group.append(following)
    return group, True


def _opened(routine: GroupRoutine[ItemT, ResultT]) -> sqlite3.Connection:
    connection = routine.connect()
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _closed(connection: sqlite3.Connection | None) -> None:
    """Close what is open; an unfinished transaction is undone by that."""
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()


def _written(
    routine: GroupRoutine[ItemT, ResultT], connection: sqlite3.Connection, group: Sequence[_Waiting[ItemT, ResultT]]
) -> Sequence[_Outcome[ResultT]]:
    """Write the group; when its content is refused, each item alone, so that one fails and not all."""
    try:
        return _transaction(routine, connection, group)
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.DataError, OverflowError) as error:
        if len(group) == 1:
            return [error]
    return [_written(routine, connection, [one])[0] for one in group]


def _transaction(
    routine: GroupRoutine[ItemT, ResultT], connection: sqlite3.Connection, group: Sequence[_Waiting[ItemT, ResultT]]
) -> Sequence[ResultT]:
    durable = any(waiting.durable for waiting in group)
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = routine.write(connection, [waiting.item for waiting in group])
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _answer(name: str, group: Sequence[_Waiting[ItemT, ResultT]], outcomes: Sequence[_Outcome[ResultT]]) -> None:
    """Wake every waiter on its own loop, with one call for each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[ResultT], _Outcome[ResultT]]]] = {}
    for waiting, outcome in zip(group, outcomes, strict=True):
        answer = _translated(name, outcome) if isinstance(outcome, BaseException) else outcome
        by_loop.setdefault(waiting.loop, []).append((waiting.future, answer))
    for loop, answers in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: Sequence[tuple[asyncio.Future[ResultT], _Outcome[ResultT]]]) -> None:
    for future, answer in answers:
        if future.done():
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def _translated(name: str, error: BaseException) -> CasewrightError:
    """An error of its own for each waiter, so that no traceback grows in several places."""
    if isinstance(error, CasewrightError):
        return type(error)(*error.args)
    if isinstance(error, sqlite3.IntegrityError | sqlite3.InterfaceError | sqlite3.DataError | OverflowError):
        return StorageError(f"the entry cannot be stored in {name!r}: {error}; nothing of it was written")
    if isinstance(error, sqlite3.Error):
        return storage_error(name, error)
    _logger.error("the writer of %r failed", name, exc_info=error)
    return StorageError(f"the entry was not written to {name!r}: {type(error).__name__}; see the log")
