"""Events of runs as they are committed: one look for all streams of this process, and what each client gets.

`EventFeed` looks into the database when it changed and wakes the streams whose run has something
new. A stream reads its events itself, in small parts and as fast as its client takes them, so
nothing piles up here. It asks again and again whether its person may still read the run.
"""

import asyncio
import contextlib
import json
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from api.errors import ApiProblemError
from api.limits import ApiLimits
from api.permission import Asker
from api.run_views import RunEventView, is_over, recorded_run
from casewright.clock import NANOSECONDS
from casewright.contracts.run import RunStatus
from casewright.errors import CasewrightError
from casewright.services import Services
from casewright.storage.database import connect_to_file, storage_error
from graphs.records import RunEvent, RunRow
from graphs.watch import DatabaseWatch
from servers.shown_records import RecordReader

PART = 100
"""Events that are read at a time."""
REST_SECONDS = 0.005
"""Between two looks, however much is written."""
LOOK_SECONDS = 1.0
"""A look without any change, in case one was missed."""
_NEWEST = "SELECT value, (SELECT max(seq) FROM run_events WHERE run_id = value) FROM json_each(?)"
_log = logging.getLogger("casewright.api")


@dataclass
class _Followed:
    """One run that streams of this process follow."""

    newest: int = 0
    followers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, seen: int, *, timeout_seconds: float) -> None:
        """Return when there is a newer event than `seen`, or when the time is over."""
        if self.newest <= seen:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), timeout_seconds)


class EventFeed:
    """Follows runs while somebody streams them; at rest it holds nothing open."""

    def __init__(self, services: Services, limits: ApiLimits) -> None:
        self._services = services
        self._limits = limits
        self._followed: dict[str, _Followed] = {}
        self._looking: asyncio.Task[None] | None = None
        self._streams: Counter[str] = Counter()

    @asynccontextmanager
    async def following(self, run_id: str) -> AsyncGenerator[_Followed]:
        """What is followed of a run; read its events only inside."""
        followed = self._followed.setdefault(run_id, _Followed())
        followed.followers += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield followed
        finally:
            followed.followers -= 1
            if not followed.followers:
                self._followed.pop(run_id, None)

    def take_place(self, identity: str) -> None:
        """Count a stream.

        Raises:
            ApiProblemError: this person, or everybody together, has as many as there may be.
        """
        full = self._streams[identity] >= self._limits.streams_of_an_identity
        if full or self._streams.total() >= self._limits.streams:
            detail = f"{self._limits.streams_of_an_identity} streams of one person at a time; end one first"
            raise ApiProblemError("too-many-requests", detail, {"retry-after": "10"})
        self._streams[identity] += 1

    def give_back(self, identity: str) -> None:
        """Count a stream no more."""
        self._streams[identity] -= 1
        self._streams += Counter()  # forget who has none

    async def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self) -> None:
        connection = self._opened()
        try:
            async with DatabaseWatch(self._services.settings.database) as watch:
                while self._followed:
                    seen = watch.changes
                    self._tell(connection)
                    await asyncio.sleep(REST_SECONDS)
                    await watch.wait(seen, timeout_seconds=LOOK_SECONDS)
        finally:
            connection.close()

    def _tell(self, connection: sqlite3.Connection) -> None:
        """Wake the streams of runs with newer events; a look that fails is made up for by the next."""
        try:
            rows = connection.execute(_NEWEST, (json.dumps(list(self._followed)),)).fetchall()
        except sqlite3.Error:
            _log.warning("the newest events could not be looked up", exc_info=True)
            return
        for run_id, newest in rows:
            followed = self._followed.get(run_id)
            if followed is not None and newest is not None and newest > followed.newest:
                followed.newest = newest
                followed.changed.set()
                followed.changed.clear()

    def _opened(self) -> sqlite3.Connection:
        path = self._services.settings.database
        try:
            connection = connect_to_file(path, read_only=True)
            connection.execute("PRAGMA busy_timeout=0")  # it runs in the event loop
        except sqlite3.Error as error:
            raise storage_error(str(path), error) from error
        return connection


class EventStream(EventSourceResponse):
    """The events of one run for one client, until the run has ended or nobody may read on."""

    def __init__(self, asker: Asker, row: RunRow, reader: RecordReader, *, after: int) -> None:
        limits = asker.parts.limits
        self._feed = asker.parts.feed
        self._identity = f"{asker.principal.tenant}/{asker.principal.id}"
        self._feed.take_place(self._identity)
        super().__init__(  # pyright: ignore[reportUnknownMemberType] -- the library does not say what its dictionaries hold
            _Reading(asker, row, reader, after=after).events(),
            ping=limits.heartbeat_seconds,
            ping_message_factory=lambda: ServerSentEvent(comment="still here"),
            send_timeout=limits.send_seconds,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._feed.give_back(self._identity)


class _Reading:
    """One stream's way through the events of its run."""

    def __init__(self, asker: Asker, row: RunRow, reader: RecordReader, *, after: int) -> None:
        self._asker = asker
        self._row = row
        self._reader = reader
        self._status: RunStatus = row.status
        self._last = after
        self._limits = asker.parts.limits
        self._begun = self._checked = time.monotonic()

    async def events(self) -> AsyncGenerator[ServerSentEvent]:
        """Events as they come, an `end` when the run has ended; without one, come again with the last id."""
        yield ServerSentEvent(comment=f"events of {self._row.run_id}", retry=1_000)
        async with self._asker.parts.feed.following(self._row.run_id) as followed:
            while await self._may_go_on():
                found = await self._asker.parts.records.events(self._row.run_id, after=self._last, limit=PART)
                for event in found:
                    self._note(event)
                    # ASCII, because some clients take other characters for line ends, too
                    told = json.dumps(
                        RunEventView.of(event, self._reader).model_dump(mode="json"), separators=(",", ":")
                    )
                    yield ServerSentEvent(told, id=str(event.seq), event=event.kind)
                if len(found) == PART:
                    continue
                if is_over(self._row.kind, self._status):
                    yield ServerSentEvent(json.dumps({"status": self._status}), id=str(self._last), event="end")
                    return
                await followed.wait(self._last, timeout_seconds=self._limits.recheck_seconds)

    def _note(self, event: RunEvent) -> None:
        self._last = event.seq
        if event.kind == "status":
            self._status = event.body["status"]

    async def _may_go_on(self) -> bool:
        """Whether token, time and permission last; the permission is asked for again after a while."""
        now = time.monotonic()
        left = self._asker.signed_in.expires_at - self._asker.parts.services.clock.now_ns() // NANOSECONDS
        if left <= 0 or now - self._begun > self._limits.stream_seconds:
            return False
        if now - self._checked < self._limits.recheck_seconds:
            return True
        self._checked = now
        try:
            _, self._reader = await recorded_run(self._asker, self._row.run_id)
        except CasewrightError as error:
            _log.info("request %s: a stream ends: %s", self._asker.request_id, type(error).__name__)
            return False
        return True
