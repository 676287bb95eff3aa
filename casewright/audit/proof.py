"""Proves single events of a chain without reading all of it: each leads, hash by hash, to a place that was signed.

The next signed checkpoint is at most a thousand events away, so this can be asked before something is done. It shows
that what an event says was signed, *not* that no later event is missing: for that the whole chain is verified.
"""

import sqlite3
from collections.abc import Callable, Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.chain import ChainCheck, EventRow, Head
from casewright.audit.signing import Verifier
from casewright.audit.verification import stored_head, stored_pages
from casewright.storage.tables import audit_checkpoints, audit_events

_BETWEEN = (
    "SELECT seq, at_ns, kind, tenant, subject, agent, run_id, case_id, body, previous, hash "
    "FROM audit_events WHERE seq >= ? AND seq <= ? ORDER BY seq"
)
_SIGNED = "SELECT seq, hash, signature FROM audit_checkpoints WHERE seq >= ? ORDER BY seq LIMIT 1"
_HEAD = "SELECT seq, hash, signature FROM audit_head"
_AFTER = "SELECT COUNT(*), COALESCE(MAX(seq), 0) FROM audit_events WHERE seq > ?"


async def proved_events(
    connection: AsyncConnection, verifier: Verifier, run_id: str, kinds: Iterable[str]
) -> tuple[EventRow, ...]:
    """A run's events of some kinds, oldest first; none at all if any of them is not what was signed."""
    query = select(audit_events).where(audit_events.c.run_id == run_id, audit_events.c.kind.in_(tuple(kinds)))
    events = [EventRow(*row) for row in (await connection.execute(query.order_by(audit_events.c.seq))).all()]
    waiting = list(events)
    while waiting:
        signed = await _signed_from(connection, waiting[0].seq)
        if signed is None or not signed.is_genuine(verifier) or not await _leads(connection, waiting[0], signed):
            return ()
        waiting = [event for event in waiting if event.seq > signed.seq]
    return tuple(events)


async def _signed_from(connection: AsyncConnection, seq: int) -> Head | None:
    """The first signed place at or after an event."""
    query = select(audit_checkpoints).where(audit_checkpoints.c.seq >= seq).order_by(audit_checkpoints.c.seq).limit(1)
    row = (await connection.execute(query)).first()
    return await stored_head(connection) if row is None else Head(seq=row.seq, hash=row.hash, signature=row.signature)


async def _leads(connection: AsyncConnection, first: EventRow, signed: Head) -> bool:
    """Whether the events from the first on join up to the signed place."""
    check = ChainCheck()
    check.seq, check.hash = first.seq - 1, first.previous
    async for page in stored_pages(connection, after=first.seq - 1, until=signed.seq):
        if any(check.problem_with(event) for event in page):
            return False
    return (check.seq, check.hash) == (signed.seq, signed.hash)


def is_signed(connection: sqlite3.Connection, verifier: Verifier, event: EventRow) -> bool:
    """Whether one stored event is what was signed; on a bare connection, which is to read one snapshot."""
    row = connection.execute(_SIGNED, (event.seq,)).fetchone() or connection.execute(_HEAD).fetchone()
    if row is None:
        return False
    signed = Head(seq=row[0], hash=row[1], signature=row[2])
    if not signed.is_genuine(verifier):
        return False
    check = ChainCheck()
    check.seq, check.hash = event.seq - 1, event.previous
    rows = connection.execute(_BETWEEN, (event.seq, signed.seq))
    sound = not any(check.problem_with(EventRow(*row)) for row in rows)
    return sound and (check.seq, check.hash) == (signed.seq, signed.hash)


def is_whole_after(connection: sqlite3.Connection, key: Callable[[], Verifier], seq: int) -> bool:
    """Whether no place of the chain is empty between one and its signed end; it counts events and reads none.

    An event that was replaced is not found so. `key` gives the verifier where there is something to verify.
    """
    row = connection.execute(_HEAD).fetchone()
    found, last = connection.execute(_AFTER, (seq,)).fetchone()
    if row is None:
        return not found and not seq
    head = Head(seq=row[0], hash=row[1], signature=row[2])
    return head.is_genuine(key()) and found == head.seq - seq and last in (0, head.seq)
