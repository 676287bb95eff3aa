"""A SQLAlchemy dialect that reads a SQLite file in the thread of the event loop, without a thread of its own.

A read of a local file in WAL mode takes tens of microseconds and waits for no writer, while handing each of its half a
dozen steps to another thread and back takes milliseconds. So short reads run where they are asked for. It refuses to
write (`PRAGMA query_only`); writes wait for locks and for the disk, and keep their threads (aiosqlite).
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool
from sqlalchemy.util import await_only

_NAME = "sqlite.inline"


class InlineDialect(SQLiteDialect_pysqlite):
    """The standard library's driver behind SQLAlchemy's asyncio front."""

    driver = "inline"
    is_async = True
    supports_statement_cache = True

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        await_only(_nothing())  # the asyncio front takes a statement that awaits nothing for a wrong driver
        cursor.execute(statement, parameters)


class _Cursor(sqlite3.Cursor):
    async def _async_soft_close(self) -> None:
        """What the asyncio front awaits once it has fetched all rows; there is nothing to wait for."""


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


def inline_engine(path: Path, *, busy_timeout_ms: int) -> AsyncEngine:
    """An engine that reads the file at `path`, and makes none where there is none.

    Args:
        busy_timeout_ms: how long it may wait for a lock, which blocks the event loop. A reader hardly ever has to.
    """
    registry.register(_NAME, __name__, InlineDialect.__name__)
    query = {"mode": "rw", "uri": "true"}  # `ro` could not join a write-ahead log that nobody has open
    url = URL.create("sqlite+inline", database=path.resolve().as_uri(), query=query)
    engine = create_async_engine(url, connect_args={"check_same_thread": False, "factory": _Connection})

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the engine begins transactions, not the driver
        connection.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
        connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


async def _nothing() -> None:
    return None
