"""What the audit tells of releases, and where their rows say something else. Pure: values in, a value out.

The rows are what every process follows; the events are what was signed. Whoever can write the database can write the
rows, so a process compares before it follows one, and the verification of the audit compares all of them. It does *not*
check the events (see `casewright.releases.proof`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from casewright.audit.chain import EventRow
from casewright.contracts.event import EventKind
from casewright.contracts.release import MoveKind, ReleaseMove

SWITCHES: dict[MoveKind, EventKind] = {
    "promoted": "release.promoted",
    "rolled_back": "release.rolled_back",
    "canary": "release.canary",
}
"""The events of a change of what is in force."""
MAKING: tuple[EventKind, ...] = ("release.proposed", "release.created", "release.retired")
"""The events that say whether a release may be in force at all."""
_TOLD = ("active", "previous", "canary", "percent", "why")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is kept of a release beside its manifest, which is signed itself."""

    tenant: str
    subject: str
    """Who made it."""
    state: str
    confirmed_by: str
    """The second person of an override."""
    why: str


def standing(told: Standing | None, event: EventRow, body: Mapping[str, Any]) -> Standing | None:
    """How a release stands after the next event of its making; None: nothing says that it was made."""
    match event.kind:
        case "release.proposed":
            return _made(event, body, "proposed")
        case "release.created" if body.get("override"):
            return told and replace(told, state="ready", confirmed_by=event.subject)
        case "release.created":
            return _made(event, body, "ready")
        case _:
            return told and replace(told, state="retired")


def standing_of(release_id: str, events: Iterable[EventRow]) -> Standing | None:
    """How one release stands after sound events of the making of any, oldest first."""
    told: Standing | None = None
    for event in events:
        body = json.loads(event.body)
        if body.get("release") == release_id:
            told = standing(told, event, body)
    return told


def standing_difference(stored: Standing, told: Standing | None) -> str:
    """What of a stored release is not as the audit tells it, in a word or two; empty: nothing."""
    if told is None:
        return "the making"
    words = {
        "the organisation": stored.tenant == told.tenant,
        "the maker": stored.subject == told.subject,
        "the state": stored.state == told.state,
        "the second person": stored.confirmed_by == told.confirmed_by,
        "the reason": stored.why == told.why,
    }
    return next((what for what, fits in words.items() if not fits), "")


def switch_difference(move: ReleaseMove, event: EventRow | None) -> str:
    """What of a switch is not as its event tells it, in a word or two; empty: nothing. No event: there was none."""
    if event is None:
        return "" if move.kind == "none" else "that there was one"
    if move.kind == "none":
        return "that there was none"
    body = json.loads(event.body)
    words = {
        "the kind": SWITCHES[move.kind] == event.kind,
        "who switched": move.subject == event.subject,
        "the number": move.seq == body.get("seq", move.seq),  # older events say neither number nor time
        "the time": str(move.at_ns) == body.get("at_ns", str(move.at_ns)),
        "what is in force": all(getattr(move, name) == body.get(name) for name in _TOLD),
    }
    return next((what for what, fits in words.items() if not fits), "")


def place(seq: int, at_ns: int) -> dict[str, Any]:
    """What the event of a switch says of its row's place; the time as text, since canonical JSON cannot carry it."""
    return {"seq": seq, "at_ns": str(at_ns)}


def _made(event: EventRow, body: Mapping[str, Any], state: str) -> Standing:
    return Standing(
        tenant=event.tenant, subject=event.subject, state=state, confirmed_by="", why=str(body.get("why", ""))
    )
