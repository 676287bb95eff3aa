"""What is kept of a run beside its checkpoints: its row, its events, its last report.

Events are for people and for the report; the audit log is the record of what was allowed. A change
of status and the `status` event that tells it are one transaction.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import BigInteger, String, Text, bindparam, exists, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.beside import Beside, written
from casewright.clock import Clock
from casewright.contracts.principal import Principal
from casewright.contracts.run import RunReport, RunStatus
from casewright.errors import ConflictError, NotFoundError
from casewright.storage.database import Database
from casewright.storage.run_tables import run_events, runs

ENDED: tuple[RunStatus, ...] = ("completed", "incomplete", "cancelled")
"""A failed run is not among them: it goes on from its last checkpoint when somebody asks for a retry."""
Wanted = Literal["", "cancel", "pause"]
_OF_RUN = run_events.c.run_id == bindparam("of_run", type_=String)
_LATEST = select(func.coalesce(func.max(run_events.c.seq), 0)).where(_OF_RUN).scalar_subquery()
_CLAIMS = ("status", "taken_over")
"""Events of whoever drives a run: one of them stands before and after everything that one holder's steps record."""
_ADD_EVENT = insert(run_events).from_select(
    ["run_id", "seq", "at_ns", "kind", "body"],
    select(
        bindparam("of_run", type_=String),
        _LATEST + 1,
        bindparam("now_ns", type_=BigInteger),
        bindparam("what", type_=String),
        bindparam("content", type_=Text),
    ).where(
        ~exists().where(
            _OF_RUN,
            run_events.c.seq > bindparam("claimed", type_=BigInteger),
            run_events.c.kind.in_(_CLAIMS),
        )
    ),
)
"""One statement, because a write transaction keeps every other waiting. It adds nothing once the claim is another's."""
_NO_CLAIM = 2**62
"""Later than every event: of whoever drives nothing."""
_claim: ContextVar["Claim | None"] = ContextVar("claim", default=None)
NOTHING_WANTED = {"wanted": "", "wanted_by": "", "wanted_why": ""}


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
    parent: str
    """The run that this one was forked from; empty: none."""
    revision: int
    """1, or one more than the parent's."""
    waiting_for: str
    """The approval or question that the run waits for."""
    waiting_revision: int
    """The case revision that the run waits with."""
    wanted: Wanted
    wanted_by: str
    wanted_why: str
    attempts: int
    """Failed attempts at the step the run stands before."""
    not_before_ns: int
    """When the next attempt may be made, in nanoseconds since the epoch; 0: at once."""
    pins: Mapping[str, Any]
    """The versions that the run was begun with; see `graphs.versions`."""


@dataclass(frozen=True, kw_only=True)
class RunEvent:
    seq: int
    at_ns: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """That a process began to drive a run: the fence of what its steps record, as the lease is of checkpoints.

    Whoever takes the run over claims it anew, in the same database and before its first step. From then on nothing
    that steps under the earlier claim would record is written, however late their process wakes up.
    """

    run_id: str
    seq: int
    """Of the event that tells it."""

    @contextmanager
    def held(self) -> Generator[None]:
        """Everything recorded within the block, and by tasks begun in it, is recorded under this claim."""
        token = _claim.set(self)
        try:
            yield
        finally:
            _claim.reset(token)


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """A run as it is begun."""

    run_id: str
    case_id: str
    kind: str
    status: RunStatus = "running"
    parent: str = ""
    revision: int = 1


@dataclass(frozen=True, kw_only=True)
class RunChange:
    """Another status, why, and what else changes in the row with it."""

    status: RunStatus
    because: str = ""
    """In one sentence, for the event."""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


