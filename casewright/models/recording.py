"""Keeps the record of every model call: in the audit, and in the same transaction what was exchanged and what it cost.

A record that cannot be kept fails the call, so no answer is used that is not recorded. What is written here is read by
`casewright.models.kept_calls` (replay) and `casewright.models.spending` (limits, costs).
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from casewright.audit.beside import Beside
from casewright.audit.durability import must_be_durable
from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.canonical import sha256_text
from casewright.clock import Clock, today
from casewright.models.accounting import CallRecord, charged, usage_of
from casewright.models.contents import Content, Contents
from casewright.models.layer import CallNotes
from casewright.models.prices import PriceTable
from casewright.storage.model_tables import model_calls, model_contents, model_exchanges, model_spending

MODEL_CALLED = "model.called"
_ELSEWHERE = {"run_id", "case_id", "tenant", "agent"}
"""Fields of a record that the audit's event has itself."""


class CallRecorder:
    """Prices a call and keeps it."""

    def __init__(self, audit: AuditLog, contents: Contents, prices: PriceTable, clock: Clock) -> None:
        self._audit = audit
        self._contents = contents
        self._prices = prices
        self._clock = clock

    async def record(self, record: CallRecord, notes: CallNotes) -> CallRecord:
        """See `casewright.models.accounting.Recorder`.

        Raises:
            StorageError, UnavailableError: it cannot be kept; nothing of it is.
        """
        kept = charged(record, notes, self._prices, today(self._clock))
        if notes.output:
            kept = kept.model_copy(update={"output_sha256": sha256_text(notes.output)})
        entry = AuditEntry(
            kind=MODEL_CALLED,
            tenant=kept.tenant,
            subject="",
            agent=kept.agent,
            run_id=kept.run_id,
            case_id=kept.case_id,
            body=kept.model_dump(mode="json", exclude=_ELSEWHERE),
        )
        await self._audit.append(entry, beside=self._beside(kept, notes), durable=must_be_durable(entry.kind))
        notes.recorded = True
        return kept

    def _beside(self, record: CallRecord, notes: CallNotes) -> list[Beside]:
        at_ns = self._clock.now_ns()
        beside = [Beside(insert=_adding_to_spending, rows=[_spending(record, today(self._clock).isoformat())])]
        if not record.call_id or notes.input is None:
            return beside
        asked = self._contents.sealed(notes.input.model_dump_json())
        answered = self._contents.sealed(notes.output) if notes.output else None
        kept = [Content(address=address, text=text) for address, text in notes.contents.items()]
        contents = [*kept, asked, *([answered] if answered is not None else [])]
        call = _call(record, at_ns) | {"input": asked.address, "output": answered.address if answered else ""}
        beside.append(Beside(insert=_adding_calls, rows=[call]))
        beside.append(Beside(insert=_adding_contents, rows=self._packed(record.tenant, contents, at_ns)))
        if record.cassettes:
            beside.append(Beside(insert=_adding_exchanges, rows=_exchanges(record, at_ns)))
        return beside

    def _packed(self, tenant: str, contents: Iterable[Content], at_ns: int) -> list[dict[str, Any]]:
        each = {one.address: one for one in contents}
        return [
            {"tenant": tenant, "address": one.address, "at_ns": at_ns, "body": self._contents.pack(tenant, one)}
            for one in each.values()
        ]


def _call(record: CallRecord, at_ns: int) -> dict[str, Any]:
    return {
        "call_id": record.call_id,
        "tenant": record.tenant,
        "run_id": record.run_id,
        "case_id": record.case_id,
        "agent": record.agent,
        "task": record.task,
        "task_version": record.task_version,
        "at_ns": at_ns,
    }


def _exchanges(record: CallRecord, at_ns: int) -> list[dict[str, Any]]:
    return [
        {
            "call_id": record.call_id,
            "number": number,
            "tenant": record.tenant,
            "run_id": record.run_id,
            "at_ns": at_ns,
            "address": address,
        }
        for number, address in enumerate(record.cassettes, start=1)
    ]


def _spending(record: CallRecord, day: str) -> Mapping[str, Any]:
    return {
        "tenant": record.tenant,
        "day": day,
        "calls": 1,
        "tokens": usage_of(record).total_tokens,
        "cost_micro": record.cost_micro,
        "unpriced": int(not record.priced),
    }


@cache
def _insert(table: Table, dialect: str) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def _adding_calls(dialect: str) -> Insert:
    return _insert(model_calls, dialect)


def _adding_exchanges(dialect: str) -> Insert:
    return _insert(model_exchanges, dialect)


@cache
def _adding_contents(dialect: str) -> Insert:
    """What is there already stays, but counts as written now: it is pruned by when it was last needed."""
    statement = _insert(model_contents, dialect)
    return statement.on_conflict_do_update(
        index_elements=["tenant", "address"], set_={"at_ns": statement.excluded.at_ns}
    )


@cache
def _adding_to_spending(dialect: str) -> Insert:
    statement, known = _insert(model_spending, dialect), model_spending.c
    new = statement.excluded
    counted = ("calls", "tokens", "cost_micro", "unpriced")
    return statement.on_conflict_do_update(
        index_elements=["tenant", "day"], set_={name: known[name] + new[name] for name in counted}
    )
