"""Looks at what can go on and drives it: the seam `Runner`, its SQLite implementation, and the worker's loop.

Whoever asks something of a run commits a row (`graphs.requests`); a look finds it (`graphs.due`). So there is no
message to lose, and a machine that was stopped catches up. It asks nobody for permission: that was done with
the request, and the servers decide anew on every call.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from casewright.approvals.timers import run_due
from casewright.contracts.principal import Principal
from casewright.contracts.question import RunQuestion
from casewright.contracts.run import RunStatus
from casewright.errors import CasewrightError, ConflictError
from casewright.free_memory import give_back
from casewright.services import Services
from graphs.due import DueRun, due_runs
from graphs.presence import Presence
from graphs.records import RunRecords, RunRow
from graphs.requests import KIND, RunRequests
from graphs.runner import ReviewRunner
from graphs.watch import DatabaseWatch

IDLE_SECONDS = 0.05
"""The longest between two looks; a commit of anybody leads to one sooner."""
TIME_SECONDS = 1.0
"""Between two looks at what only time brings about: reminders, expiry, effects that a crash left behind."""
ELSEWHERE_SECONDS = 1.0
"""How long a run that another process holds, or that could not be driven, is left alone."""
DRAIN_SECONDS = 20.0
"""How long a step may take to finish when the worker is stopped; then it is cut off and done again by the next."""
TIDY_AT_REST_SECONDS = 2.0
TIDY_AT_WORK_SECONDS = 30.0
"""Between two times that free memory is given back; it takes some milliseconds, and what is wanted again must come
back page by page."""
_log = logging.getLogger("casewright.worker")


class Runner(Protocol):
    """Runs as a queue offers them: requests commit, `tick` drives what can go on.

    Another implementation (a queue past one machine) keeps the same promises: what was committed is driven by
    somebody, one at a time, and nothing that people decided is lost.
    """

    async def start(self, principal: Principal, case_id: str, *, fresh: bool = False) -> RunRow: ...

    async def answer(self, principal: Principal, run_id: str, question_id: str, value: str) -> RunQuestion: ...

    async def cancel(self, principal: Principal, run_id: str, *, why: str) -> RunRow: ...

    async def pause(self, principal: Principal, run_id: str, *, why: str) -> RunRow: ...

    async def resume(self, principal: Principal, run_id: str) -> RunRow: ...

    async def retry(self, principal: Principal, run_id: str) -> RunRow: ...

    async def fork(self, principal: Principal, run_id: str, *, at: str = "") -> RunRow: ...

    async def tick(self) -> int:
        """Drive what can go on now until each run waits, rests or ends; how many there were."""
        ...


class Rested(Protocol):
    """Where a run came to rest."""

    @property
    def status(self) -> RunStatus: ...

    @property
    def because(self) -> str: ...


class Driver(Protocol):
    """What drives one kind of run."""

    async def resume(self, tenant: str, run_id: str) -> Rested:
        """Drive it until it rests.

        Raises:
            ConflictError: another process is working on it.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Driven:
    """What became of a run that was driven; a failed attempt has no report."""

    run_id: str
    status: RunStatus
    because: str


@dataclass(frozen=True, kw_only=True)
class Drivers:
    """Who drives which kind of run."""

    reviews: ReviewRunner
    questions: Driver

    def of(self, run: DueRun) -> Driver:
        """The one for this run."""
        return self.reviews if run.kind == KIND else self.questions


