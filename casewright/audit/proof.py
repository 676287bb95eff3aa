"""Proves single events of a chain without reading all of it: each leads, hash by hash, to a place that was signed.

The next signed checkpoint is at most a thousand events away, so this can be asked before something is done. It shows
that what an event says was signed, *not* that no later event is missing: for that the whole chain is verified.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.chain import ChainCheck, EventRow, Head
from casewright.audit.signing import Verifier
from casewright.audit.verification import stored_head, stored_pages
from casewright.storage.tables import audit_checkpoints, audit_events


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
