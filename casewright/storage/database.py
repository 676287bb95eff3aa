"""One async database: reads in deferred transactions, in the caller's thread; writes in immediate ones.

SQLite runs in WAL mode with `synchronous=FULL`: what was committed survives a power cut.
A write transaction takes the write lock at its start, so two processes on one data folder
queue up (ten seconds at most) instead of failing half way. It knows nothing of tables.

What needs a bare connection of its own (the audit's writer, the standing of runs) gets it from
`connect_to_file` and closes it with the database (`at_close`).
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from casewright.errors import StorageError, UnavailableError
from casewright.storage.inline import inline_engine

BUSY_TIMEOUT_MS = 10_000
READ_TIMEOUT_MS = 1_000


class Database:
    """An engine with two doors: `read` and `write`."""

    def __init__(
        self, engine: AsyncEngine, *, name: str, file: Path | None = None, reader: AsyncEngine | None = None
    ) -> None:
        """`reader` is an engine for short reads; None: `engine` reads and writes."""
        self.engine = engine
        self.reader = reader or engine
        self.name = name
        """What messages call it."""
        self.file = file
        """The SQLite file; None for another kind of database."""
        self._closers: list[Callable[[], None]] = []
        event.listen(engine.sync_engine, "connect", _configure_connection)
        event.listen(engine.sync_engine, "begin", _begin)

    @classmethod
    def sqlite(cls, path: Path) -> "Database":
        """The SQLite file at `path`; it is made by the migrations, not here."""
        engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(path)))
        return cls(engine, name=str(path), file=path, reader=inline_engine(path, busy_timeout_ms=READ_TIMEOUT_MS))

    def at_close(self, closer: Callable[[], None]) -> None:
        """Call `closer` (from a worker thread, it may block) whenever the database is closed."""
        self._closers.append(closer)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection, None]:
        """A consistent snapshot, for what takes a few milliseconds at most: of a SQLite file it blocks the event loop.

        Raises:
            StorageError: the database cannot be read.
        """
        async with self._snapshot(self.reader) as connection:
            yield connection

    @asynccontextmanager
    async def read_at_length(self) -> AsyncGenerator[AsyncConnection, None]:
        """A consistent snapshot, for what may go through a whole table.

        Raises:
            StorageError: the database cannot be read.
        """
        async with self._snapshot(self.engine) as connection:
            yield connection

    @asynccontextmanager
    async def _snapshot(self, engine: AsyncEngine) -> AsyncGenerator[AsyncConnection, None]:
        async with _translated(self.name), engine.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection, None]:
        """One write transaction: all of it or nothing.

        Raises:
            UnavailableError: another process held the write lock for too long.
            StorageError: the database cannot be written, for example a full disk.
        """
        async with _translated(self.name), self.engine.connect() as connection:
            writer = await connection.execution_options(casewright_write=True)
            async with writer.begin():
                yield writer

    async def close(self) -> None:
        """Release every connection; what is used afterwards opens new ones."""
        for closer in self._closers:
            await asyncio.to_thread(closer)
        await self.engine.dispose()
        await self.reader.dispose()


def connect_to_file(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A bare connection to a database file that exists, in autocommit and usable from any thread.

    A writer waits ten seconds for another process's lock; a reader, which is hardly ever locked
    out, one second, because the thread it runs in may be that of an event loop.

    Raises:
        sqlite3.Error: as SQLite says it; see `storage_error`.
    """
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
    wait_ms = READ_TIMEOUT_MS if read_only else BUSY_TIMEOUT_MS
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=wait_ms / 1_000)


@asynccontextmanager
async def _translated(name: str) -> AsyncGenerator[None, None]:
    try:
        yield
    except OperationalError as error:
        raise storage_error(name, error.orig) from error
    except DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise storage_error(name, error.orig) from error
        raise


def storage_error(name: str, error: BaseException | None) -> UnavailableError | StorageError:
    """What the driver's error on the database `name` means for a person, and the way out."""
    cause = str(error)
    if "locked" in cause or "busy" in cause:
        return UnavailableError(f"the database {name!r} is in use by another process; try again in a moment")
    if "readonly" in cause:
        return StorageError(
            f"the database {name!r} cannot be written; make the file and its folder writable for this user"
        )
    if "full" in cause:
        return StorageError(f"the disk under {name!r} is full; nothing was written. Free some space and repeat")
    if "no such column" in cause:
        return StorageError(
            f"the data folder with {name!r} was made by an older version; run `casewright init` to bring it up to date"
        )
    if "no such table" in cause or "unable to open" in cause:
        return StorageError(f"the data folder with {name!r} is not set up; run `casewright init` first")
    return StorageError(
        f"the database {name!r} cannot be used: {cause}. Restore it from a backup or name another --home"
    )


def _configure_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event below decides, not the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Any) -> None:
    write = connection.get_execution_options().get("casewright_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
