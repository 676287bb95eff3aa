"""Recorded decisions: what was decided, on which input, by which policies, for replay and explanation.

A record is written with its audit event, which carries a digest over the whole row: what happens
to a row shows when the chain is verified. It is *not* a log of its own; replay, parity and
`explain` read here.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, select, tuple_

from casewright.audit.entry import AuditEntry
from casewright.audit.recording import Recorded, RecordingRules, input_digest, record_input, restore_input, shown_input
from casewright.audit.sealing import Sealing
from casewright.errors import InputError, StorageError
from casewright.storage.database import Database
from casewright.storage.tables import decisions

RECORD_DIGEST = "record_digest"
"""The member of an event's body that covers the row of its decision."""
_COVERED = tuple(column.name for column in decisions.columns if column.name != "at_ns")
_AS_STORED = tuple(c.name for c in decisions.columns if c.name not in {"codes", "input", "sealed"})
_PAGE = 200


@dataclass(frozen=True, kw_only=True)
class _Decided:
    """What is known of a decision, when it is handed over and when it is found again."""

    decision_id: str
    mode: Literal["list", "call"]
    server: str
    tool: str
    effect: str
    codes: tuple[str, ...]
    """Of its reasons."""
    revision: str
    engine: str
    input_digest: str
    """`recording.input_digest` of the input."""


@dataclass(frozen=True, kw_only=True)
class DecisionRecord(_Decided):
    """A decision as its maker hands it to the audit."""

    input: Mapping[str, Any]
    """The whole document that was decided on."""
    recording: RecordingRules = field(default_factory=RecordingRules)
    """How `input` is kept; without rules all of it is encrypted."""


@dataclass(frozen=True, kw_only=True)
class RecordedDecision(_Decided):
    """A decision as it was found again."""

    at_ns: int
    tenant: str
    run_id: str
    input: dict[str, Any]
    redacted: tuple[str, ...]
    """Paths of the input that were left out for good."""

    @property
    def exact(self) -> bool:
        """Whether the input is the one that was decided on, so that it can be replayed exactly."""
        return not self.redacted


@dataclass(frozen=True, kw_only=True)
class RecordQuery:
    """Which decisions to read; an empty text does not narrow."""

    tenant: str | None
    """None: of every tenant; said aloud by whoever may."""
    tool: str = ""
    run_id: str = ""
    decision_id: str = ""
    since_ns: int = 0
    limit: int | None = None
    newest_first: bool = False
    opened: bool = True
    """False: encrypted parts stay fingerprints and count as left out; needs no key."""


def decision_row(entry: AuditEntry, record: DecisionRecord, sealing: Sealing) -> dict[str, Any]:
    """The row of a decision, all but its time.

    Raises:
        InputError: the input is not plain JSON, or the event does not name this decision and input.
        StorageError: there is no key to seal with.
    """
    named = (entry.body.get("decision_id"), entry.body.get("input_digest"))
    if named != (record.decision_id, record.input_digest):
        raise InputError(
            f"the body of the event names decision and input {named!r}, its record "
            f"{(record.decision_id, record.input_digest)!r}; both have to be the same"
        )
    try:
        recorded = record_input(record.input, record.recording, sealing, about=record.decision_id)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"the input of decision {record.decision_id!r} is not plain JSON: {error}") from error
    return {
        "decision_id": record.decision_id,
        "tenant": entry.tenant,
        "run_id": entry.run_id,
        "mode": record.mode,
        "server": record.server,
        "tool": record.tool,
        "effect": record.effect,
        "codes": json.dumps(record.codes),
        "revision": record.revision,
        "engine": record.engine,
        "input_digest": record.input_digest,
        "input": recorded.shown,
        "sealed": recorded.sealed,
    }


def record_digest(row: RowMapping | Mapping[str, Any]) -> str:
    """SHA-256 over every column but the time, which the event has itself; each with its length in front."""
    values = [str(row[name]) for name in _COVERED]
    text = "".join(f"{len(value)}:{value}" for value in values)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class DecisionRecords:
    """Reads recorded decisions."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self._database = database
        self._sealing = sealing

    async def read(self, query: RecordQuery) -> AsyncIterator[RecordedDecision]:
        """The decisions in the order of their time, encrypted parts restored.

        Raises:
            StorageError: a record was changed, or its key is not the one at hand.
        """
        left = query.limit
        after: tuple[int, str] | None = None
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            async with self._database.read_at_length() as connection:
                page = (await connection.execute(_page(query, after, size))).mappings().all()
            for row in page:
                yield self._restored(row, opened=query.opened)
            if len(page) < size:
                return
            left = None if left is None else left - size
            after = (page[-1]["at_ns"], page[-1]["decision_id"])

    def _restored(self, row: RowMapping, *, opened: bool) -> RecordedDecision:
        decision_id = row["decision_id"]
        recorded = Recorded(shown=row["input"], sealed=row["sealed"])
        try:
            if opened:
                document, redacted = restore_input(recorded, self._sealing, about=decision_id)
            else:
                document, redacted = shown_input(recorded)
            codes = tuple(json.loads(row["codes"]))
            changed = not redacted and input_digest(document) != row["input_digest"]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise _changed(decision_id) from error
        if changed:
            raise _changed(decision_id)
        values: dict[str, Any] = {name: row[name] for name in _AS_STORED}
        return RecordedDecision(**values, codes=codes, input=document, redacted=redacted)


def _page(query: RecordQuery, after: tuple[int, str] | None, size: int) -> Any:
    place = tuple_(decisions.c.at_ns, decisions.c.decision_id)
    conditions: list[ColumnElement[bool]] = [decisions.c.at_ns >= query.since_ns]
    if query.tenant is not None:
        conditions.append(decisions.c.tenant == query.tenant)
    if query.tool:
        conditions.append(decisions.c.tool == query.tool)
    if query.decision_id:
        conditions.append(decisions.c.decision_id == query.decision_id)
    if query.run_id:
        conditions.append(decisions.c.run_id == query.run_id)
    if after is not None:
        conditions.append(place < after if query.newest_first else place > after)
    columns = (decisions.c.at_ns, decisions.c.decision_id)
    order = [column.desc() if query.newest_first else column.asc() for column in columns]
    return select(decisions).where(*conditions).order_by(*order).limit(size)


def _changed(decision_id: str) -> StorageError:
    return StorageError(
        f"the recorded input of decision {decision_id!r} is not the one that was decided on; "
        "run `casewright audit verify` and restore the database from a backup"
    )
