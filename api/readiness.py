"""Looks whether everything that the API needs is there: the parts, each with its own look.

The answer holds for a moment, so that whoever asks often costs nothing; a change goes to the log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from casewright.clock import NANOSECONDS
from casewright.errors import CasewrightError, StorageError, UnavailableError
from casewright.services import Services
from graphs.presence import WORKER_SECONDS, last_seen

HOLDS_SECONDS = 1.0
PART_SECONDS = 5.0
_log = logging.getLogger("casewright.api")


class ReadinessLook:
    """The parts of one data folder, looked at when asked for."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._known: dict[str, bool] = {}
        self._until = float("-inf")
        self._checks: dict[str, Callable[[], Awaitable[None]]] = {
            "database": self._database,
            "schema": self._schema,
            "engine": self._engine,
            "index": self._index,
            "worker": self._worker,
        }

    async def states(self) -> dict[str, bool]:
        """Every part, and whether it is ready."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now >= self._until:
                self._known = {name: await self._is_ready(name, check) for name, check in self._checks.items()}
                self._until = asyncio.get_running_loop().time() + HOLDS_SECONDS
            return dict(self._known)

    async def _is_ready(self, name: str, check: Callable[[], Awaitable[None]]) -> bool:
        try:
            await asyncio.wait_for(check(), PART_SECONDS)
        except (CasewrightError, TimeoutError) as error:
            if self._known.get(name, True):
                _log.warning("not ready: %s: %s", name, error)
            return False
        return True

    async def _database(self) -> None:
        await self._services.audit.head()

    async def _schema(self) -> None:
        from casewright.storage.migrate import current, newest

        found, wanted = await asyncio.to_thread(current, self._services.settings.database), newest()
        if found != wanted:
            raise StorageError(f"the database is at migration {found}, not {wanted}; run `casewright init`")

    async def _engine(self) -> None:
        engine = self._services.engine
        if engine.blocking:
            await asyncio.to_thread(engine.probe)
        else:
            engine.probe()

    async def _index(self) -> None:
        await asyncio.to_thread(self._services.corpus.index_version)

    async def _worker(self) -> None:
        seen = last_seen(self._services.settings.home)
        if seen is None or self._services.clock.now_ns() - seen > WORKER_SECONDS * NANOSECONDS:
            raise UnavailableError("no worker was seen lately; start one with `casewright worker`")
