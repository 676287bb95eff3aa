"""The audit log in the database: append, read, verify.

An append without a transaction of the caller's goes through the group writer (SQLite) and costs
a fraction of a millisecond; with one it is part of that transaction, all or nothing. The head
row is signed anew with every group or event, in the same transaction. It is *not* the place for
exports (see `casewright.audit.export`).
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit import statements
from casewright.audit.beside import Beside
from casewright.audit.chain import GENESIS, AuditVerification, EventRow
from casewright.audit.durability import may_lag
from casewright.audit.entry import AuditEntry
from casewright.audit.extension import Extender, Extension, Tail
from casewright.audit.meter import MeterChange
from casewright.audit.prepared import PreparedEntry, prepare
from casewright.audit.proof import proved_events
from casewright.audit.records import DecisionRecord
from casewright.audit.sealing import Sealing
from casewright.audit.signing import Signer
from casewright.audit.verification import stored_head, verify
from casewright.audit.writer import AuditWriter, Connect, audit_writer
from casewright.clock import Clock
from casewright.contracts.event import AuditEvent
from casewright.errors import StorageError
from casewright.storage.database import Database
from casewright.storage.tables import audit_events

_PAGE = 1000


class AuditLog:
    """Append-only, hash-chained, with a signed head."""

    def __init__(
        self,
        database: Database,
        signer: Signer,
        clock: Clock,
        *,
        sealing: Sealing | None = None,
        connect: Connect | None = None,
    ) -> None:
        """`sealing` is the key of recorded decisions, by default the one beside the database's file;
        `connect` opens the writer's connection (tests give it limits).
        """
        self._database = database
        self._signer = signer
        self._extender = Extender(signer, clock)
        self._sealing = sealing
        self._writer: AuditWriter | None = None
        if database.file is not None:
            self._sealing = sealing or Sealing.beside(database.file.parent)
            self._writer = audit_writer(database.file, Extender(signer, clock), connect)
            database.at_close(self._writer.close)

    async def append(
        self,
        entry: AuditEntry,
        *,
        connection: AsyncConnection | None = None,
        record: DecisionRecord | None = None,
        meter: MeterChange | None = None,
        beside: Sequence[Beside] = (),
        durable: bool = True,
    ) -> AuditEvent:
        """Add an event, and with it the record of its decision, the change of its run's meter, and what stands beside.

        With `connection` it is part of that write transaction. Without, it returns when the event
        is committed; `durable` False lets reads and refusals (`durability.may_lag`) go on before
        the disk has it, and is ignored for anything else.

        Raises:
            InputError: the body or the recorded input is not plain JSON.
            StorageError: the log does not fit its signed head, or cannot be written.
            UnavailableError: the log is in use or too busy; nothing may happen without its event.
        """
        prepared = prepare(entry, self._sealing, record=record, meter=meter, beside=beside)
        if connection is not None:
            row = await self._append(connection, prepared)
        elif self._writer is not None:
            row = await self._writer.submit(prepared, durable=durable or not may_lag(entry.kind))
        else:
            async with self._database.write() as own:
                row = await self._append(own, prepared)
        place = {"seq": row.seq, "at_ns": row.at_ns, "previous": row.previous, "hash": row.hash}
        return prepared.event.model_copy(update=place)

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

    async def verify(
        self, *, expected_head: tuple[int, str] | None = None, progress: Callable[[int], None] | None = None
    ) -> AuditVerification:
        """Check every byte, the order, the gaps, the recorded decisions and the signed end.

        `expected_head` is a place that is known to have been there (kept outside of this
        database); with it an older copy of the whole database is found, too. `progress` hears
        how many events are checked.
        """
        return await verify(self._database, self._signer, expected_head=expected_head, progress=progress)

    async def proved(self, run_id: str, kinds: Iterable[str], *, connection: AsyncConnection) -> tuple[EventRow, ...]:
        """A run's events of some kinds, as they were signed, within the caller's transaction.

        None at all where any of them is not what was signed; whoever acts on them then does not act.
        """
        return await proved_events(connection, self._signer, run_id, kinds)

    async def head(self) -> tuple[int, str]:
        """The last place; keep it outside of the database to notice a rollback."""
        async with self._database.read() as connection:
            head = await stored_head(connection)
        return (0, GENESIS) if head is None else (head.seq, head.hash)

    async def _append(self, connection: AsyncConnection, prepared: PreparedEntry) -> EventRow:
        extension = self._extender.extend(await _tail(connection), [prepared])
        await _store(connection, extension)
        return extension.events[0]


async def _tail(connection: AsyncConnection) -> Tail:
    head = await stored_head(connection)
    last = (await connection.execute(statements.LAST)).first()
    checkpoint = (await connection.execute(statements.CHECKPOINT)).first()
    return Tail(
        head=head,
        last=None if last is None else (last.seq, last.hash),
        checkpoint=None if checkpoint is None else (checkpoint.seq, checkpoint.at_ns),
    )


async def _store(connection: AsyncConnection, extension: Extension) -> None:
    await connection.execute(statements.ADD_EVENT, [row._asdict() for row in extension.events])
    if extension.decisions:
        await connection.execute(statements.ADD_DECISION, extension.decisions)
    if extension.meters:
        await connection.execute(statements.add_to_meter(connection.dialect.name), extension.meters)
    await connection.execute(statements.ADD_HEAD if extension.first else statements.MOVE_HEAD, extension.head)
    if extension.checkpoint is not None:
        await connection.execute(statements.ADD_CHECKPOINT, extension.checkpoint)
    for beside in extension.beside:
        await connection.execute(beside.insert(connection.dialect.name), list(beside.rows))


def _readable(row: RowMapping) -> AuditEvent:
    values: dict[str, Any] = dict(row)
    try:
        return AuditEvent.model_validate(values | {"body": json.loads(values["body"])}, strict=True)
    except (ValueError, TypeError, RecursionError, ValidationError) as error:
        raise StorageError(
            f"event {values['seq']} was changed: it cannot be read; run `casewright audit verify` and restore the "
            "database from a backup"
        ) from error
