"""An entry made ready for the chain: checked, serialized and sealed, before any lock is taken.

What is wrong with an entry's content shows here, so it fails alone and never the group it would
have been written with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from pydantic import ValidationError

from casewright.audit.beside import Beside
from casewright.audit.entry import AuditEntry
from casewright.audit.meter import UNTRUSTED, MeterChange, meter_row
from casewright.audit.records import RECORD_DIGEST, DecisionRecord, decision_row, record_digest
from casewright.audit.sealing import Sealing
from casewright.canonical import canonical_json
from casewright.contracts.event import AuditEvent
from casewright.errors import InputError, StorageError


@dataclass(frozen=True, kw_only=True)
class PreparedEntry:
    """All that an event says, but its place, time and hash."""

    event: AuditEvent
    """Without place, time and hash yet."""
    body: str
    """Canonical JSON of the event's body."""
    decision: dict[str, Any] | None
    meter: dict[str, Any] | None
    beside: Sequence[Beside] = ()


def prepare(
    entry: AuditEntry,
    sealing: Sealing | None,
    *,
    record: DecisionRecord | None = None,
    meter: MeterChange | None = None,
    beside: Sequence[Beside] = (),
) -> PreparedEntry:
    """Check and serialize.

    Raises:
        InputError: the kind is unknown, or body or recorded input are not plain JSON.
        StorageError: a decision is to be recorded and there is no key to seal with.
    """
    body: dict[str, Any] = dict(entry.body)
    decision: dict[str, Any] | None = None
    if record is not None:
        if sealing is None:
            raise StorageError("a decision cannot be recorded: this audit was opened without the key of its records")
        decision = decision_row(entry, record, sealing)
        body[RECORD_DIGEST] = record_digest(decision)
    metered = meter_row(entry, meter)
    if metered is not None:
        body[UNTRUSTED] = metered["untrusted"]
    try:
        text = canonical_json(body).decode()
        event = AuditEvent(
            seq=0,
            at_ns=0,
            kind=entry.kind,
            tenant=entry.tenant,
            subject=entry.subject,
            agent=entry.agent,
            run_id=entry.run_id,
            case_id=entry.case_id,
            body=body,
            previous="",
            hash="",
        )
    except rfc8785.CanonicalizationError as error:
        raise InputError(
            f"the body of the audit event {entry.kind!r} is not plain JSON: {error}; use text, numbers, lists, maps"
        ) from error
    except ValidationError as error:
        raise InputError(f"the audit event {entry.kind!r} is not one: {error.errors()[0]['msg']}") from error
    return PreparedEntry(event=event, body=text, decision=decision, meter=metered, beside=beside)
