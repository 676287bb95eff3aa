"""Reads what was kept of model calls, and removes what is old; the audit says which calls there have to be.

Everything that is read is checked against the address it stands under, and the addresses against the record in the
audit, so a row that was changed, exchanged or removed is not taken for what was recorded.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import RowMapping, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.canonical import sha256_text
from casewright.clock import NANOSECONDS
from casewright.errors import StorageError
from casewright.models.accounting import CallRecord
from casewright.models.contents import Contents
from casewright.models.costs import RecordedCall
from casewright.models.exchange import Exchange
from casewright.models.recording import MODEL_CALLED
from casewright.storage.database import Database
from casewright.storage.model_tables import model_answers, model_calls, model_contents, model_exchanges
from casewright.storage.tables import audit_events


@dataclass(frozen=True, kw_only=True)
class KeptCall:
    """One recorded call with all that was kept of it."""

    record: CallRecord
    input: str
    """As JSON."""
    output: str
    """As JSON; empty: there was none."""
    exchanges: tuple[Exchange, ...]
    texts: dict[str, str]
    """By address, every text that the exchanges name."""


@dataclass(frozen=True, kw_only=True)
class LostCall:
    """A recorded call of which not everything is there any more, or as it was."""

    record: CallRecord
    problem: str


@dataclass(frozen=True, kw_only=True)
class Removed:
    """How many rows were removed."""

    calls: int
    exchanges: int
    contents: int
    answers: int


class KeptCalls:
    """Calls of one data folder."""

    def __init__(self, database: Database, contents: Contents) -> None:
        self._database = database
        self._contents = contents

    async def of_run(self, tenant: str, run_id: str) -> tuple[KeptCall | LostCall, ...]:
        """The model calls of a run in the order of the audit.

        Raises:
            StorageError: the database or a record in the audit cannot be read.
        """
        query = (
            select(audit_events)
            .where(audit_events.c.tenant == tenant, audit_events.c.run_id == run_id)
            .where(audit_events.c.kind == MODEL_CALLED)
            .order_by(audit_events.c.seq)
        )
        async with self._database.read_at_length() as connection:
            rows = (await connection.execute(query)).mappings().all()
            return tuple([await self._kept(_record(row), connection) for row in rows])

    async def times_of_run(self, tenant: str, run_id: str) -> dict[str, int]:
        """When each call of a run was recorded, by its id, in nanoseconds since the epoch."""
        query = select(model_calls.c.call_id, model_calls.c.at_ns).where(
            model_calls.c.tenant == tenant, model_calls.c.run_id == run_id
        )
        async with self._database.read_at_length() as connection:
            return {row.call_id: row.at_ns for row in await connection.execute(query)}

    async def remove_before(self, tenant: str, before_ns: int, *, connection: AsyncConnection) -> Removed:
        """Remove what was kept of a tenant's calls before an instant, and texts that nothing needs since."""
        gone: list[int] = []
        for table in (model_calls, model_exchanges, model_contents, model_answers):
            older = (table.c.tenant == tenant) & (table.c.at_ns < before_ns)
            gone.append((await connection.execute(select(func.count()).select_from(table).where(older))).scalar_one())
            await connection.execute(delete(table).where(older))
        return Removed(calls=gone[0], exchanges=gone[1], contents=gone[2], answers=gone[3])

    async def _kept(self, record: CallRecord, connection: AsyncConnection) -> KeptCall | LostCall:
        if not record.call_id:
            return LostCall(record=record, problem="it was made before calls were recorded")
        query = select(model_calls).where(
            model_calls.c.call_id == record.call_id, model_calls.c.tenant == record.tenant
        )
        call = (await connection.execute(query)).mappings().first()
        if call is None:
            return LostCall(record=record, problem="its recording is not there; it was pruned or removed")
        try:
            return await self._loaded(record, call, connection)
        except StorageError as error:
            return LostCall(record=record, problem=str(error))
        except (ValidationError, ValueError) as error:
            return LostCall(record=record, problem=f"its recording cannot be read: {type(error).__name__}")

    async def _loaded(self, record: CallRecord, call: RowMapping, connection: AsyncConnection) -> KeptCall:
        own = [str(call["input"]), *([str(call["output"])] if call["output"] else [])]
        first = await self._texts(record.tenant, [*own, *record.cassettes], connection)
        exchanges = tuple(Exchange.model_validate_json(first[address]) for address in record.cassettes)
        named = {address for exchange in exchanges for address in _named(exchange)}
        texts = first | await self._texts(record.tenant, named - first.keys(), connection)
        output = first[str(call["output"])] if call["output"] else ""
        if record.output_sha256 != _sha256(output):
            raise StorageError("its answer is not the one in the audit; restore the database from a backup")
        return KeptCall(record=record, input=first[str(call["input"])], output=output, exchanges=exchanges, texts=texts)

    async def _texts(self, tenant: str, addresses: Iterable[str], connection: AsyncConnection) -> dict[str, str]:
        wanted = sorted(set(addresses))
        query = select(model_contents.c.address, model_contents.c.body).where(
            model_contents.c.tenant == tenant, model_contents.c.address.in_(wanted)
        )
        bodies = {row.address: _bytes(row.body) for row in await connection.execute(query)}
        missing = [address for address in wanted if address not in bodies]
        if missing:
            raise StorageError(f"{len(missing)} of its texts are not there; they were pruned or removed")
        return {address: self._contents.open(tenant, address, body) for address, body in bodies.items()}


def _bytes(body: object) -> bytes:
    """A body as it is stored; a row that was changed by hand may hold text."""
    return body if isinstance(body, bytes) else str(body).encode()


def _named(exchange: Exchange) -> Sequence[str]:
    request = exchange.request
    found = (request.system, request.input, *(turn.text for turn in request.turns), exchange.outcome.text)
    return [address for address in found if address]


def _sha256(output: str) -> str:
    return sha256_text(output) if output else ""


def _record(row: RowMapping) -> CallRecord:
    own = {name: row[name] for name in ("tenant", "run_id", "case_id", "agent")}
    return _record_of(json.loads(row["body"]), own, seq=int(row["seq"]))


def _record_of(body: dict[str, object], own: dict[str, str], *, seq: int) -> CallRecord:
    """A call's record from the body of its event and what the event has itself.

    Raises:
        StorageError: it is no such record.
    """
    try:
        return CallRecord.model_validate(body | own)
    except ValidationError as error:
        raise StorageError(
            f"event {seq} is no record of a model call that this version can read; run `casewright audit verify`"
        ) from error


async def recorded_calls(database: Database, tenant: str, *, since_ns: int) -> tuple[RecordedCall, ...]:
    """Every model call of a tenant since an instant, in the order of the audit, with its day.

    Raises:
        StorageError: the database or a record cannot be read.
    """
    events = audit_events.c
    query = select(audit_events).where(events.tenant == tenant, events.kind == MODEL_CALLED, events.at_ns >= since_ns)
    async with database.read_at_length() as connection:
        rows = (await connection.execute(query.order_by(events.seq))).mappings().all()
    return tuple(RecordedCall(record=_record(row), day=_day(row["at_ns"])) for row in rows)


def _day(at_ns: int) -> dt.date:
    return dt.datetime.fromtimestamp(at_ns // NANOSECONDS, tz=dt.UTC).date()
