"""A recommendation and what it stands on: findings, quotes, facts, the proposed action.

Every finding's `claim` is backed by its citations (exact quotes) and fact references.
The outcome is computed by rules from facts; a model only explains it.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from casewright.contracts.base import Contract

ActionKind = Literal[
    "issue_provisional_credit",
    "issue_final_credit",
    "deny_claim",
    "request_information",
    "send_adverse_action_notice",
    "close_duplicate",
    "escalate",
    "no_action",
]
CONSEQUENTIAL_ACTIONS: tuple[ActionKind, ...] = (
    "issue_provisional_credit",
    "issue_final_credit",
    "deny_claim",
    "send_adverse_action_notice",
    "close_duplicate",
    "escalate",
)


class Citation(Contract):
    document_id: str
    version: str
    label: str
    quote: str
    """Verbatim words of the clause: the whole clause or whole sentences of it."""
    sha256: str
    """Of the cited clause's text, so that a changed clause is noticed."""


class VerifiedCitation(Citation):
    verified: bool
    problem: str = ""


class FactRef(Contract):
    """A value of the case file by path: `transactions/t1/amount_minor`."""

    path: str
    value: str
    """The value as the case facts server returned it, as text."""


class ClauseRef(Contract):
    document_id: str
    label: str


class Finding(Contract):
    claim: str
    """One sentence."""
    citations: Annotated[tuple[Citation, ...], Field(max_length=8)]
    facts: tuple[FactRef, ...] = ()


class EvidenceCheck(Contract):
    id: str
    title: str
    why: str
    clause: ClauseRef
    status: Literal["present", "missing", "contradicted", "not_applicable"]
    evidence_ids: tuple[str, ...] = ()
    needed: bool = True


class EvidenceReport(Contract):
    complete: bool
    items: tuple[EvidenceCheck, ...]

    @property
    def missing(self) -> tuple[EvidenceCheck, ...]:
        return tuple(item for item in self.items if item.needed and item.status == "missing")


class Deadline(Contract):
    id: str
    title: str
    starts_on: dt.date
    count: int
    unit: Literal["business_days", "calendar_days"]
    due_on: dt.date
    clause: ClauseRef
    because: str
    calendar: str
    """Which holidays were left out, for example `US federal holidays`; empty for calendar days."""


class Limit(Contract):
    id: str
    title: str
    amount_minor: int
    clause: ClauseRef
    because: str


class OutcomeBasis(Contract):
    rule: str
    clause: ClauseRef
    because: str
    facts: tuple[str, ...] = ()


class Outcome(Contract):
    """What the rules say should be done; computed in Rego from facts, never by a model."""

    action: ActionKind
    amount_minor: int = 0
    risk: Literal["low", "medium", "high"]
    basis: tuple[OutcomeBasis, ...]
    questions: tuple[str, ...] = ()


class CaseAssessment(Contract):
    """Evidence, deadlines, limits and the outcome that rules give for one case."""

    evidence: EvidenceReport
    deadlines: tuple[Deadline, ...]
    limits: tuple[Limit, ...]
    outcome: Outcome
    policy_revision: str


class ProposedAction(Contract):
    kind: ActionKind
    amount_minor: int = 0
    currency: str = "USD"
    reason: str
    """One sentence; shown to approvers beside the canonical arguments, never instead of them."""


class Recommendation(Contract):
    case_id: str
    as_of: dt.date
    summary: Annotated[tuple[Finding, ...], Field(min_length=1, max_length=40)]
    """Every sentence of the recommendation, each with its backing."""
    action: ProposedAction
    risk: Literal["low", "medium", "high"]
    open_questions: tuple[str, ...] = ()
    model: str
    """`offline/extractive` or the provider and model that wrote the claims."""
    index_version: str


class DraftVersion(Contract):
    draft_id: str
    version: int
    case_id: str
    run_id: str
    author: str
    """The person; an agent writes in the name of the person it acts for."""
    agent: str
    created_ns: int
    digest: str
    """SHA-256 of the canonical JSON of `recommendation`."""
    recommendation: Recommendation
