"""One audit event, and the chain it is part of.

`body` is canonical JSON. `hash` is SHA-256 over the canonical JSON of every other field,
so that a changed byte, a gap or a reordering is found by recomputing (RFC 8785).
"""

from typing import Any, Literal

from casewright.contracts.base import Contract

EventKind = Literal[
    "call.allowed",
    "call.denied",
    "call.failed",
    "listing.withheld",
    "approval.requested",
    "approval.voted",
    "approval.consumed",
    "approval.expired",
    "effect.executed",
    "draft.saved",
    "run.started",
    "run.stepped",
    "run.ended",
    "model.called",
    "corpus.ingested",
    "corpus.approved",
    "corpus.switched",
    "corpus.pruned",
    "cases.imported",
    "approval.revoked",
    "policy.loaded",
    "policy.refused",
    "policy_data.changed",
    "identity.used",
    "run.steered",
    "run.forked",
    "question.asked",
    "question.answered",
    "approval.notified",
    "approval.reassigned",
    "approval.escalated",
    "feedback.given",
    "models.pruned",
    "server.quarantined",
    "release.proposed",
    "release.created",
    "release.promoted",
    "release.rolled_back",
    "release.canary",
    "release.shadowed",
    "release.retired",
    "release.refused",
]


class AuditEvent(Contract):
    seq: int
    """1-based, without gaps."""
    at_ns: int
    kind: EventKind
    tenant: str
    subject: str
    """The person; empty for the system itself."""
    agent: str
    run_id: str
    case_id: str
    body: dict[str, Any]
    previous: str
    """Hash of the event before; 64 zeros for the first."""
    hash: str
