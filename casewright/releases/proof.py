"""Holds what a process is about to follow against the signed events of releases, before it is followed.

Synchronous, on a bare connection, once for every change of the row: see `casewright.releases.following`. That all rows
fit all events is for the verification of the audit (`casewright.releases.verification`).
"""

import sqlite3
from collections.abc import Callable
from typing import Any

from casewright.audit.chain import EventRow
from casewright.audit.signed import is_signed, is_whole
from casewright.audit.signing import Verifier
from casewright.contracts.release import ReleaseMove
from casewright.errors import StorageError
from casewright.releases.history import (
    MAKING,
    SWITCHES,
    Standing,
    standing_difference,
    standing_of,
    switch_difference,
)

_OF_RELEASES = (
    "SELECT seq, at_ns, kind, tenant, subject, agent, run_id, case_id, body, previous, hash "
    "FROM audit_events WHERE kind LIKE 'release.%'"
)
"""The condition is that of the index over these events, to the letter."""
_NEWEST_SWITCH = _OF_RELEASES + " AND kind IN (?, ?, ?) ORDER BY seq DESC LIMIT 1"
_MAKING = _OF_RELEASES + " AND kind IN (?, ?, ?) AND instr(body, ?) ORDER BY seq"


def check_switch(connection: sqlite3.Connection, key: Callable[[], Verifier], move: ReleaseMove) -> None:
    """Return if the newest switch is the one that the newest signed event of a switch tells, in one snapshot.

    Raises:
        StorageError: it is not, or the events are not what was signed; the way out is said.
    """
    row = connection.execute(_NEWEST_SWITCH, tuple(SWITCHES.values())).fetchone()
    event = None if row is None else EventRow(*row)
    named = f"the switch to {move.active or 'no release'!r}{f' with {move.canary!r}' if move.canary else ''}"
    if event is not None and not is_signed(connection, key(), event):
        raise _unproved(f"the newest event of a switch of releases is not what was signed, so {named} is not followed")
    if not is_whole(connection, key):
        raise StorageError(
            f"events are missing in the audit, so {named} is not followed; run `casewright audit verify` and restore "
            "the database from a backup"
        )
    if differs := switch_difference(move, event):
        raise _unproved(f"{differs} of {named} is not what the audit tells, so it is not followed")


def check_standing(
    connection: sqlite3.Connection, key: Callable[[], Verifier], release_id: str, stored: Standing
) -> None:
    """Return if a release stands as the signed events of its making tell.

    Raises:
        StorageError: it does not, or they are not what was signed.
    """
    values: tuple[Any, ...] = (*MAKING, release_id)
    events = [EventRow(*row) for row in connection.execute(_MAKING, values).fetchall()]
    if not all(is_signed(connection, key(), event) for event in events):
        raise _unproved(f"the events of the release {release_id!r} are not what was signed, so it is not followed")
    if differs := standing_difference(stored, standing_of(release_id, events)):
        raise _unproved(f"{differs} of the release {release_id!r} is not what the audit tells, so it is not followed")


def _unproved(what: str) -> StorageError:
    return StorageError(
        f"{what}; run `casewright audit verify` and restore the database from a backup, or put in force what should "
        "be with `casewright release promote RELEASE`"
    )
