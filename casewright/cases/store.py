"""The case store: import, load, list and append. Every statement is scoped by tenant.

Nothing is ever updated or deleted: an import of changed content adds a revision. It makes no
access decisions; it returns the attributes from which they are made. The one rule of its own
is that an import cannot be used to get hold of somebody else's case (`casewright.cases.batch`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import RowMapping, Table, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.cases import tables
from casewright.cases.attributes import FileAttributes
from casewright.cases.batch import ImportBatch
from casewright.cases.collections import COLLECTIONS, Item
from casewright.cases.heads import all_heads, named_heads, people_of, sealed_cases
from casewright.cases.provenance import RECORDED_PREFIX
from casewright.cases.records import CaseAttributes, CaseSummary, ImportReport, ImportRow, StoredCase
from casewright.cases.rows import RECORDED, RECORDED_POSITION, Scope, case_of, item_row
from casewright.clock import NANOSECONDS, Clock
from casewright.contracts.case import CaseFile, Note, TimelineEvent
from casewright.contracts.principal import Principal
from casewright.errors import NotFoundError
from casewright.storage.database import Database

_WRITE_ORDER = (tables.cases, tables.case_people, *(collection.table for collection in COLLECTIONS.values()))
"""Referenced tables first."""


_KEPT = 128
"""Cases that are kept as they were read last: a run reads its case a dozen times."""


class _Edition(NamedTuple):
    """What a case's content depends on, since nothing is ever changed: its revision, and how much was recorded."""

    tenant: str
    case_id: str
    revision: int
    notes: int
    events: int


