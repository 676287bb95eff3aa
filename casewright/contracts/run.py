"""A review run from outside: its status, what it waits for, what it has spent."""

from typing import Any, Literal

from casewright.contracts.base import Contract
from casewright.contracts.recommendation import Deadline, EvidenceReport, Recommendation

RunStatus = Literal[
    "queued",
    "running",
    "waiting_approval",
    "waiting_information",
    "waiting_answer",
    "paused",
    "completed",
    "incomplete",
    "failed",
    "cancelled",
]
"""`waiting_answer`: a person is asked to clarify, or what to do about a loop (`casewright.contracts.question`)."""
TERMINAL_STATUSES: tuple[RunStatus, ...] = ("completed", "incomplete", "failed", "cancelled")


class BudgetLimits(Contract):
    steps: int
    tool_calls: int
    wall_clock_seconds: int


class BudgetSpent(Contract):
    steps: int
    tool_calls: int
    wall_clock_ms: int
    """Working time; time spent waiting for people does not count."""


class Budget(Contract):
    limits: BudgetLimits
    spent: BudgetSpent


class PendingApproval(Contract):
    approval_id: str
    action: str
    amount_minor: int
    currency: str
    digest: str
    roles: tuple[str, ...]
    quorum: int
    state: str
    expires_ns: int


class RunReport(Contract):
    run_id: str
    case_id: str
    status: RunStatus
    because: str
    """Why it stands where it stands, in one sentence."""
    recommendation: Recommendation | None
    draft_id: str
    evidence: EvidenceReport | None
    deadlines: tuple[Deadline, ...]
    pending: tuple[PendingApproval, ...]
    steps: tuple[str, ...]
    """Nodes and delegates in the order they ran."""
    budget: Budget
    model: str
    receipt: dict[str, Any] | None
    questions: tuple[str, ...]
