"""The chain itself, without storage: hashes, the signed head, and the check of a sequence.

Each event's hash covers every other field and the hash before it (a hash chain); the head
(last sequence number and hash) is signed, so a cut tail is found as well. What no chain can
find alone is a whole older copy put back: compare with a head kept elsewhere.
"""

from dataclasses import dataclass
from typing import Any

import rfc8785

from casewright.audit.entry import AuditEntry
from casewright.audit.signing import Signer, Verifier
from casewright.canonical import canonical_json, digest
from casewright.contracts.event import AuditEvent
from casewright.errors import InputError

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
        return verifier.verify(head_message(self.seq, self.hash), self.signature)


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


def chained(entry: AuditEntry, *, seq: int, at_ns: int, previous: str) -> AuditEvent:
    """The event that follows `previous`.

    Raises:
        InputError: the body is not JSON, or an integer in it is beyond 2^53.
        pydantic.ValidationError: the kind is unknown.
    """
    fields: dict[str, Any] = {
        "seq": seq,
        "at_ns": at_ns,
        "kind": entry.kind,
        "tenant": entry.tenant,
        "subject": entry.subject,
        "agent": entry.agent,
        "run_id": entry.run_id,
        "case_id": entry.case_id,
        "body": dict(entry.body),
        "previous": previous,
    }
    try:
        return AuditEvent(**fields, hash=event_hash(fields))
    except rfc8785.CanonicalizationError as error:
        raise InputError(
            f"the body of the audit event {entry.kind!r} is not plain JSON: {error}; use text, numbers, lists, maps"
        ) from error


def event_hash(fields: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of all fields but `hash` (RFC 8785).

    `at_ns` is written as text: nanoseconds are beyond the 2^53 that canonical JSON can carry.
    """
    hashed = {name: value for name, value in fields.items() if name != "hash"}
    return digest(hashed | {"at_ns": str(hashed["at_ns"])})


class ChainCheck:
    """Checks events one by one in the order they are stored."""

    def __init__(self, expected: tuple[int, str] | None = None) -> None:
        """`expected` is a place that is known to have been there."""
        self.seq = 0
        self.hash: str = GENESIS
        self._expected = expected or (0, GENESIS)
        self._hash_at_expected = GENESIS

    def problem_with(self, event: AuditEvent) -> str:
        """Why this event cannot follow the last one; empty when it does."""
        if event.seq != self.seq + 1:
            return f"event {self.seq + 1} is missing or out of order (found {event.seq})"
        if event.previous != self.hash:
            return f"event {event.seq} does not follow event {self.seq}: their hashes do not join"
        if event.hash != event_hash(event.model_dump()):
            return f"event {event.seq} was changed: its hash does not fit its content"
        self.seq, self.hash = event.seq, event.hash
        if self.seq == self._expected[0]:
            self._hash_at_expected = self.hash
        return ""

    def close(self, head: Head | None, verifier: Verifier) -> AuditVerification:
        """The verdict once all events were sound: does the signed head fit them?"""
        problem = self._head_problem(head, verifier) or self._expected_problem()
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
