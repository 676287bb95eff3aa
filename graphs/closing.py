"""Where a run comes to rest or ends: its report, its audit event and what it takes back are one transaction.

Called by whoever drives the run, and by `graphs.requests` for a run that nobody drives. It imports no
graph library: where the state in the checkpoints cannot be asked, the run's own events tell what it did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.entry import AuditEntry
from casewright.contracts.run import RunReport, RunStatus
from casewright.services import Services
from graphs.records import ENDED, RunEvent, RunRecords, RunRow
from graphs.report import build_report
from graphs.state import ReviewState

REPORTED: tuple[RunStatus, ...] = ("waiting_approval", "waiting_information", "waiting_answer", "paused")
"""Nothing happens to a run in these between its report and the end of its waiting."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Where a run came to stand."""

    row: RunRow
    report: RunReport
    cancelled_by: str = ""
    """Who cancelled it; the audit and the revoked approvals name them. Empty: nobody did."""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What else changes in its row: what it waits for."""


async def settle(
    services: Services, records: RunRecords, settled: Settled, *, connection: AsyncConnection
) -> RunReport:
    """Keep the report of a run that rests or ends, within the caller's write transaction; the report as kept.

    A run that ends takes back what it asked people, and its end is audited.
    """
    row, report = settled.row, settled.report
    if settled.cancelled_by:
        report = report.model_copy(update={"pending": ()})  # revoked below
    await records.save(report, connection=connection, values=settled.values)
    if settled.cancelled_by:
        await services.approvals.revoke_run(
            row.tenant, row.run_id, by=settled.cancelled_by, why="the run was cancelled", connection=connection
        )
    if report.status in ENDED:
        await services.questions.withdraw(row.tenant, row.run_id, connection=connection)
        entry = AuditEntry(
            kind="run.ended",
            tenant=row.tenant,
            subject=row.subject,
            run_id=row.run_id,
            case_id=row.case_id,
            body={"status": report.status, "because": report.because},
        )
        await services.audit.append(entry, connection=connection)
    return report


async def report_from_records(
    services: Services, records: RunRecords, row: RunRow, status: RunStatus, because: str
) -> RunReport:
    """A report without a look into the checkpoints: the last one while it is fresh, else from the run's events."""
    if row.report is not None and row.status in REPORTED:
        return row.report.model_copy(update={"status": status, "because": because})
    state = told_state(row, await records.events(row.run_id))
    return await build_report(services, records, state, status, because)


def told_state(row: RunRow, events: tuple[RunEvent, ...]) -> ReviewState:
    """As much of a run's state as its events tell: what it did, spent, drafted and proposed."""
    state = ReviewState(run_id=row.run_id, case_id=row.case_id, tenant=row.tenant, subject=row.subject)
    for event in events:
        body = event.body
        match event.kind:
            case "step":
                state["trail"] = [*state.get("trail", []), str(body["node"])]
                state["steps"] = state.get("steps", 0) + 1
                state["tool_calls"] = int(body["tool_calls"])
                state["spent_ms"] = state.get("spent_ms", 0) + int(body["milliseconds"])
            case "drafted" if body["draft_id"]:
                state["draft_id"], state["draft_version"] = str(body["draft_id"]), int(body["version"])
            case "proposed":
                state["approval_id"] = str(body["approval_id"])
            case _:
                pass
    return state
