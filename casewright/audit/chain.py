"""The chain itself, without storage: hashes, the signed head, and the check of a sequence.

Each event's hash covers every other field and the hash before it (a hash chain); the head
(last sequence number and hash) is signed, so a cut tail is found as well. What no chain can
find alone is a whole older copy put back: compare with a head kept elsewhere.
"""

import base64
from dataclasses import dataclass
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from typing import Any, NamedTuple

from casewright.audit.signing import Signer, Verifier
from casewright.canonical import canonical_json
from casewright.contracts.event import AuditEvent

GENESIS = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last place of the chain and its signature."""

    seq: int
    hash: str
    signature: str

    @classmethod
    def signed(cls, seq: int, hash_: str, signer: Signer) -> "Head":
        return cls(seq=seq, hash=hash_, signature=signer.sign(head_message(seq, hash_)))

    def is_genuine(self, verifier: Verifier) -> bool:
        """Whether the signature is ours, written exactly as we write it."""
        return _is_plain_base64(self.signature) and verifier.verify(head_message(self.seq, self.hash), self.signature)


@dataclass(frozen=True, kw_only=True)
class AuditVerification:
    """The outcome of a check; `first_bad` is the sequence number where trust ends."""

    ok: bool
    events: int
    head: tuple[int, str]
    """Last sound place: sequence number and hash. Keep it elsewhere to notice a rollback."""
    first_bad: int | None = None
    problem: str = ""


def head_message(seq: int, hash_: str) -> bytes:
    """The bytes under the head's signature."""
    return canonical_json({"schema": "audit-head/v1", "seq": seq, "hash": hash_})


class EventRow(NamedTuple):
    """An event as it is stored; `body` is canonical JSON. The fields are the columns in their order."""

    seq: int
    at_ns: int
    kind: str
    tenant: str
    subject: str
    agent: str
    run_id: str
    case_id: str
    body: str
    previous: str
    hash: str


def chained(event: AuditEvent, body: str, *, at_ns: int, after: tuple[int, str]) -> EventRow:
    """The event, whose place and time are not known yet, put after a place of the chain."""
    seq, previous = after
    row = EventRow(
        seq=seq + 1,
        at_ns=at_ns,
        kind=event.kind,
        tenant=event.tenant,
        subject=event.subject,
        agent=event.agent,
        run_id=event.run_id,
        case_id=event.case_id,
        body=body,
        previous=previous,
        hash="",
    )
    return row._replace(hash=event_hash(row))


def event_hash(row: EventRow) -> str:
    """SHA-256 over the canonical JSON of all fields but `hash` (RFC 8785).

    `at_ns` is written as text: nanoseconds are beyond the 2^53 that canonical JSON can carry. The
    body goes in as it is stored, so a byte of it that is not canonical gives another hash.

    Raises:
        UnicodeEncodeError, TypeError: a field is no text that JSON can hold.
    """
    return sha256("".join((*_before_body(row), row.body, *_after_body(row), "}")).encode()).hexdigest()


def canonical_event(row: EventRow) -> tuple[bytes, bytes]:
    """The canonical JSON of the whole event, before and after its body."""
    before, (case_id, *rest) = "".join(_before_body(row)), _after_body(row)
    return before.encode(), "".join((case_id, ',"hash":', quoted(row.hash), *rest, "}")).encode()


def _before_body(row: EventRow) -> tuple[str, ...]:
    return ('{"agent":', quoted(row.agent), ',"at_ns":"', str(row.at_ns), '","body":')


def _after_body(row: EventRow) -> tuple[str, ...]:
    return (
        f',"case_id":{quoted(row.case_id)}',
        f',"kind":{quoted(row.kind)},"previous":{quoted(row.previous)},"run_id":{quoted(row.run_id)}',
        f',"seq":{row.seq},"subject":{quoted(row.subject)},"tenant":{quoted(row.tenant)}',
    )


class ChainCheck:
    """Checks events one by one in the order they are stored."""

    def __init__(self, expected: tuple[int, str] | None = None) -> None:
        """`expected` is a place that is known to have been there."""
        self.seq = 0
        self.hash: str = GENESIS
        self._expected = expected or (0, GENESIS)
        self._hash_at_expected = GENESIS

    def problem_with(self, row: EventRow) -> str:
        """Why this event cannot follow the last one; empty when it does."""
        if not _is_well_typed(row):
            return f"event {row.seq!r} was changed: it cannot be read"
        if row.seq != self.seq + 1:
            return f"event {self.seq + 1} is missing or out of order (found {row.seq})"
        if row.previous != self.hash:
            return f"event {row.seq} does not follow event {self.seq}: their hashes do not join"
        if row.hash != _hash_or_none(row):
            return f"event {row.seq} was changed: its hash does not fit its content"
        self.seq, self.hash = row.seq, row.hash
        if self.seq == self._expected[0]:
            self._hash_at_expected = self.hash
        return ""

    def close(self, head: Head | None, verifier: Verifier, *, also: str = "") -> AuditVerification:
        """The verdict once all events were sound: does the signed head fit them?

        `also` is a problem that was found beside the chain; it counts unless the head is worse.
        """
        problem = self._head_problem(head, verifier) or also or self._expected_problem()
        return AuditVerification(
            ok=not problem,
            events=self.seq,
            head=(self.seq, self.hash),
            first_bad=self.seq + 1 if problem else None,
            problem=problem,
        )

    def broken(self, seq: int, problem: str) -> AuditVerification:
        """The verdict when the event at `seq` is not sound."""
        return AuditVerification(ok=False, events=self.seq, head=(self.seq, self.hash), first_bad=seq, problem=problem)

    def _head_problem(self, head: Head | None, verifier: Verifier) -> str:
        if head is None:
            return "" if self.seq == 0 else "the signed head is missing"
        if not head.is_genuine(verifier):
            return f"the signature of the head at event {head.seq} is not ours"
        if head.seq != self.seq or head.hash != self.hash:
            return f"the head names event {head.seq}, but the events end at {self.seq}: the tail was cut or added"
        return ""

    def _expected_problem(self) -> str:
        seq, hash_ = self._expected
        if seq > self.seq:
            return f"the log ends at event {self.seq}, but event {seq} is known to have been there: it was rolled back"
        if self._hash_at_expected != hash_:
            return f"event {seq} is not the one that is known to have been there: the log was rewritten"
        return ""


def _is_plain_base64(text: Any) -> bool:
    """Base64 can be written in several ways that mean the same; only one of them is ours."""
    try:
        return isinstance(text, str) and base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except ValueError:
        return False


_TYPES = (int, int, *[str] * (len(EventRow._fields) - 2))


def _is_well_typed(row: EventRow) -> bool:
    return tuple(map(type, row)) == _TYPES


def _hash_or_none(row: EventRow) -> str | None:
    try:
        return event_hash(row)
    except UnicodeEncodeError:
        return None
