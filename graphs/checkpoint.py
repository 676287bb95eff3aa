"""Checkpoints of the review graph: SQLite, strict deserialization (see `graphs`), one writer per run."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from casewright.errors import ConflictError

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


@asynccontextmanager
async def open_checkpoints(path: Path) -> AsyncGenerator["AsyncSqliteSaver", None]:
    """The checkpoint store at `path`, in WAL mode."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.conn.execute("PRAGMA busy_timeout=10000")
        yield saver


@asynccontextmanager
async def sole_writer(folder: Path, run_id: str) -> AsyncGenerator[None, None]:
    """Hold the run's lock; the operating system releases it if this process dies.

    Raises:
        ConflictError: another process is working on the run.
    """
    lock = await asyncio.to_thread(_lock, folder, run_id)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ConflictError(f"run {run_id!r} is being worked on by another process; look again in a moment") from error
    try:
        yield
    finally:
        lock.release()


def _lock(folder: Path, run_id: str) -> FileLock:
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{run_id}.lock", thread_local=False)
