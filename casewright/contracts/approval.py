"""Approvals, effects and receipts: what a person agreed to, and what was then done.

An approval is bound by `digest` to one exact call. See `casewright.approvals` for the ledger.
"""

from typing import Any, Literal

from casewright.contracts.base import Contract

ApprovalState = Literal["pending", "approved", "rejected", "expired", "consumed", "revoked"]


class ActionCall(Contract):
    """The exact call an approval is bound to; its canonical JSON gives the digest."""

    tenant: str
    case_id: str
    server: str
    tool: str
    definition_hash: str
    """SHA-256 of the canonical tool definition shown to clients."""
    arguments: dict[str, Any]
    policy_revision: str


class ApprovalRule(Contract):
    """Who may approve, as the access decision obliges."""

    roles: tuple[str, ...]
    quorum: int
    author_excluded: bool
    ttl_seconds: int
    risk: Literal["low", "medium", "high"]


class Vote(Contract):
    voter: str
    approve: bool
    note: str
    at_ns: int


class Approval(Contract):
    approval_id: str
    call: ActionCall
    digest: str
    rule: ApprovalRule
    state: ApprovalState
    requested_by: str
    requested_agent: str
    run_id: str
    created_ns: int
    expires_ns: int
    votes: tuple[Vote, ...]

    @property
    def remaining(self) -> int:
        """Approving votes still needed."""
        return max(0, self.rule.quorum - sum(1 for vote in self.votes if vote.approve))


class Receipt(Contract):
    """Proof that one effect happened once."""

    effect_id: str
    idempotency_key: str
    approval_id: str
    case_id: str
    action: str
    amount_minor: int
    currency: str
    executed_ns: int
    repeated: bool = False
    """True: the effect had happened before, and this is its first receipt again."""


class Rationale(Contract):
    """What an approver reads beside the arguments; bound to the draft by version and digest."""

    draft_id: str
    draft_version: int
    draft_digest: str


class GatedResult(Contract):
    """The answer of a call that needs people: done, or waiting, or refused by them."""

    status: Literal["executed", "approved", "approval_required", "rejected", "revoked"]
    approval: Approval
    receipt: Receipt | None
    how: str
    """What happens next, in words."""
