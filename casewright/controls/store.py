"""The store of live controls: an append-only table; a tenant's newest row is in force for that tenant.

A change is committed together with its audit event. Servers read the newest row with every call
(`casewright.audit.standing`), so a change is in force with the next call in every process. Who may
change what is decided by the access policy, which the command asks before.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.canonical import canonical_json
from casewright.clock import Clock
from casewright.contracts.controls import Controls
from casewright.contracts.principal import Principal
from casewright.controls.paths import ControlChange, Scope, changed
from casewright.controls.reviewed import ReviewedData
from casewright.errors import InputError, StorageError
from casewright.storage.database import Database
from casewright.storage.tables import policy_data

MAX_WHY_CHARACTERS = 1_000


@dataclass(frozen=True, kw_only=True)
class ControlRecord:
    """One change as it is kept."""

    version: int
    at_ns: int
    subject: str
    path: str
    value: str
    """Canonical JSON of what was set."""
    why: str


class ControlStore:
    """Controls of one data folder, each tenant's apart; changes of all of them are numbered in one sequence."""

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    async def current(self, tenant: str) -> Controls:
        """The controls in force for a tenant.

        Raises:
            StorageError: the newest row cannot be read; then nothing may be allowed.
        """
        async with self._database.read() as connection:
            return await _newest(connection, tenant)

    async def set(
        self, path: str, value: str, *, principal: Principal, why: str, reviewed: ReviewedData
    ) -> ControlChange:
        """Change one control of the person's own tenant; in force with the next call in every process.

        A value that is there already changes nothing, but who set it and why is kept all the same.

        Raises:
            InputError: no reason is given, or path or value do not fit (see `paths.changed`).
            StorageError: the newest row cannot be read.
        """
        _check_why(why)
        async with self._database.write() as connection:
            controls, version = await _newest(connection, principal.tenant), await _next(connection)
            change = changed(controls, path, value, Scope(reviewed=reviewed, tenant=principal.tenant, version=version))
            await connection.execute(insert(policy_data).values(self._row(change, principal, why)))
            await self._audit.append(_entry(change, principal, why), connection=connection)
        return change

    async def history(self, tenant: str, *, limit: int = 100) -> tuple[ControlRecord, ...]:
        """A tenant's latest changes, newest first."""
        query = (
            select(policy_data).where(policy_data.c.tenant == tenant).order_by(policy_data.c.seq.desc()).limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(_record(row) for row in rows)

    def _row(self, change: ControlChange, principal: Principal, why: str) -> dict[str, Any]:
        return {
            "seq": change.controls.version,
            "tenant": principal.tenant,
            "at_ns": self._clock.now_ns(),
            "subject": principal.id,
            "why": why,
            "path": change.path,
            "value": canonical_json(change.new).decode(),
            "document": canonical_json(change.controls.model_dump(mode="json")).decode(),
        }


async def _next(connection: AsyncConnection) -> int:
    newest = (await connection.execute(select(func.max(policy_data.c.seq)))).scalar_one()
    return (newest or 0) + 1


async def _newest(connection: AsyncConnection, tenant: str) -> Controls:
    query = (
        select(policy_data.c.seq, policy_data.c.document)
        .where(policy_data.c.tenant == tenant)
        .order_by(policy_data.c.seq.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return Controls()
    try:
        controls = Controls.model_validate_json(row.document)
    except ValidationError as error:
        raise _unreadable(row.seq) from error
    if controls.version != row.seq:
        raise _unreadable(row.seq)
    return controls


def _unreadable(seq: int) -> StorageError:
    return StorageError(
        f"the live controls of version {seq} cannot be read, so nothing is allowed; restore the database from a backup"
    )


def _check_why(why: str) -> None:
    if not why.strip():
        raise InputError("no reason is given; say why with --why TEXT")
    if len(why) > MAX_WHY_CHARACTERS:
        raise InputError(f"the reason has {len(why)} characters; {MAX_WHY_CHARACTERS} are kept, shorten it")


def _entry(change: ControlChange, principal: Principal, why: str) -> AuditEntry:
    body = {
        "path": change.path,
        "old": change.old,
        "new": change.new,
        "why": why,
        "version": change.controls.version,
    }
    return AuditEntry(kind="policy_data.changed", tenant=principal.tenant, subject=principal.id, body=body)


def _record(row: Row[Any]) -> ControlRecord:
    return ControlRecord(
        version=row.seq, at_ns=row.at_ns, subject=row.subject, path=row.path, value=row.value, why=row.why
    )
