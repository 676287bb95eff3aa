"""One async database: reads in deferred transactions, writes in immediate ones.

SQLite runs in WAL mode with `synchronous=FULL`: what was committed survives a power cut.
A write transaction takes the write lock at its start, so two processes on one data folder
queue up (ten seconds at most) instead of failing half way. It knows nothing of tables.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from casewright.errors import StorageError, UnavailableError

BUSY_TIMEOUT_MS = 10_000


class Database:
    """An engine with two doors: `read` and `write`."""

    def __init__(self, engine: AsyncEngine, *, name: str) -> None:
        self.engine = engine
        self._name = name
        event.listen(engine.sync_engine, "connect", _configure_connection)
        event.listen(engine.sync_engine, "begin", _begin)

    @classmethod
    def sqlite(cls, path: Path) -> "Database":
        """The SQLite file at `path`; it is made by the migrations, not here."""
        return cls(create_async_engine(f"sqlite+aiosqlite:///{path}"), name=str(path))

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection, None]:
        """A consistent snapshot.

        Raises:
            StorageError: the database cannot be read.
        """
        with_translation = _translated(self._name)
        async with with_translation, self.engine.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection, None]:
        """One write transaction: all of it or nothing.

        Raises:
            UnavailableError: another process held the write lock for too long.
            StorageError: the database cannot be written, for example a full disk.
        """
        async with _translated(self._name), self.engine.connect() as connection:
            writer = await connection.execution_options(casewright_write=True)
            async with writer.begin():
                yield writer

    async def close(self) -> None:
        await self.engine.dispose()


@asynccontextmanager
async def _translated(name: str) -> AsyncGenerator[None, None]:
    try:
        yield
    except OperationalError as error:
        raise _storage_error(name, error) from error
    except DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise _storage_error(name, error) from error
        raise


def _storage_error(name: str, error: DatabaseError) -> Exception:
    cause = str(error.orig)
    if "locked" in cause or "busy" in cause:
        return UnavailableError(f"the database {name!r} is in use by another process; try again in a moment")
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
