"""What is kept of a run beside its checkpoints: its row, its events, its last report.

Events are for people and for the report; the audit log is the record of what was allowed.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.clock import Clock
from casewright.contracts.principal import Principal
from casewright.contracts.run import RunReport, RunStatus
from casewright.errors import NotFoundError
from casewright.storage.database import Database
from casewright.storage.run_tables import run_events, runs

ENDED: tuple[RunStatus, ...] = ("completed", "incomplete", "cancelled")
"""A failed run is not among them: it goes on from its last checkpoint."""


@dataclass(frozen=True, kw_only=True)
class RunRow:
    run_id: str
    tenant: str
    case_id: str
    kind: str
    subject: str
    status: RunStatus
    created_ns: int
    updated_ns: int
    report: RunReport | None


@dataclass(frozen=True, kw_only=True)
class RunEvent:
    seq: int
    at_ns: int
    kind: str
    body: dict[str, Any]


class RunRecords:
    """Rows and events of runs, scoped by tenant when read for people."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(
        self, run_id: str, principal: Principal, case_id: str, *, kind: str, connection: AsyncConnection | None = None
    ) -> None:
        """Add a run, within the caller's write transaction if there is one."""
        if connection is None:
            async with self._database.write() as own:
                return await self.begin(run_id, principal, case_id, kind=kind, connection=own)
        now = self._clock.now_ns()
        row = {
            "run_id": run_id,
            "tenant": principal.tenant,
            "case_id": case_id,
            "kind": kind,
            "subject": principal.id,
            "status": "running",
            "created_ns": now,
            "updated_ns": now,
            "report": "",
        }
        await connection.execute(insert(runs).values(row))
        return None

    async def open_run(self, tenant: str, case_id: str, *, kind: str, connection: AsyncConnection) -> str | None:
        """The newest run of the case that has not ended, as the caller's write transaction sees it."""
        query = (
            select(runs.c.run_id)
            .where(runs.c.tenant == tenant, runs.c.case_id == case_id, runs.c.kind == kind)
            .where(runs.c.status.not_in(ENDED))
            .order_by(runs.c.created_ns.desc())
            .limit(1)
        )
        return (await connection.execute(query)).scalar()

    async def save(self, report: RunReport, *, connection: AsyncConnection) -> None:
        """Keep the latest report and status, within the caller's write transaction."""
        values = {"status": report.status, "updated_ns": self._clock.now_ns(), "report": report.model_dump_json()}
        await connection.execute(update(runs).where(runs.c.run_id == report.run_id).values(values))

    async def mark(self, run_id: str, status: RunStatus) -> None:
        values = {"status": status, "updated_ns": self._clock.now_ns()}
        async with self._database.write() as connection:
            await connection.execute(update(runs).where(runs.c.run_id == run_id).values(values))

    async def step(self, run_id: str, kind: str, body: dict[str, object]) -> None:
        """Add an event; `seq` counts from 1 without gaps."""
        async with self._database.write() as connection:
            last = select(func.coalesce(func.max(run_events.c.seq), 0)).where(run_events.c.run_id == run_id)
            seq = int((await connection.execute(last)).scalar_one()) + 1
            row = {
                "run_id": run_id,
                "seq": seq,
                "at_ns": self._clock.now_ns(),
                "kind": kind,
                "body": json.dumps(body, ensure_ascii=False),
            }
            await connection.execute(insert(run_events).values(row))

    async def get(self, tenant: str, run_id: str) -> RunRow:
        """One run of a tenant.

        Raises:
            NotFoundError: there is none with this id in this tenant.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(_select().where(runs.c.run_id == run_id))).first()
        if row is None or row.tenant != tenant:
            raise NotFoundError(f"there is no run {run_id!r}; `casewright runs list` shows what there is")
        return _row(row)

    async def list(self, tenant: str, *, case_id: str = "") -> tuple[RunRow, ...]:
        """The runs of a tenant, newest first."""
        query = _select().where(runs.c.tenant == tenant).order_by(runs.c.created_ns.desc()).limit(500)
        if case_id:
            query = query.where(runs.c.case_id == case_id)
        async with self._database.read() as connection:
            return tuple(_row(row) for row in await connection.execute(query))

    async def events(self, run_id: str, *, kind: str = "") -> tuple[RunEvent, ...]:
        query = select(run_events).where(run_events.c.run_id == run_id).order_by(run_events.c.seq)
        if kind:
            query = query.where(run_events.c.kind == kind)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(RunEvent(seq=row.seq, at_ns=row.at_ns, kind=row.kind, body=json.loads(row.body)) for row in rows)


def _select() -> Any:
    return select(runs)


def _row(row: Any) -> RunRow:
    report = RunReport.model_validate_json(row.report) if row.report else None
    return RunRow(
        run_id=row.run_id,
        tenant=row.tenant,
        case_id=row.case_id,
        kind=row.kind,
        subject=row.subject,
        status=row.status,
        created_ns=row.created_ns,
        updated_ns=row.updated_ns,
        report=report,
    )
