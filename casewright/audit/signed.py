"""Proves one event on a bare SQLite connection, for what follows releases: it is loaded where every server starts.

The same proof as `casewright.audit.proof`, without the database library. It shows that what an event says was signed;
that no later one is missing only as far as counting shows it.
"""

import sqlite3
from collections.abc import Callable

from casewright.audit.chain import ChainCheck, EventRow, Head
from casewright.audit.signing import Verifier

_BETWEEN = (
    "SELECT seq, at_ns, kind, tenant, subject, agent, run_id, case_id, body, previous, hash "
    "FROM audit_events WHERE seq >= ? AND seq <= ? ORDER BY seq"
)
_SIGNED = "SELECT seq, hash, signature FROM audit_checkpoints WHERE seq >= ? ORDER BY seq LIMIT 1"
_HEAD = "SELECT seq, hash, signature FROM audit_head"
_COUNTED = (
    "SELECT (SELECT COUNT(*) FROM audit_events), (SELECT MIN(seq) FROM audit_events), "
    "(SELECT MAX(seq) FROM audit_events)"
)
"""Of all events: SQLite then counts the entries of its smallest index, and reads no event."""


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


def is_whole(connection: sqlite3.Connection, key: Callable[[], Verifier]) -> bool:
    """Whether no place of the chain is empty up to its signed end; it counts events and reads none.

    An event that was replaced is not found so. `key` gives the verifier where there is something to verify.
    """
    row = connection.execute(_HEAD).fetchone()
    counted = connection.execute(_COUNTED).fetchone()
    if row is None:
        return counted == (0, None, None)
    head = Head(seq=row[0], hash=row[1], signature=row[2])
    return head.is_genuine(key()) and counted == (head.seq, 1, head.seq)
