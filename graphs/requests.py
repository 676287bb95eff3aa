"""What people ask of runs: committed with its audit event, and never driven here.

The API and the commands ask through this; workers look at the rows (`graphs.due`). It imports no graph
library, and permission is asked by the caller (`servers.permission`) before.
"""

import contextlib
import secrets
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.entry import AuditEntry
from casewright.contracts.event import EventKind
from casewright.contracts.principal import Principal
from casewright.contracts.question import RunQuestion
from casewright.contracts.run import RunStatus
from casewright.errors import ConflictError, InputError, NotFoundError
from casewright.questions.store import RunQuestions
from casewright.services import Services
from graphs.closing import Settled, report_from_records, settle
from graphs.forking import carry_meter
from graphs.lease import HeldElsewhereError, RunLease, leased
from graphs.records import ENDED, NOTHING_WANTED, NewRun, RunChange, RunRecords, RunRow
from graphs.state import DELEGATES
from graphs.wishes import Wish, check_wish, stopped_because

KIND = "review"
FORKABLE: tuple[RunStatus, ...] = (
    "waiting_approval",
    "waiting_information",
    "waiting_answer",
    "paused",
    "failed",
    *ENDED,
)
"""Nobody drives a run in these, so it is known where it stands."""


class RunRequests:
    """Begins, answers and steers the runs of a tenant, for a person who may."""

    def __init__(self, services: Services, records: RunRecords, questions: RunQuestions) -> None:
        self._services = services
        self._records = records
        self._questions = questions

    async def start(self, principal: Principal, case_id: str, *, fresh: bool = False, run_id: str = "") -> RunRow:
        """The open run of the case, or a new one that is queued; with `fresh` always a new one.

        One transaction, so two who start at once get one run.

        Args:
            run_id: what a new run is called; if there is such a run, it is given again. Empty: chosen here.
        """
        async with self._services.database.write() as connection:
            known = await self._records.known(principal.tenant, run_id, connection=connection)
            if known is None and not fresh:
                known = await self._records.open_run(principal.tenant, case_id, kind=KIND, connection=connection)
            if known is not None:
                return await self._records.get(principal.tenant, known, connection=connection)
            row = await self._add(_new(case_id, run_id), principal, connection)
            await self._audit(_Asked(principal, row, {}, kind="run.started"), connection)
            return row

    async def answer(self, principal: Principal, run_id: str, question_id: str, value: str) -> RunQuestion:
        """Answer what a run asks; the same answer again changes nothing.

        Raises:
            NotFoundError: the tenant has no such run, or the run no such question.
            InputError: no option has this value.
            ConflictError: it was answered with another value, or withdrawn.
        """
        row = await self._review(principal, run_id)
        return await self._questions.answer(row.tenant, run_id, question_id, value, by=principal)

    async def cancel(self, principal: Principal, run_id: str, *, why: str) -> RunRow:
        """End a run; what it did stays done, what it asked to be approved is revoked.

        A run that nobody drives is ended here and now; whoever drives it otherwise ends it before its next step.

        Raises:
            NotFoundError: the tenant has no review with this id.
            ConflictError: it has ended already.
            InputError: the reason is too long.
        """
        return await self._stop(principal, run_id, Wish(wanted="cancel", why=why))

    async def pause(self, principal: Principal, run_id: str, *, why: str) -> RunRow:
        """Let a run rest until somebody resumes it; whoever drives it stops before its next step.

        Raises:
            NotFoundError: the tenant has no review with this id.
            ConflictError: it has ended or failed.
            InputError: the reason is too long.
        """
        return await self._stop(principal, run_id, Wish(wanted="pause", why=why))

    async def resume(self, principal: Principal, run_id: str) -> RunRow:
        """Let a paused run go on, or take back a pause that was not obeyed yet.

        Raises:
            NotFoundError: the tenant has no review with this id.
            ConflictError: it is not paused.
        """
        async with self._services.database.write() as connection:
            row = await self._review(principal, run_id, connection)
            if row.status != "paused" and row.wanted != "pause":
                raise ConflictError(f"run {run_id!r} is {row.status}, not paused; there is nothing to resume")
            status: RunStatus = "queued" if row.status == "paused" else row.status
            change = RunChange(status=status, because=f"resumed by {principal.id}", values=NOTHING_WANTED)
            await self._records.change(run_id, change, connection=connection)
            await self._audit(_Asked(principal, row, {"asked": "resume"}), connection)
            return await self._records.get(principal.tenant, run_id, connection=connection)

    async def retry(self, principal: Principal, run_id: str) -> RunRow:
        """Let a failed run try its last step again, with as many attempts as a new one.

        Raises:
            NotFoundError: the tenant has no review with this id.
            ConflictError: it has not failed.
        """
        async with self._services.database.write() as connection:
            row = await self._review(principal, run_id, connection)
            if row.status != "failed":
                raise ConflictError(f"run {run_id!r} is {row.status}; only a run that failed is tried again")
            values = {"attempts": 0, "not_before_ns": 0}
            change = RunChange(status="queued", because=f"tried again for {principal.id}", values=values)
            await self._records.change(run_id, change, connection=connection)
            await self._audit(_Asked(principal, row, {"asked": "retry"}), connection)
            return await self._records.get(principal.tenant, run_id, connection=connection)

    async def fork(self, principal: Principal, run_id: str, *, at: str = "", new_id: str = "") -> RunRow:
        """A new run that begins as the other stands: the next revision, its budgets spent so far, no approval.

        Args:
            at: the delegate to begin from; empty: the first.
            new_id: what the new run is called; if there is such a run, it is given again. Empty: chosen here.

        Raises:
            NotFoundError: the tenant has no review with this id.
            ConflictError: somebody drives it, or will at once; pause it first.
            InputError: there is no such delegate.
        """
        if at and at not in DELEGATES:
            raise InputError(f"there is no step {at!r} to fork at; name one of {', '.join(DELEGATES)}, or none")
        async with self._services.database.write() as connection:
            parent = await self._review(principal, run_id, connection)
            if known := await self._records.known(principal.tenant, new_id, connection=connection):
                return await self._records.get(principal.tenant, known, connection=connection)
            if parent.status not in FORKABLE:
                raise ConflictError(f"run {run_id!r} is {parent.status}; pause it before it is forked")
            row = await self._add(_new(parent.case_id, new_id, parent), principal, connection)
            carried = await carry_meter(connection, row.tenant, parent=run_id, child=row.run_id)
            await self._records.note(row.run_id, "forked", {"parent": run_id, "at": at}, connection=connection)
            body: dict[str, object] = {"parent": run_id, "at": at, "revision": row.revision, **carried}
            await self._audit(_Asked(principal, row, body, kind="run.forked"), connection)
            return row

    async def _stop(self, principal: Principal, run_id: str, wish: Wish) -> RunRow:
        """Do it here if nobody drives the run, else note it."""
        check_wish(await self._review(principal, run_id), wish)
        async with contextlib.AsyncExitStack() as held:
            try:
                await held.enter_async_context(self._lease(run_id))
            except HeldElsewhereError:
                await self._want(principal, run_id, wish)
            else:
                await self._stop_here(principal, run_id, wish)
        return await self._records.get(principal.tenant, run_id)

    async def _stop_here(self, principal: Principal, run_id: str, wish: Wish) -> None:
        """Stop a run that nobody drives, as long as the lease is held."""
        await self._services.outbox.recover()  # a crash may have left an effect on its way
        row = await self._review(principal, run_id)  # again: until the lease was had, it could end
        check_wish(row, wish)
        if row.status == wish.status:
            return
        because = stopped_because(wish.wanted, by=principal.id, why=wish.why)
        report = await report_from_records(self._services, self._records, row, wish.status, because)
        settled = Settled(
            row=row,
            report=report,
            cancelled_by=principal.id if wish.wanted == "cancel" else "",
            values=NOTHING_WANTED | {"not_before_ns": 0},
        )
        async with self._services.database.write() as connection:
            await self._audit(_Asked(principal, row, {"asked": wish.wanted, "why": wish.why}), connection)
            await settle(self._services, self._records, settled, connection=connection)

    async def _want(self, principal: Principal, run_id: str, wish: Wish) -> None:
        """Note what is wanted of a run; whoever drives it, or looks at it next, obeys."""
        async with self._services.database.write() as connection:
            row = await self._review(principal, run_id, connection)
            check_wish(row, wish)
            if row.status == wish.status or row.wanted in ("cancel", wish.wanted):
                return  # so it is, or it was asked for already, or more was
            values = {"wanted": wish.wanted, "wanted_by": principal.id, "wanted_why": wish.why}
            await self._records.change(run_id, RunChange(status=row.status, values=values), connection=connection)
            await self._audit(_Asked(principal, row, {"asked": wish.wanted, "why": wish.why}), connection)

    async def _add(self, new: NewRun, principal: Principal, connection: AsyncConnection) -> RunRow:
        await self._records.add(new, principal, connection=connection)
        return await self._records.get(principal.tenant, new.run_id, connection=connection)

    async def _review(self, principal: Principal, run_id: str, connection: AsyncConnection | None = None) -> RunRow:
        return reviewed(await self._records.get(principal.tenant, run_id, connection=connection))

    def _lease(self, run_id: str) -> AbstractAsyncContextManager[RunLease]:
        settings = self._services.settings
        return leased(settings.checkpoints, settings.home / "locks", run_id, self._services.clock)

    async def _audit(self, asked: "_Asked", connection: AsyncConnection) -> None:
        entry = AuditEntry(
            kind=asked.kind,
            tenant=asked.row.tenant,
            subject=asked.principal.id,
            run_id=asked.row.run_id,
            case_id=asked.row.case_id,
            body=asked.body,
        )
        await self._services.audit.append(entry, connection=connection)


@dataclass(frozen=True)
class _Asked:
    """What somebody asked of a run, for the audit."""

    principal: Principal
    row: RunRow
    body: Mapping[str, object]
    kind: EventKind = "run.steered"


def reviewed(row: RunRow) -> RunRow:
    """The row of a review.

    Raises:
        NotFoundError: the run is something else.
    """
    if row.kind != KIND:
        raise NotFoundError(f"run {row.run_id!r} is no review but a {row.kind!r} run; it is not resumed or cancelled")
    return row


def _new(case_id: str, run_id: str, parent: RunRow | None = None) -> NewRun:
    return NewRun(
        run_id=run_id or f"run-{secrets.token_hex(8)}",
        case_id=case_id,
        kind=KIND,
        status="queued",
        parent=parent.run_id if parent else "",
        revision=parent.revision + 1 if parent else 1,
    )
