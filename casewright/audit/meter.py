"""What an event does to the meter of its run: how many calls it has made, and whether it is tainted.

Written in the transaction of the event, so that no call is ever made without being counted.
Read by `casewright.audit.standing`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from casewright.audit.entry import AuditEntry

COUNTED = frozenset({"call.allowed", "call.denied"})
UNTRUSTED = "read_untrusted"
"""The member of an event's body that says what it does to the taint of its run; every event has it that changes a
meter, and a fork's first one says what it began with."""


@dataclass(frozen=True, kw_only=True)
class MeterChange:
    """What a caller of the audit knows of the run beyond the event."""

    untrusted: bool
    """True: from now on the run has read text that nobody vouches for. False changes nothing."""


def meter_row(entry: AuditEntry, change: MeterChange | None) -> dict[str, Any] | None:
    """What to add to the meter; None when the event changes none."""
    calls = int(entry.kind in COUNTED)
    untrusted = change is not None and change.untrusted
    if not entry.run_id or not (calls or untrusted):
        return None
    return {"tenant": entry.tenant, "run_id": entry.run_id, "calls": calls, "untrusted": untrusted}


def summed(rows: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """One row for each run."""
    totals: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row is None:
            continue
        total = totals.setdefault((row["tenant"], row["run_id"]), row | {"calls": 0, "untrusted": False})
        total["calls"] += row["calls"]
        total["untrusted"] |= row["untrusted"]
    return list(totals.values())
