"""Approvals, effects and receipts: what a person agreed to, and what was then done.

An approval is bound by `digest` to one exact call. See `casewright.approvals` for the ledger.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

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


MAX_DELAY_SECONDS = 30 * 86_400
Delay = Annotated[int, Field(ge=0, le=MAX_DELAY_SECONDS, strict=True)]
"""Seconds to wait; 0: never."""


class Reminder(Contract):
    """People are told again that an approval waits for them."""

    after_seconds: Annotated[int, Field(ge=60, le=MAX_DELAY_SECONDS, strict=True)]
    """After it was asked for."""
    to: Literal["roles", "assignee"]
    """`assignee`: the person it is assigned to; while there is none, the roles."""


class Schedule(Contract):
    """What happens while an approval waits; policy authors own it. Empty: only the expiry."""

    reminders: Annotated[tuple[Reminder, ...], Field(max_length=10)] = ()
    reassign_after_seconds: Delay = 0
    """After an assignment: an assignee who has not voted by then loses it."""
    escalate_after_seconds: Delay = 0
    """After it was asked for: `escalate_to` may vote as well. Quorum and distinct people stay."""
    escalate_to: Annotated[tuple[str, ...], Field(max_length=100)] = ()


class ApprovalRule(Contract):
    """Who may approve, as the access decision obliges."""

    roles: tuple[str, ...]
    quorum: int
    author_excluded: bool
    ttl_seconds: int
    risk: Literal["low", "medium", "high"]
    schedule: Schedule = Schedule()
    """Approvals that were stored without one have the empty one."""


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
    assignee: str = ""
    """Who is expected to vote and is reminded; it neither gives nor takes a vote. Empty: whoever has a role."""
    escalated_ns: int = 0
    """When further roles were let in; 0: they were not."""

    @property
    def voting_roles(self) -> tuple[str, ...]:
        """The roles that may vote now; an escalation before its time, put in by hand, lets nobody in."""
        schedule = self.rule.schedule
        due_ns = self.created_ns + schedule.escalate_after_seconds * 1_000_000_000
        further = schedule.escalate_to if self.escalated_ns >= due_ns else ()
        return (*self.rule.roles, *(role for role in further if role not in self.rule.roles))

    @property
    def remaining(self) -> int:
        """Approving votes still needed."""
        return max(0, self.rule.quorum - sum(1 for vote in self.votes if vote.approve))


NoticeKind = Literal["reminder", "assigned", "escalated", "expired"]


class Notice(Contract):
    """One thing that a person or the people of a role were told of an approval."""

    notice_id: str
    tenant: str
    approval_id: str
    kind: NoticeKind
    number: int
    """Counts per approval and kind, from 1."""
    recipient: str
    """`person:ID` or `role:NAME`."""
    due_ns: int
    at_ns: int
    case_id: str
    """The case may be read by few; a notice says nothing else of it."""
    skipped: bool = False
    """Its time passed while nothing ran, and a newer one was sent instead."""


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
    url: str = ""
    """Where the people who may decide find it; empty: no address is known here, or there is nothing to decide."""
