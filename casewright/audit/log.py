"""The audit log in the database: append in the caller's transaction, read, verify.

The head row is signed anew with every event, in the same transaction. Before it adds an event
the log checks that the last event is the one the signed head names, so that a cut tail is
never signed over. It is *not* the place for exports (see `casewright.audit.export`).
"""

import json
from collections.abc import AsyncIterator

from pydantic import ValidationError
from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.chain import GENESIS, AuditVerification, ChainCheck, Head, chained
from casewright.audit.entry import AuditEntry
from casewright.audit.signing import Signer
from casewright.canonical import canonical_json
from casewright.clock import Clock
from casewright.contracts.event import AuditEvent
from casewright.errors import StorageError
from casewright.storage.database import Database
from casewright.storage.tables import audit_events, audit_head

_PAGE = 1000
_HEAD_ID = 1


class AuditLog:
    """Append-only, hash-chained, with a signed head."""

    def __init__(self, database: Database, signer: Signer, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock

    async def append(self, entry: AuditEntry, *, connection: AsyncConnection | None = None) -> AuditEvent:
        """Add an event; with `connection` as part of that write transaction, all or nothing.

        Raises:
            InputError: the body is not plain JSON.
            StorageError: the log does not fit its signed head; nothing is added to a broken log.
        """
        if connection is not None:
            return await self._append(connection, entry)
        async with self._database.write() as own:
            return await self._append(own, entry)

    async def events(
        self, *, tenant: str, run_id: str = "", after: int = 0, limit: int = _PAGE
    ) -> tuple[AuditEvent, ...]:
        """The tenant's events after a sequence number, oldest first; `run_id` narrows them.

        Raises:
            StorageError: a stored event cannot be read.
        """
        query = select(audit_events).where(audit_events.c.tenant == tenant, audit_events.c.seq > after)
        if run_id:
            query = query.where(audit_events.c.run_id == run_id)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(audit_events.c.seq).limit(min(limit, _PAGE)))
            return tuple(_readable(row) for row in rows.mappings())

    async def count_calls(self, run_id: str) -> int:
        """Calls of a run so far, refused ones included, so that a flood of refusals is bounded, too."""
        query = select(func.count()).where(
            audit_events.c.run_id == run_id, audit_events.c.kind.in_(("call.allowed", "call.denied"))
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one()

    async def verify(self, *, expected_head: tuple[int, str] | None = None) -> AuditVerification:
        """Check every byte, the order, the gaps and the signed end.

        `expected_head` is a place that is known to have been there (kept outside of this
        database); with it an older copy of the whole database is found, too.
        """
        check = ChainCheck(expected_head)
        async with self._database.read() as connection:
            async for row in stored_rows(connection):
                event = event_of(row)
                problem = event if isinstance(event, str) else check.problem_with(event)
                if problem:
                    return check.broken(check.seq + 1, problem)
            head = await stored_head(connection)
        return check.close(head, self._signer)

    async def head(self) -> tuple[int, str]:
        """The last place; keep it outside of the database to notice a rollback."""
        async with self._database.read() as connection:
            head = await stored_head(connection)
        return (0, GENESIS) if head is None else (head.seq, head.hash)

    async def _append(self, connection: AsyncConnection, entry: AuditEntry) -> AuditEvent:
        head = await self._trusted_head(connection)
        seq, previous = (0, GENESIS) if head is None else (head.seq, head.hash)
        event = chained(entry, seq=seq + 1, at_ns=self._clock.now_ns(), previous=previous)
        values = event.model_dump() | {"body": canonical_json(event.body).decode()}
        await connection.execute(insert(audit_events).values(values))
        signed = Head.signed(event.seq, event.hash, self._signer)
        row = {"seq": signed.seq, "hash": signed.hash, "signature": signed.signature}
        if head is None:
            await connection.execute(insert(audit_head).values(row | {"id": _HEAD_ID}))
        else:
            await connection.execute(update(audit_head).where(audit_head.c.id == _HEAD_ID).values(row))
        return event

    async def _trusted_head(self, connection: AsyncConnection) -> Head | None:
        head = await stored_head(connection)
        query = select(audit_events.c.seq, audit_events.c.hash).order_by(audit_events.c.seq.desc()).limit(1)
        last = (await connection.execute(query)).first()
        if head is None and last is None:
            return None
        if head is None or last is None or (last.seq, last.hash) != (head.seq, head.hash):
            raise _broken_log()
        if not head.is_genuine(self._signer):
            raise _broken_log()
        return head


async def stored_head(connection: AsyncConnection) -> Head | None:
    """The head row as it is stored, unchecked; it is locked for the rest of a write."""
    query = select(audit_head).where(audit_head.c.id == _HEAD_ID).with_for_update()
    row = (await connection.execute(query)).first()
    return None if row is None else Head(seq=row.seq, hash=row.hash, signature=row.signature)


async def stored_rows(connection: AsyncConnection) -> AsyncIterator[RowMapping]:
    """Every event row in order, a page at a time."""
    after: int | None = None
    while True:
        query = select(audit_events).order_by(audit_events.c.seq).limit(_PAGE)
        if after is not None:
            query = query.where(audit_events.c.seq > after)
        page = (await connection.execute(query)).mappings().all()
        for row in page:
            yield row
        if len(page) < _PAGE:
            return
        after = page[-1]["seq"]


def event_of(row: RowMapping) -> AuditEvent | str:
    """The event of a row, or why the row is none."""
    values = dict(row)
    text = values["body"]
    try:
        body = json.loads(text)
        if canonical_json(body) != text.encode():
            return f"event {values['seq']} was changed: its body is not in canonical form"
        return AuditEvent.model_validate(values | {"body": body}, strict=True)
    except (ValueError, TypeError, AttributeError, RecursionError, ValidationError):
        return f"event {values['seq']} was changed: it cannot be read"


def _readable(row: RowMapping) -> AuditEvent:
    event = event_of(row)
    if isinstance(event, str):
        raise StorageError(f"{event}; run `casewright audit verify` and restore the database from a backup")
    return event


def _broken_log() -> StorageError:
    return StorageError(
        "the audit log does not fit its signed head, so nothing is added to it; "
        "run `casewright audit verify` and restore the database from a backup"
    )
