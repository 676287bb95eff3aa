"""Which events may be acknowledged before they are on the disk; everything else may not.

An event that lags is committed to the write-ahead log, which survives a killed process but not
a power cut. Only what changes nothing may lag: reads, refusals, listings and model calls.
"""

from typing import Literal

from casewright.contracts.event import EventKind

READ_VERBS = frozenset({"list", "read", "search", "check"})
_LAGGING: frozenset[EventKind] = frozenset({"call.allowed", "call.denied", "listing.withheld", "model.called"})


def must_be_durable(
    kind: EventKind, verb: Literal["list", "read", "search", "check", "write", "execute", ""] = ""
) -> bool:
    """Whether an event is to be on the disk before anybody acts on it.

    `verb` is that of the tool, for a call; a call whose verb is not given counts as a consequence.
    """
    if kind == "call.allowed":
        return verb not in READ_VERBS
    return kind not in _LAGGING


def may_lag(kind: EventKind) -> bool:
    """Whether a caller's word that this event need not be durable is to be believed at all."""
    return kind in _LAGGING
