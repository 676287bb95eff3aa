"""Drives review runs; the only thing that does.

Nothing from outside reaches the graph but a wake-up: no value, no command, no state update. A
run that waits is woken only when what it waits for has happened, so waiting costs no budget.
What people want of a run (`wanted`) is obeyed before its first step and between any two (`graphs.stepping`).
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from casewright.contracts.principal import Principal
from casewright.contracts.run import RunReport, RunStatus
from casewright.errors import CasewrightError, ConflictError
from casewright.services import Services
from graphs.attempts import after_failure
from graphs.checkpoint import held_checkpoints
from graphs.closing import Settled, report_from_records, settle
from graphs.desk import Desk
from graphs.lease import RunLease, leased
from graphs.records import ENDED, NOTHING_WANTED, Claim, RunRecords, RunRow
from graphs.report import build_report
from graphs.requests import RunRequests, reviewed
from graphs.review import ReviewGraphs
from graphs.seals import Seals, TamperedError
from graphs.wakeup import Standing, Wake, Waker, config_of, standing_of, state_of
from graphs.wishes import Wish, check_wish, stopped_because

if TYPE_CHECKING:
    from graphs.review import ReviewGraph

_log = logging.getLogger("casewright.graphs")
_STANDS = {"attempts": 0, "not_before_ns": 0}
"""Of a run that came to where it waits or ends: what failed on the way is past."""


class ReviewRunner:
    """Drives reviews in this process; one writer per run across processes."""

    def __init__(self, services: Services, desk: Desk, records: RunRecords) -> None:
        self._services = services
        self._graphs = ReviewGraphs(desk)
        self._records = records
        self._waker = Waker(services, records)
        self._seals = Seals.of(services.signing_key)
        self._controls: set[RunControl] = set()
        self._draining = False

    async def start(self, principal: Principal, case_id: str, *, fresh: bool = False) -> RunReport:
        """Review a case until it ends or waits for people.

        An open run of the same case is continued instead of starting another, unless `fresh`.
        """
        requests = RunRequests(self._services, self._records, self._services.questions)
        row = await requests.start(principal, case_id, fresh=fresh)
        return await self.resume(principal.tenant, row.run_id)

    async def resume(self, tenant: str, run_id: str) -> RunReport:
        """Wake a run, or take it over after a crash, until it waits, rests or ends; a finished one reports again.

        Raises:
            NotFoundError: the tenant has no review with this id.
            ConflictError: another process is working on it.
        """
        reviewed(await self._records.get(tenant, run_id))
        async with self._held(run_id) as held:
            row = reviewed(await self._records.get(tenant, run_id))  # until the lease was had, it could change
            try:
                return await self._drive(row, held)
            except BaseException as error:
                await _check_held(held.lease, error)
                await self._note_failure(row, held, error)
                raise

    async def cancel(self, tenant: str, run_id: str, *, by: str, why: str = "") -> RunReport:
        """End a run that has not ended; what it did stays done, what it asked to be approved is revoked.

        Args:
            by: who cancels; the audit and the revoked approvals name them.

        Raises:
            NotFoundError: the tenant has no review with this id.
            ConflictError: it has ended already, or another process is working on it.
        """
        reviewed(await self._records.get(tenant, run_id))
        async with self._held(run_id) as held:
            row = reviewed(await self._records.get(tenant, run_id))
            wish = Wish(wanted="cancel", why=why)
            check_wish(row, wish)
            return await self._stop(row, held, wish, by=by)

    def drain(self) -> None:
        """Let every run that is being driven rest after its step, queued for whoever looks next; no way back."""
        self._draining = True
        for control in self._controls:
            control.request_drain()

    @asynccontextmanager
    async def _held(self, run_id: str) -> "AsyncGenerator[_Held, None]":
        """The run's lease, and its graph over checkpoints that can be written under it."""
        settings = self._services.settings
        async with (
            leased(settings.checkpoints, settings.home / "locks", run_id, self._services.clock) as lease,
            held_checkpoints(settings.checkpoints, lease, self._seals) as checkpoints,
        ):
            yield _Held(lease=lease, graph=self._graphs.over(checkpoints, run_id=run_id))

    async def _drive(self, row: RunRow, held: "_Held") -> RunReport:
        while True:
            if row.status in (*ENDED, "paused") and row.report is not None and not row.wanted:
                return row.report
            if row.wanted:
                return await self._stop(row, held, Wish(wanted=row.wanted, why=row.wanted_why), by=row.wanted_by)
            wake = await self._waker.wake(held.graph, row)
            finished = True
            if wake is not None:
                claim = await self._claimed(row, held)
                if claim is None:
                    row = await self._again(row)
                    continue
                with claim.held():
                    finished = await self._invoke(row, wake, held)
            report = await self._settle(row, held, finished=finished)
            row = await self._again(row)
            if not row.wanted:
                return report

    async def _claimed(self, row: RunRow, held: "_Held") -> Claim | None:
        """Mark the run as running; None: meanwhile somebody wanted something else of it."""
        if row.status == "running":  # by whoever drove it before us, or after: then the lease is theirs
            await _check_held(held.lease)
        async with self._services.database.write() as connection:
            now = await self._records.get(row.tenant, row.run_id, connection=connection)
            if now.wanted or (now.status != row.status):
                return None
            # if running: under our lease, so whoever drove it died, or was paused for too long
            return await self._records.claim(row.run_id, taken_over=now.status == "running", connection=connection)

    async def _again(self, row: RunRow) -> RunRow:
        return await self._records.get(row.tenant, row.run_id)

    async def _invoke(self, row: RunRow, wake: Wake, held: "_Held") -> bool:
        """Drive the graph; False: it stopped between two steps, because it was asked to."""
        control = RunControl()
        self._controls.add(control)
        if self._draining:
            control.request_drain()
        steps = held.graph.astream(  # pyright: ignore[reportUnknownMemberType]
            wake.input, config_of(row.run_id), stream_mode="updates", durability="sync", control=control
        )
        try:
            async for _ in steps:
                held.progressed = True
        except GraphDrained:
            return False
        finally:
            self._controls.discard(control)
        return True

    async def _settle(self, row: RunRow, held: "_Held", *, finished: bool) -> RunReport:
        """Keep where the run came to stand; one that was asked to stop goes on with whoever looks next."""
        await _check_held(held.lease)
        snapshot = await held.graph.aget_state(config_of(row.run_id))
        state = state_of(row, snapshot)
        stands = standing_of(state, snapshot) if finished else _STOPPED
        report = await build_report(self._services, self._records, state, stands.status, stands.because)
        values = _STANDS | {
            "waiting_for": stands.waiting_for,
            "waiting_revision": await self._waker.noted_revision(row.run_id),
        }
        if report.status in ENDED:
            values |= NOTHING_WANTED  # it came too late: no step was left before which it could be obeyed
        return await self._keep(Settled(row=row, report=report, values=values))

    async def _stop(self, row: RunRow, held: "_Held", wish: Wish, *, by: str) -> RunReport:
        """Cancel or pause the run where it stands."""
        await self._services.outbox.recover()  # a crash may have left an effect on its way
        because = stopped_because(wish.wanted, by=by, why=wish.why)
        report = await self._report(row, held, wish.status, because)
        await _check_held(held.lease)
        cancelled_by = by if wish.wanted == "cancel" else ""
        return await self._keep(
            Settled(row=row, report=report, cancelled_by=cancelled_by, values=_STANDS | NOTHING_WANTED)
        )

    async def _report(self, row: RunRow, held: "_Held", status: RunStatus, because: str) -> RunReport:
        try:
            snapshot = await held.graph.aget_state(config_of(row.run_id))
        except TamperedError:  # a run can be ended whatever became of its state
            return await report_from_records(self._services, self._records, row, status, because)
        return await build_report(self._services, self._records, state_of(row, snapshot), status, because)

    async def _keep(self, settled: Settled) -> RunReport:
        async with self._services.database.write() as connection:
            return await settle(self._services, self._records, settled, connection=connection)

    async def _note_failure(self, row: RunRow, held: "_Held", error: BaseException) -> None:
        """Queue the run for another attempt, or let it rest as failed; with the reason in its report."""
        change = after_failure(row, error, progressed=held.progressed, now_ns=self._services.clock.now_ns())
        _log.error("run %r is %s: %s", row.run_id, change.status, change.because, exc_info=error)
        async with self._services.database.write() as connection:
            await self._records.change(row.run_id, change, connection=connection)
        if not isinstance(error, Exception):
            return  # this process is being stopped
        try:
            told = await self._again(row) if held.progressed else row
            report = await report_from_records(self._services, self._records, told, change.status, change.because)
            settled = Settled(row=row, report=report)
            async with self._services.database.write() as connection:
                now = await self._records.get(row.tenant, row.run_id, connection=connection)
                if now.status == change.status:  # else somebody took it up since, or asked for a retry
                    await settle(self._services, self._records, settled, connection=connection)
        except CasewrightError:  # what failed first is what matters, and the run goes on without this
            _log.warning("the failure of run %r could not be reported", row.run_id, exc_info=True)


@dataclass(kw_only=True)
class _Held:
    """A run that this process may drive."""

    lease: RunLease
    graph: "ReviewGraph"
    progressed: bool = False
    """Whether a step was finished since it is held."""


_STOPPED = Standing(status="queued", because="whoever drove it was stopped between two steps; it goes on from there")


async def _check_held(lease: RunLease, cause: BaseException | None = None) -> None:
    """A run that somebody took over is theirs to report on, and to call failed.

    Raises:
        ConflictError: the lease is lost.
    """
    if not await lease.is_held():
        raise ConflictError(f"run {lease.run_id!r} was taken over by another process; it goes on there") from cause
