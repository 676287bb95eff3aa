"""Checkpoints of the review graph: SQLite, strict deserialization (see `graphs`), fenced by the run's lease, sealed."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from graphs.lease import RunLease, fence
from graphs.seals import Seals

if TYPE_CHECKING:
    import aiosqlite
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

_BUSY = "PRAGMA busy_timeout=10000"


class SealedSaver(AsyncSqliteSaver):
    """Checks the rows of a checkpoint before it reads them."""

    def __init__(self, connection: "aiosqlite.Connection", seals: Seals) -> None:
        super().__init__(connection)
        self._seals = seals

    async def aget_tuple(self, config: "RunnableConfig") -> "CheckpointTuple | None":
        """The checkpoint that is asked for, or the newest of the run.

        Raises:
            TamperedError: it is not as it was written.
        """
        asked: dict[str, Any] = config.get("configurable", {})
        run, namespace = str(asked["thread_id"]), str(asked.get("checkpoint_ns", ""))
        async with self.lock:
            checkpoint_id = asked.get("checkpoint_id") or await self._newest(run, namespace)
            await self._seals.check(self.conn, (run, namespace, str(checkpoint_id)))
        return await super().aget_tuple(config)

    async def _newest(self, run: str, namespace: str) -> str:
        query = "SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ?"
        async with self.conn.execute(query, (run, namespace)) as rows:
            found = await rows.fetchone()
        return "" if found is None or found[0] is None else found[0]


@asynccontextmanager
async def held_checkpoints(path: Path, lease: RunLease, seals: Seals) -> AsyncGenerator[SealedSaver, None]:
    """The checkpoint store at `path`, in WAL mode, for whoever drives the leased run; it writes no other."""
    async with AsyncSqliteSaver.from_conn_string(str(path)) as plain:
        await plain.conn.execute(_BUSY)
        await plain.setup()
        await seals.guard(plain.conn)
        await fence(plain.conn, lease)
        yield SealedSaver(plain.conn, seals)


@asynccontextmanager
async def open_checkpoints(path: Path) -> AsyncGenerator[AsyncSqliteSaver, None]:
    """The same store to look at, unchecked: no run can be driven from it, because it cannot be written."""
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.conn.execute(_BUSY)
        await saver.setup()
        await saver.conn.execute("PRAGMA query_only=ON")
        yield saver