class RunRecords:
    """Rows and events of runs, scoped by tenant when read for people."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(
        self, run_id: str, principal: Principal, case_id: str, *, kind: str, connection: AsyncConnection | None = None
    ) -> None:
        """Add a run that is worked on at once, within the caller's write transaction if there is one."""
        new = NewRun(run_id=run_id, case_id=case_id, kind=kind)
        if connection is not None:
            return await self.add(new, principal, connection=connection)
        async with self._database.write() as own:
            return await self.add(new, principal, connection=own)

    async def add(self, new: NewRun, principal: Principal, *, connection: AsyncConnection) -> None:
        """Add a run, within the caller's write transaction."""
        now = self._clock.now_ns()
        row = {
            "run_id": new.run_id,
            "tenant": principal.tenant,
            "case_id": new.case_id,
            "kind": new.kind,
            "subject": principal.id,
            "status": new.status,
            "created_ns": now,
            "updated_ns": now,
            "report": "",
            "parent": new.parent,
            "revision": new.revision,
        }
        await connection.execute(insert(runs).values(row))
        await self.note(new.run_id, "status", {"status": new.status, "because": ""}, connection=connection)

    async def known(self, tenant: str, run_id: str, *, connection: AsyncConnection) -> str | None:
        """The id if the tenant has such a run, as the caller's write transaction sees it."""
        query = select(runs.c.run_id).where(runs.c.tenant == tenant, runs.c.run_id == run_id)
        return (await connection.execute(query)).scalar() if run_id else None

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

    async def save(
        self, report: RunReport, *, connection: AsyncConnection, values: Mapping[str, Any] | None = None
    ) -> None:
        """Keep the latest report, its status and what else changes with it, within the caller's write transaction."""
        kept = {**(values or {}), "report": report.model_dump_json()}
        change = RunChange(status=report.status, because=report.because, values=kept)
        await self.change(report.run_id, change, connection=connection)

    async def mark(self, run_id: str, status: RunStatus) -> None:
        """Another status, in a transaction of its own."""
        async with self._database.write() as connection:
            await self.change(run_id, RunChange(status=status), connection=connection)

    async def change(self, run_id: str, change: RunChange, *, connection: AsyncConnection) -> None:
        """Change the row; another status leaves its event. Within the caller's write transaction."""
        before = (await connection.execute(select(runs.c.status).where(runs.c.run_id == run_id))).scalar_one()
        values = {**change.values, "status": change.status, "updated_ns": self._clock.now_ns()}
        await connection.execute(update(runs).where(runs.c.run_id == run_id).values(values))
        if before != change.status:
            body: dict[str, object] = {"status": change.status, "because": change.because}
            await self.note(run_id, "status", body, connection=connection)

    async def wanted(self, run_id: str) -> bool:
        """Whether somebody wants the run to stop."""
        async with self._database.read() as connection:
            return bool((await connection.execute(select(runs.c.wanted).where(runs.c.run_id == run_id))).scalar())

    async def pin(self, run_id: str, pins: Mapping[str, Any]) -> None:
        """Keep the versions that the run is begun with."""
        values = {"pins": json.dumps(pins, ensure_ascii=False, sort_keys=True)}
        async with self._database.write() as connection:
            await connection.execute(update(runs).where(runs.c.run_id == run_id).values(values))

    async def step(self, run_id: str, kind: str, body: dict[str, object], *, beside: Sequence[Beside] = ()) -> None:
        """Add an event, and what stands beside it, in a transaction of its own.

        Raises:
            ConflictError: it is of a run that was claimed here, and that another process has claimed since.
        """
        claim = _claim.get()
        claimed = claim.seq if claim is not None and claim.run_id == run_id else _NO_CLAIM
        async with self._database.write() as connection:
            if not await self._added(run_id, kind, body, claimed, connection):
                raise ConflictError(f"run {run_id!r} was taken over by another process; it goes on there")
            await written(beside, connection)

    async def claim(self, run_id: str, *, taken_over: bool, connection: AsyncConnection) -> Claim:
        """Begin to drive a run, within the caller's write transaction.

        Args:
            taken_over: from somebody who still seems to drive it; another status tells it otherwise.
        """
        if taken_over:
            await self.note(run_id, "taken_over", {}, connection=connection)
        await self.change(run_id, RunChange(status="running"), connection=connection)
        seq = (await connection.execute(select(_LATEST), {"of_run": run_id})).scalar_one()
        return Claim(run_id=run_id, seq=seq)

    async def note(self, run_id: str, kind: str, body: Mapping[str, object], *, connection: AsyncConnection) -> None:
        """Add an event, within the caller's write transaction; `seq` counts from 1 without gaps."""
        await self._added(run_id, kind, body, _NO_CLAIM, connection)

    async def _added(
        self, run_id: str, kind: str, body: Mapping[str, object], claimed: int, connection: AsyncConnection
    ) -> bool:
        """Whether it was added: nobody has claimed the run after the event `claimed`."""
        values: dict[str, object] = {
            "of_run": run_id,
            "claimed": claimed,
            "now_ns": self._clock.now_ns(),
            "what": kind,
            "content": json.dumps(body, ensure_ascii=False),
        }
        return (await connection.execute(_ADD_EVENT, values)).rowcount == 1

    async def get(self, tenant: str, run_id: str, *, connection: AsyncConnection | None = None) -> RunRow:
        """One run of a tenant, as the caller's transaction sees it if there is one.

        Raises:
            NotFoundError: there is none with this id in this tenant.
        """
        if connection is None:
            async with self._database.read() as own:
                return await self.get(tenant, run_id, connection=own)
        row = (await connection.execute(_select().where(runs.c.run_id == run_id))).first()
        if row is None or row.tenant != tenant:
            raise NotFoundError(f"there is no run {run_id!r}; `casewright runs list` shows what there is")
        return _row(row)

    async def list(
        self,
        tenant: str,
        *,
        case_id: str = "",
        status: str = "",
        before: tuple[int, str] | None = None,
        limit: int = 500,
    ) -> tuple[RunRow, ...]:
        """The runs of a tenant, newest first.

        Args:
            before: `created_ns` and id of the run to go on after, for the next page.
        """
        query = _select().where(runs.c.tenant == tenant).order_by(runs.c.created_ns.desc(), runs.c.run_id.desc())
        if case_id:
            query = query.where(runs.c.case_id == case_id)
        if status:
            query = query.where(runs.c.status == status)
        if before is not None:
            query = query.where(tuple_(runs.c.created_ns, runs.c.run_id) < before)
        query = query.limit(limit)
        async with self._database.read() as connection:
            return tuple(_row(row) for row in (await connection.execute(query)).all())

    async def events(
        self,
        run_id: str,
        *,
        kind: str = "",
        after: int = 0,
        limit: int | None = None,
        connection: AsyncConnection | None = None,
    ) -> tuple[RunEvent, ...]:
        """What the run did, oldest first: events with a greater `seq` than `after`, `limit` of them at most."""
        if connection is None:
            async with self._database.read() as own:
                return await self.events(run_id, kind=kind, after=after, limit=limit, connection=own)
        query = select(run_events).where(run_events.c.run_id == run_id, run_events.c.seq > after)
        query = query.order_by(run_events.c.seq).limit(limit)
        if kind:
            query = query.where(run_events.c.kind == kind)
        rows = (await connection.execute(query)).all()
        return tuple(RunEvent(seq=row.seq, at_ns=row.at_ns, kind=row.kind, body=json.loads(row.body)) for row in rows)


def _select() -> Any:
    return select(runs)


def _row(row: Any) -> RunRow:
    values: dict[str, Any] = dict(row._mapping)
    values["report"] = RunReport.model_validate_json(row.report) if row.report else None
    values["pins"] = json.loads(row.pins)
    return RunRow(**values)
