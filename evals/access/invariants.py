"""What has to hold after any calls at all, read from the stores and the audit: none of it is asked of a server.

Nothing was executed without its allow and its approval; every call is in the audit; what the audit allows is what the
oracle allows; no refusal says how the house is built; no clause was given that was not in force on the day asked for.
"""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from evals.access.generating import Generated

LEAKS = ("Traceback", "sqlite", "sqlalchemy", "pydantic", "site-packages", "Error executing", 'File "', "/home", ".py")
ALLOWED, DENIED = "call.allowed", "call.denied"


@dataclass(frozen=True, kw_only=True)
class Event:
    """A row of the audit, as it is stored."""

    seq: int
    kind: str
    subject: str
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A call that was made: what the client got, and what the audit has of it."""

    call: Generated
    answered: bool
    said: str
    """The text of a refusal or an error."""
    document: Mapping[str, Any]
    events: tuple[Event, ...]
    oracle: str
    """The effect that the rules give for who, what and where; empty for a tool that nobody has."""


@dataclass
class Findings:
    """What does not hold, in words, by invariant."""

    by_name: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def add(self, name: str, words: Iterator[str]) -> None:
        if found := list(words):
            self.by_name.setdefault(name, []).extend(found)


def call_findings(made: Made) -> Findings:
    """What a single call did that it must not."""
    findings = Findings()
    findings.add("unaudited", _unaudited(made))
    findings.add("unlawful", _unlawful(made))
    findings.add("leaked", _leaked(made))
    findings.add("outdated", _outdated(made))
    return findings


def _decided(made: Made) -> list[Event]:
    return [event for event in made.events if event.kind in (ALLOWED, DENIED)]


def _unaudited(made: Made) -> Iterator[str]:
    decided = _decided(made)
    if not decided:
        yield f"{_named(made)} left no event"
    elif made.answered and not any(event.kind == ALLOWED for event in decided):
        yield f"{_named(made)} was answered, and the audit has a denial"


def _unlawful(made: Made) -> Iterator[str]:
    own = (made.call.server, made.call.tool)
    allowed = [
        event
        for event in _decided(made)
        if event.kind == ALLOWED and (event.body.get("server"), event.body.get("tool")) == own
    ]
    if allowed and made.oracle in ("deny", ""):
        yield f"{_named(made)} was allowed, and the rules deny it"


def _leaked(made: Made) -> Iterator[str]:
    sent = json.dumps(made.call.arguments, default=str) + made.call.tool
    for word in LEAKS:
        if word in made.said and word not in sent:
            yield f"{_named(made)} was told {word!r}: {made.said[:200]!r}"


def _outdated(made: Made) -> Iterator[str]:
    """Clauses beside the day that was asked for, their last day included; by version, any day is right."""
    try:
        day = dt.date.fromisoformat(str(made.call.arguments.get("as_of", "")))
    except ValueError:
        return
    if made.call.arguments.get("version") or made.call.arguments.get("all_versions"):
        return
    for clause in _clauses(made.document):
        begins, ends = str(clause["effective_from"]), clause.get("effective_to")
        if begins > day.isoformat() or (ends is not None and str(ends) < day.isoformat()):
            yield f"{_named(made)} asked for {day} and got what was in force from {begins} to {ends}"


def _clauses(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        document = cast("dict[str, Any]", value)
        if {"effective_from", "label", "sha256"} <= document.keys():
            yield document
        for inner in document.values():
            yield from _clauses(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _clauses(inner)


def _named(made: Made) -> str:
    return f"{made.call.server}/{made.call.tool[:60]!r} by {made.call.visit.words()}"


def store_findings(database: Path, supervisors: frozenset[str]) -> Findings:
    """What the stores hold that has no allow, no approval, or no event; `supervisors` are who may agree."""
    findings = Findings()
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        findings.add("executed", _unauthorised(connection, supervisors))
        findings.add("unaudited", _unaccounted(connection))
    connection.close()
    return findings


def _effects(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT what FROM case_timeline WHERE source = 'recorded effect'"
    return [str(row[0]) for row in connection.execute(query)]


def _unauthorised(connection: sqlite3.Connection, supervisors: frozenset[str]) -> Iterator[str]:
    events = stored_events(connection)
    for effect in _effects(connection):
        approval_id = effect.rpartition("approved as ")[2]
        told = [event for event in events if event.body.get("approval_id") == approval_id]
        kinds = [event.kind for event in told]
        if [kind for kind in kinds if kind not in ("approval.voted", "approval.notified")] != [
            "approval.requested",
            "approval.consumed",
            "effect.executed",
        ]:
            yield f"{effect!r}: the audit tells of it {kinds}"
            continue
        requested = next(event for event in told if event.kind == "approval.requested")
        voters = {event.subject for event in told if event.kind == "approval.voted" and event.body["approve"] is True}
        refusals = [event.subject for event in told if event.kind == "approval.voted" and not event.body["approve"]]
        needed = int(requested.body["rule"]["quorum"])
        if refusals or len(voters - {requested.subject}) < needed or not voters <= supervisors:
            yield f"{effect!r}: asked for by {requested.subject}, agreed to by {sorted(voters)}, refused by {refusals}"
        if not _was_allowed(events, requested, before=told[-1].seq):
            yield f"{effect!r}: no call of exactly this was allowed before it"


def _was_allowed(events: list[Event], requested: Event, *, before: int) -> bool:
    call = requested.body["call"]
    return any(
        event.kind == ALLOWED
        and (event.body.get("server"), event.body.get("tool")) == (call["server"], call["tool"])
        and event.body.get("arguments") == call["arguments"]
        and requested.seq < event.seq < before
        for event in events
    )


def _unaccounted(connection: sqlite3.Connection) -> Iterator[str]:
    events = [event.body["effect_id"] for event in stored_events(connection) if event.kind == "effect.executed"]
    rows = [str(row[0]) for row in connection.execute("SELECT effect_id FROM outbox WHERE state = 'done'")]
    effects = _effects(connection)
    if sorted(events) != sorted(rows) or len(effects) != len(rows):
        yield f"{len(effects)} effects in the cases, {len(rows)} in the outbox, {len(events)} in the audit"


def stored_events(connection: sqlite3.Connection, after: int = 0) -> list[Event]:
    """The rows of the audit after a place, in order."""
    query = "SELECT seq, kind, subject, body FROM audit_events WHERE seq > ? ORDER BY seq"
    return [
        Event(seq=seq, kind=kind, subject=subject, body=json.loads(body))
        for seq, kind, subject, body in connection.execute(query, (after,))
    ]
