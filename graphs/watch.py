"""Notices that somebody committed to a SQLite file, some milliseconds after they did.

`PRAGMA data_version` on a connection that is held open changes with every commit of another connection, also
of one in this process. It tells *that* something changed, not what: whoever is woken reads what is new.
Used by workers, and by the API for the events of runs.
"""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from types import TracebackType

from casewright.storage.database import connect_to_file, storage_error

POLL_SECONDS = 0.005
"""A look costs some microseconds."""


class DatabaseWatch:
    """Counts changes while it is open; any number of waiters share the one connection.

    Note `changes` first, then read, then `wait` with what was noted: so no change falls in between.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.changes = 0
        """How often something was found changed; only its being another than before means anything."""
        self._rung: asyncio.Future[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "DatabaseWatch":
        """Open the file.

        Raises:
            StorageError: it cannot be opened.
        """
        connection = self._opened()
        self._rung = asyncio.get_running_loop().create_future()
        self._looking = asyncio.create_task(self._look(connection))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def wait(self, seen: int, *, timeout_seconds: float) -> int:
        """The count of changes as soon as it is another than `seen`, or as it is when the time is over."""
        if self.changes == seen and self._rung is not None:
            await asyncio.wait({self._rung}, timeout=timeout_seconds)
        return self.changes

    async def _look(self, connection: sqlite3.Connection) -> None:
        version: int | None = None
        try:
            while True:
                found = _version(connection)
                if found != version or found is None:
                    version = found
                    self._ring()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            connection.close()

    def _ring(self) -> None:
        self.changes += 1
        rung, self._rung = self._rung, asyncio.get_running_loop().create_future()
        if rung is not None:
            rung.set_result(None)

    def _opened(self) -> sqlite3.Connection:
        try:
            connection = connect_to_file(self._path, read_only=True)
            connection.execute("PRAGMA busy_timeout=0")  # it runs in the event loop
            connection.execute("PRAGMA data_version")
        except sqlite3.Error as error:
            raise storage_error(str(self._path), error) from error
        return connection


def _version(connection: sqlite3.Connection) -> int | None:
    """The version; None where it cannot be told now, which is taken for a change."""
    try:
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
    except sqlite3.Error:
        return None
