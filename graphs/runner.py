"""Starts, wakes and cancels review runs; the only thing that drives the graph.

Nothing from outside reaches the graph but a wake-up: no value, no command, no state update. A
run that waits is woken only when what it waits for has happened, so waiting costs no budget.
"""

import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from langgraph.types import Command

from casewright.audit.entry import AuditEntry
from casewright.contracts.principal import Principal
from casewright.contracts.run import RunReport, RunStatus
from casewright.errors import ConflictError, NotFoundError
from casewright.services import Services
from graphs.checkpoint import open_checkpoints
from graphs.desk import Desk
from graphs.lease import RunLease, leased
from graphs.records import ENDED, RunRecords, RunRow
from graphs.report import build_report
from graphs.review import RECURSION_LIMIT, build_graph
from graphs.state import ReviewState

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.graph.state import CompiledStateGraph

    ReviewGraph = CompiledStateGraph[ReviewState, None, ReviewState, ReviewState]

_log = logging.getLogger("casewright.graphs")
KIND = "review"


class ReviewRunner:
    """Runs reviews in this process; one writer per run across processes."""

    def __init__(self, services: Services, desk: Desk, records: RunRecords) -> None:
        self._services = services
        self._desk = desk
        self._records = records

    async def start(self, principal: Principal, case_id: str, *, fresh: bool = False) -> RunReport:
        """Review a case until it ends or waits for people.

        An open run of the same case is continued instead of starting another, unless `fresh`.
        """
        run_id = await self._open_or_begin(principal, case_id, fresh=fresh)
        return await self.resume(principal.tenant, run_id)

    async def resume(self, tenant: str, run_id: str) -> RunReport:
        """Wake a run, or take it over after a crash; a finished run gives its report again.

        Raises:
            NotFoundError: the tenant has no review with this id.
            ConflictError: another process is working on it.
        """
        await self._review(tenant, run_id)
        async with self._held(run_id) as (lease, checkpoints):
            row = await self._review(tenant, run_id)  # again: until the lease was had, somebody else could end it
            if row.status in ENDED and row.report is not None:
                return row.report
            graph = build_graph(self._desk, checkpoints)
            wake = await self._wake_up(graph, _blank(row))
            if wake is not None:
                await self._records.mark(run_id, "running")
                await self._invoke(graph, wake.input, lease)
            return await self._settle(graph, row, lease)

    async def cancel(self, tenant: str, run_id: str, *, by: str) -> RunReport:
        """End a run that has not ended; what it did stays done, what it asked to be approved is revoked.

        Args:
            by: who cancels; the audit and the revoked approvals name them.

        Raises:
            NotFoundError: the tenant has no review with this id.
            ConflictError: it has ended already, or another process is working on it.
        """
        await self._review(tenant, run_id)
        async with self._held(run_id) as (_lease, checkpoints):
            row = await self._review(tenant, run_id)
            if row.status in ENDED:
                raise ConflictError(f"run {run_id!r} has ended already: {row.status}")
            graph = build_graph(self._desk, checkpoints)
            snapshot = await graph.aget_state(_config(run_id))
            state = cast(ReviewState, {**_blank(row), **cast(dict[str, Any], snapshot.values)})
            report = await build_report(self._services, self._records, state, "cancelled", f"cancelled by {by}")
            report = report.model_copy(update={"pending": ()})  # revoked in the transaction that saves this
            await self._save(row, report, cancelled_by=by)
        return report

    async def _open_or_begin(self, principal: Principal, case_id: str, *, fresh: bool) -> str:
        """The open run of the case or a new one; one transaction, so two who start at once get one run."""
        tenant, run_id = principal.tenant, f"run-{secrets.token_hex(8)}"
        async with self._services.database.write() as connection:
            if not fresh:
                known = await self._records.open_run(tenant, case_id, kind=KIND, connection=connection)
                if known is not None:
                    return known
            await self._records.begin(run_id, principal, case_id, kind=KIND, connection=connection)
            entry = AuditEntry(
                kind="run.started", tenant=tenant, subject=principal.id, run_id=run_id, case_id=case_id, body={}
            )
            await self._services.audit.append(entry, connection=connection)
        return run_id

    async def _review(self, tenant: str, run_id: str) -> RunRow:
        row = await self._records.get(tenant, run_id)
        if row.kind != KIND:
            raise NotFoundError(f"run {run_id!r} is no review but a {row.kind!r} run; it is not resumed or cancelled")
        return row

    @asynccontextmanager
    async def _held(self, run_id: str) -> "AsyncGenerator[tuple[RunLease, AsyncSqliteSaver], None]":
        """The run's lease, and checkpoints that can be written under it."""
        settings = self._services.settings
        async with (
            leased(settings.checkpoints, settings.home / "locks", run_id, self._services.clock) as lease,
            open_checkpoints(settings.checkpoints, lease) as checkpoints,
        ):
            yield lease, checkpoints

    async def _wake_up(self, graph: "ReviewGraph", state: ReviewState) -> "_Wake | None":
        """What to invoke the graph with; None: it waits for something that has not happened."""
        snapshot = await graph.aget_state(_config(state["run_id"]))
        if not snapshot.values:  # new, or it crashed before its first checkpoint
            await self._note_revision(state)
            return _Wake(state)
        if not snapshot.tasks:
            return None
        if not snapshot.interrupts:
            # It crashed between two steps: go on. Not `next`, which leaves out a node whose writes are
            # stored but not yet taken up by a checkpoint; such a run is not at its end.
            return _Wake(None)
        waiting = cast(dict[str, Any], snapshot.interrupts[0].value)
        if waiting.get("waiting") == "approval":
            happened = await self._approval_decided(state["tenant"], str(waiting.get("approval_id", "")))
        else:
            happened = await self._case_changed(state)
        return _Wake(Command(resume={snapshot.interrupts[0].id: "woken"})) if happened else None

    async def _invoke(self, graph: "ReviewGraph", value: Any, lease: RunLease) -> None:
        config = _config(lease.run_id)
        try:
            await graph.ainvoke(value, config, durability="sync")  # pyright: ignore[reportUnknownMemberType]
        except BaseException as error:
            await _check_held(lease, error)
            _log.exception("run %r stopped in the middle; `runs resume` takes it up again", lease.run_id)
            await self._records.mark(lease.run_id, "failed")
            raise

    async def _settle(self, graph: "ReviewGraph", row: RunRow, lease: RunLease) -> RunReport:
        await _check_held(lease)
        snapshot = await graph.aget_state(_config(row.run_id))
        state = cast(ReviewState, {**_blank(row), **cast(dict[str, Any], snapshot.values)})
        status, because = _status(state, tuple(item.value for item in snapshot.interrupts))
        report = await build_report(self._services, self._records, state, status, because)
        await self._save(row, report)
        return report

    async def _save(self, row: RunRow, report: RunReport, *, cancelled_by: str = "") -> None:
        """Keep the report; the end of a run, its audit event and what it revokes are one transaction."""
        async with self._services.database.write() as connection:
            await self._records.save(report, connection=connection)
            if cancelled_by:
                await self._services.approvals.revoke_run(
                    row.tenant, row.run_id, by=cancelled_by, why="the run was cancelled", connection=connection
                )
            if report.status in ENDED:
                entry = AuditEntry(
                    kind="run.ended",
                    tenant=row.tenant,
                    subject=row.subject,
                    run_id=row.run_id,
                    case_id=row.case_id,
                    body={"status": report.status, "because": report.because},
                )
                await self._services.audit.append(entry, connection=connection)

    async def _approval_decided(self, tenant: str, approval_id: str) -> bool:
        approval = await self._services.approvals.get(tenant, approval_id)
        return approval.state != "pending"

    async def _case_changed(self, state: ReviewState) -> bool:
        """Whether the case is another one than when its facts were read; then that one is noted."""
        noted = await self._records.events(state["run_id"], kind="reading")
        known = noted[-1].body.get("case_revision") if noted else None
        if known == await self._revision(state):
            return False
        await self._note_revision(state)
        return True

    async def _note_revision(self, state: ReviewState) -> None:
        """Note the case's revision before its facts are read, so that no later change is missed."""
        body: dict[str, object] = {"case_revision": await self._revision(state)}
        await self._records.step(state["run_id"], "reading", body)

    async def _revision(self, state: ReviewState) -> int:
        """The case's revision; 0: there is no such case, which the first step finds out."""
        stored = await self._services.cases.load(state["tenant"], state["case_id"])
        return stored.revision if stored is not None else 0


class _Wake:
    """An input for the graph; wraps None, which is a valid one ("go on")."""

    def __init__(self, value: Any) -> None:
        self.input = value


async def _check_held(lease: RunLease, cause: BaseException | None = None) -> None:
    """A run that somebody took over is theirs to report on, and to call failed.

    Raises:
        ConflictError: the lease is lost.
    """
    if not await lease.is_held():
        raise ConflictError(f"run {lease.run_id!r} was taken over by another process; it goes on there") from cause


def _config(run_id: str) -> Any:
    return {"configurable": {"thread_id": run_id}, "recursion_limit": RECURSION_LIMIT}


def _blank(row: RunRow) -> ReviewState:
    return ReviewState(run_id=row.run_id, case_id=row.case_id, tenant=row.tenant, subject=row.subject)


def _status(state: ReviewState, interrupts: tuple[Any, ...]) -> tuple[RunStatus, str]:
    if interrupts and interrupts[0].get("waiting") == "approval":
        return "waiting_approval", "the proposed action waits for approval"
    if interrupts:
        return "waiting_information", "the checklist is not complete: " + ", ".join(state.get("missing", []))
    status = cast(RunStatus, state.get("status", "failed"))
    return status, state.get("because", "the run stopped in the middle")