class SqliteRunner(RunRequests):
    """The default: rows in the data folder's database, driven in this process, a few at a time."""

    def __init__(
        self,
        services: Services,
        records: RunRecords,
        drivers: Drivers,
        *,
        concurrency: int = 4,
        tell: Callable[[Driven], None] | None = None,
    ) -> None:
        """`tell` hears of every run that was driven, when it comes to rest."""
        super().__init__(services, records, services.questions)
        self._services = services
        self._drivers = drivers
        self._concurrency = concurrency
        self._tell = tell
        self._driving: dict[str, asyncio.Task[None]] = {}
        self._elsewhere: dict[str, float] = {}
        self._time_at = float("-inf")
        self._stopped = False

    async def tick(self) -> int:
        """Drive what can go on now, a few at a time, until each run waits, rests or ends; how many there were."""
        taken = await self.look()
        while self._driving and not self._stopped:
            await self.moment()
        return taken

    async def look(self) -> int:
        """Do what time demands, and begin to drive what can go on as far as there is room; how many were begun."""
        await self._keep_time()
        now = asyncio.get_running_loop().time()
        self._elsewhere = {run_id: until for run_id, until in self._elsewhere.items() if until > now}
        room = 0 if self._stopped else self._concurrency - len(self._driving)
        if room <= 0:
            return 0
        without = (*self._driving, *self._elsewhere)
        due = await due_runs(self._services.database, self._services.clock.now_ns(), limit=room, without=without)
        for run in due:
            self._driving[run.run_id] = asyncio.create_task(self._drive(run))
        return len(due)

    @property
    def busy(self) -> bool:
        """Whether a run is being driven."""
        return bool(self._driving)

    async def moment(self) -> None:
        """Wait a moment, or until a run that is being driven comes to rest."""
        if self._driving:
            await asyncio.wait(self._driving.values(), timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)

    def stop(self) -> None:
        """Begin no other run, and let those at work rest after their step; no way back."""
        self._stopped = True
        self._drivers.reviews.drain()

    async def finish(self) -> None:
        """Wait until the runs at work rest; a step that takes too long is cut off."""
        if self._driving:
            _, late = await asyncio.wait(self._driving.values(), timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=DRAIN_SECONDS / 4)

    async def _drive(self, run: DueRun) -> None:
        try:
            rested = await self._drivers.of(run).resume(run.tenant, run.run_id)
        except ConflictError:  # another process holds it, or took it over
            self._leave(run)
        except Exception as error:  # noqa: BLE001 - the boundary of one run; the others go on
            # Its driver has logged what failed in a step with its place; this also tells of what failed before.
            _log.warning("run %r is left alone for a while: %s", run.run_id, type(error).__name__)
            self._leave(run)
        else:
            if self._tell is not None:
                self._tell(Driven(run_id=run.run_id, status=rested.status, because=rested.because))
        finally:
            del self._driving[run.run_id]

    def _leave(self, run: DueRun) -> None:
        self._elsewhere[run.run_id] = asyncio.get_running_loop().time() + ELSEWHERE_SECONDS

    async def _keep_time(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._time_at < TIME_SECONDS:
            return
        self._time_at = now
        try:
            await self._services.outbox.recover()
            await run_due(self._services)
        except CasewrightError:
            _log.exception("what is due could not be done now; the next look tries again")


class Worker:
    """Looks until it is stopped."""

    def __init__(self, services: Services, runner: SqliteRunner) -> None:
        self._services = services
        self._runner = runner
        self._stopping = False
        self._worked = False
        """Whether a run was driven since free memory was last given back."""
        self._tidied_at = float("-inf")

    def stop(self) -> None:
        """Begin no other run, let those at work finish their step, then end."""
        self._stopping = True
        self._runner.stop()

    async def run(self) -> None:
        """Look and drive until `stop`.

        Raises:
            StorageError: the data folder is not set up.
        """
        settings = self._services.settings
        with Presence(settings.home, self._services.clock) as presence:
            async with DatabaseWatch(settings.database) as watch:
                while not self._stopping:
                    seen = watch.changes
                    presence.note()
                    await self._look()
                    await self._tidy()
                    await self._pause(watch, seen)
            await self._runner.finish()

    async def once(self) -> None:
        """Drive what can go on now, and what can go on because of that, then end."""
        while not self._stopping and await self._runner.tick():
            pass
        await self._runner.finish()

    async def _look(self) -> None:
        try:
            await self._runner.look()
        except CasewrightError:
            _log.exception("the database could not be looked at; the next look tries again")

    async def _tidy(self) -> None:
        """Give back the memory that runs took and no longer need, or a worker stays as large as it ever was."""
        busy, now = self._runner.busy, asyncio.get_running_loop().time()
        self._worked = self._worked or busy
        rest = TIDY_AT_WORK_SECONDS if busy else TIDY_AT_REST_SECONDS
        if self._worked and now - self._tidied_at >= rest:
            self._worked, self._tidied_at = busy, now
            await asyncio.to_thread(give_back)

    async def _pause(self, watch: DatabaseWatch, seen: int) -> None:
        if self._runner.busy:  # its own commits are changes, too
            await self._runner.moment()
        else:
            await watch.wait(seen, timeout_seconds=IDLE_SECONDS)
