"""What reviews left behind: their events, the audit, the outbox and the case's own record, as values.

Read once from the stores after everything is over; scorers judge nothing else (`evals.scorers.trajectory`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from casewright.contracts.event import AuditEvent
from casewright.contracts.run import BudgetSpent, RunStatus
from casewright.services import Services
from casewright.storage.tables import outbox
from graphs.records import RunEvent, RunRecords, RunRow


@dataclass(frozen=True, kw_only=True)
class RunTrail:
    """One run, from its row, its events and its part of the audit."""

    run_id: str
    parent: str
    """The run that it was forked from; empty: none."""
    status: RunStatus
    because: str
    events: tuple[RunEvent, ...]
    audit: tuple[AuditEvent, ...]
    spent: BudgetSpent | None
    """As the last report has it; None: there is no report."""


@dataclass(frozen=True, kw_only=True)
class EffectRow:
    """One row of the outbox."""

    effect_id: str
    approval_id: str
    run_id: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Trail:
    """Everything about one case, oldest run first."""

    runs: tuple[RunTrail, ...]
    effects: tuple[EffectRow, ...]
    """Of the case, in the outbox."""
    recorded: tuple[str, ...]
    """What the case's own timeline says was done on it."""
    audit_problem: str
    """What a verification of the whole audit found; empty: it is sound."""

    @property
    def last(self) -> RunTrail:
        return self.runs[-1]

    @property
    def audit(self) -> tuple[AuditEvent, ...]:
        """The audit of all its runs, in the order of the log."""
        return tuple(sorted((event for run in self.runs for event in run.audit), key=lambda event: event.seq))


async def read_trail(services: Services, records: RunRecords, *, tenant: str, case_id: str) -> Trail:
    """The trail of a case, from the stores as they are now."""
    rows = [row for row in await records.list(tenant, case_id=case_id) if row.kind == "review"]
    runs = [await _run(services, records, row) for row in sorted(rows, key=lambda row: row.created_ns)]
    verified = await services.audit.verify()
    stored = await services.cases.load(tenant, case_id)
    timeline = stored.case.timeline if stored is not None else ()
    return Trail(
        runs=tuple(runs),
        effects=await _effects(services, case_id),
        recorded=tuple(event.what for event in timeline if event.source == "recorded effect"),
        audit_problem="" if verified.ok else str(verified.problem),
    )


async def _run(services: Services, records: RunRecords, row: RunRow) -> RunTrail:
    return RunTrail(
        run_id=row.run_id,
        parent=row.parent,
        status=row.status,
        because=row.report.because if row.report is not None else "",
        events=await records.events(row.run_id),
        audit=await services.audit.events(tenant=row.tenant, run_id=row.run_id),
        spent=row.report.budget.spent if row.report is not None else None,
    )


async def _effects(services: Services, case_id: str) -> tuple[EffectRow, ...]:
    async with services.database.read() as connection:
        found: Sequence[Any] = (await connection.execute(select(outbox).where(outbox.c.case_id == case_id))).all()
    return tuple(
        EffectRow(effect_id=row.effect_id, approval_id=row.approval_id, run_id=row.run_id, state=row.state)
        for row in found
    )
