"""Checkpoints of the review graph: SQLite, strict deserialization (see `graphs`), fenced by the run's lease."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from graphs.lease import RunLease, fence

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


@asynccontextmanager
async def open_checkpoints(path: Path, lease: RunLease | None = None) -> AsyncGenerator["AsyncSqliteSaver", None]:
    """The checkpoint store at `path`, in WAL mode; it writes under the lease, and without one not at all."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.conn.execute("PRAGMA busy_timeout=10000")
        await saver.setup()
        if lease is None:
            await saver.conn.execute("PRAGMA query_only=ON")
        else:
            await fence(saver.conn, lease)
        yield saver
