"""The rows that a group of entries adds to the chain, worked out from where the chain ends.

Pure of storage: the writer of an SQLite file and an append in somebody's transaction both read a
`Tail`, ask here, and store the `Extension`. Nothing is added to a chain that does not fit its
signed head, so a cut tail is never signed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from casewright.audit.beside import Beside
from casewright.audit.chain import GENESIS, EventRow, Head, chained
from casewright.audit.meter import summed
from casewright.audit.prepared import PreparedEntry
from casewright.audit.signing import Signer
from casewright.clock import NANOSECONDS, Clock
from casewright.errors import StorageError

HEAD_ID = 1
CHECKPOINT_EVENTS = 1_000
CHECKPOINT_NS = 60 * NANOSECONDS


@dataclass(frozen=True, kw_only=True)
class Tail:
    """Where the stored chain ends, read in the transaction that extends it."""

    head: Head | None
    last: tuple[int, str] | None
    """Sequence number and hash of the last event."""
    checkpoint: tuple[int, int] | None
    """Sequence number and time of the last checkpoint."""


@dataclass(frozen=True, kw_only=True)
class Extension:
    """Rows to store, by table."""

    events: list[EventRow]
    decisions: list[dict[str, Any]]
    meters: list[dict[str, Any]]
    """To be added to what is there."""
    head: dict[str, Any]
    first: bool
    """Whether there was no head row yet."""
    checkpoint: dict[str, Any] | None
    beside: list[Beside]


class Extender:
    """Extends chains under one key; keeps only which head it last knew to be genuine."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock
        self._genuine: Head | None = None

    def extend(self, tail: Tail, entries: Sequence[PreparedEntry]) -> Extension:
        """The rows for `entries`, in their order; at least one.

        Raises:
            StorageError: the chain does not fit its signed head.
        """
        place = self._end(tail)
        events: list[EventRow] = []
        decisions: list[dict[str, Any]] = []
        for entry in entries:
            row = chained(entry.event, entry.body, at_ns=self._clock.now_ns(), after=place)
            place = (row.seq, row.hash)
            events.append(row)
            if entry.decision is not None:
                decisions.append(entry.decision | {"at_ns": row.at_ns})
        head = self._genuine = Head.signed(*place, self._signer)
        signed = {"seq": head.seq, "hash": head.hash, "signature": head.signature}
        due = _checkpoint_is_due(tail.checkpoint, events[-1])
        return Extension(
            events=events,
            decisions=decisions,
            meters=summed(entry.meter for entry in entries),
            head=signed | {"id": HEAD_ID},
            first=tail.head is None,
            checkpoint=signed | {"at_ns": events[-1].at_ns} if due else None,
            beside=[one for entry in entries for one in entry.beside],
        )

    def _end(self, tail: Tail) -> tuple[int, str]:
        head, last = tail.head, tail.last
        if head is None and last is None:
            return (0, GENESIS)
        if head is None or last is None or last != (head.seq, head.hash):
            raise _broken_log()
        if head != self._genuine and not head.is_genuine(self._signer):
            raise _broken_log()
        self._genuine = head
        return last


def _checkpoint_is_due(last: tuple[int, int] | None, event: EventRow) -> bool:
    if last is None:
        return True
    seq, at_ns = last
    return event.seq - seq >= CHECKPOINT_EVENTS or event.at_ns - at_ns >= CHECKPOINT_NS


def _broken_log() -> StorageError:
    return StorageError(
        "the audit log does not fit its signed head, so nothing is added to it; "
        "run `casewright audit verify` and restore the database from a backup"
    )