class CaseStore:
    """Cases of all tenants in one database; no method reads across tenants."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._kept: dict[_Edition, StoredCase] = {}
        self._attributes = None if database.file is None else FileAttributes(database, database.file)

    async def import_cases(self, cases: Sequence[CaseFile], *, importer: Principal) -> ImportReport:
        """Import cases; rows in the report are 1-based places in `cases`."""
        rows = [ImportRow(row=number, case=case) for number, case in enumerate(cases, start=1)]
        return await self.import_rows(rows, importer=importer)

    async def import_rows(self, rows: Sequence[ImportRow], *, importer: Principal) -> ImportReport:
        """Import all good rows in one transaction and report the others with their reason.

        Raises:
            StorageError, UnavailableError: the database failed; nothing was imported.
        """
        async with self._database.write() as connection:
            return await self.import_within(connection, rows, importer=importer)

    async def import_within(
        self, connection: AsyncConnection, rows: Sequence[ImportRow], *, importer: Principal
    ) -> ImportReport:
        """`import_rows` inside the caller's write transaction, so that its audit event shares it."""
        named = [row.case.case_id for row in rows if row.case is not None]
        heads = await named_heads(connection, importer.tenant, named)
        batch = ImportBatch(
            importer=importer,
            at_ns=self._clock.now_ns(),
            present={head.case_id: head for head in heads},
            sealed=await sealed_cases(connection, importer.tenant, heads),
        )
        for row in rows:
            batch.take(row)
        for table in _WRITE_ORDER:
            if batch.rows.get(table):
                await connection.execute(insert(table), batch.rows[table])
        return batch.report()

    async def load(self, tenant: str, case_id: str, *, revision: int | None = None) -> StoredCase | None:
        """The current revision of a case (or an earlier one), or None where the tenant has no such case."""
        async with self._database.read() as connection:
            edition = await _edition(connection, tenant, case_id, revision)
            if edition is None:
                return None
            known = self._kept.get(edition)
            if known is None:
                known = await _stored(connection, edition)
                if len(self._kept) >= _KEPT:
                    self._kept.clear()
                self._kept[edition] = known
        return known

    async def attributes(self, tenant: str, case_id: str) -> CaseAttributes | None:
        """What access decisions need of a case, or None where the tenant has no such case."""
        if self._attributes is not None:
            return self._attributes.read(tenant, case_id)
        async with self._database.read() as connection:
            found = await named_heads(connection, tenant, [case_id])
        return found[0].attributes() if found else None

    async def list(self, tenant: str) -> tuple[CaseSummary, ...]:
        """All cases of a tenant, oldest first; the caller drops what its access decision withholds."""
        async with self._database.read_at_length() as connection:
            found = await all_heads(connection, tenant)
        return tuple(sorted((head.summary() for head in found), key=lambda case: (case.received_on, case.case_id)))

    async def with_sealed_evidence(self, tenant: str, case_ids: Sequence[str]) -> frozenset[str]:
        """Those of the cases that hold sealed evidence: what is said of them may speak of it."""
        async with self._database.read() as connection:
            heads = await named_heads(connection, tenant, case_ids)
            return frozenset(await sealed_cases(connection, tenant, heads))

    async def add_note(self, connection: AsyncConnection, tenant: str, case_id: str, *, author: str, text: str) -> str:
        """Append a note within the caller's write transaction; returns its id.

        Raises:
            NotFoundError: the tenant has no such case.
        """
        at_ns = self._clock.now_ns()
        place = await _place(connection, tables.case_notes, tenant, case_id)
        note = Note(note_id=place.item_id, author=author, on=_date(at_ns), text=text)
        await _append(connection, "notes", note, place, scope=place.scope(author, at_ns))
        return note.note_id

    async def add_timeline(
        self, connection: AsyncConnection, tenant: str, case_id: str, *, what: str, source: str, at_ns: int
    ) -> str:
        """Append a timeline event within the caller's write transaction; returns its id.

        Raises:
            NotFoundError: the tenant has no such case.
        """
        place = await _place(connection, tables.case_timeline, tenant, case_id)
        event = TimelineEvent(event_id=place.item_id, on=_date(at_ns), what=what, source=source)
        await _append(connection, "timeline", event, place, scope=place.scope(source, at_ns))
        return event.event_id

    async def record_effect(
        self, connection: AsyncConnection, tenant: str, case_id: str, text: str, at_ns: int
    ) -> None:
        """Append an executed effect to the case's timeline, in the transaction of its receipt.

        Raises:
            NotFoundError: the tenant has no such case.
        """
        await self.add_timeline(connection, tenant, case_id, what=text, source="recorded effect", at_ns=at_ns)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where the next recorded item of a case goes."""

    tenant: str
    case_id: str
    revision: int
    number: int

    @property
    def item_id(self) -> str:
        return f"{RECORDED_PREFIX}{self.number}"

    def scope(self, author: str, at_ns: int) -> Scope:
        return Scope(
            tenant=self.tenant,
            case_id=self.case_id,
            revision=self.revision,
            imported_by=author,
            imported_ns=at_ns,
        )


async def _place(connection: AsyncConnection, table: Table, tenant: str, case_id: str) -> _Place:
    heads = await named_heads(connection, tenant, [case_id])
    if not heads:
        raise NotFoundError(f"there is no case {case_id!r}; import it first")
    count = select(func.count()).where(table.c.tenant == tenant, table.c.case_id == case_id, table.c.origin == RECORDED)
    number = (await connection.execute(count)).scalar_one() + 1
    return _Place(tenant=tenant, case_id=case_id, revision=heads[0].revision, number=number)


async def _append(connection: AsyncConnection, name: str, item: Item, place: _Place, *, scope: Scope) -> None:
    row = item_row(name, item, scope, position=RECORDED_POSITION + place.number, case_source="")
    await connection.execute(insert(COLLECTIONS[name].table), row | {"origin": RECORDED})


async def _edition(connection: AsyncConnection, tenant: str, case_id: str, revision: int | None) -> _Edition | None:
    """Which content of the case there is now; None where there is no such case or revision."""
    newest = select(func.max(tables.cases.c.revision)).where(
        tables.cases.c.tenant == tenant, tables.cases.c.case_id == case_id
    )
    if revision is not None:
        newest = newest.where(tables.cases.c.revision == revision)
    recorded = [
        select(func.count()).where(table.c.tenant == tenant, table.c.case_id == case_id, table.c.origin == RECORDED)
        for table in (tables.case_notes, tables.case_timeline)
    ]
    query = select(*(each.scalar_subquery() for each in (newest, *recorded)))
    found: Any = (await connection.execute(query)).one()
    if found[0] is None:
        return None
    return _Edition(tenant=tenant, case_id=case_id, revision=found[0], notes=found[1], events=found[2])


async def _stored(connection: AsyncConnection, edition: _Edition) -> StoredCase:
    key = {name: getattr(edition, name) for name in tables.KEY}
    query = select(tables.cases).where(*(tables.cases.c[name] == value for name, value in key.items()))
    head = (await connection.execute(query)).mappings().one()
    people = await people_of(connection, edition.tenant, edition.case_id, edition.revision)
    items = {name: await _items(connection, collection.table, head) for name, collection in COLLECTIONS.items()}
    return StoredCase(
        case=case_of(head, people, items),
        revision=head["revision"],
        digest=head["digest"],
        imported_by=head["imported_by"],
        imported_ns=head["imported_ns"],
    )


async def _items(connection: AsyncConnection, table: Table, head: RowMapping) -> Sequence[RowMapping]:
    """The items of one case revision in their order, with everything recorded on the case."""
    belongs = table.c.revision == head["revision"]
    if "origin" in table.c:
        belongs = or_(table.c.origin == RECORDED, belongs)
    query = (
        select(table)
        .where(table.c.tenant == head["tenant"], table.c.case_id == head["case_id"], belongs)
        .order_by(table.c.position)
    )
    return (await connection.execute(query)).mappings().all()


def _date(at_ns: int) -> dt.date:
    return dt.datetime.fromtimestamp(at_ns // NANOSECONDS, tz=dt.UTC).date()
