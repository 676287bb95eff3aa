"""A review run from outside: its status, what it waits for, what it has spent."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from pydantic import Field, TypeAdapter, field_validator

from casewright.contracts.base import Contract
from casewright.contracts.question import RunQuestion
from casewright.contracts.recommendation import Deadline, EvidenceCheck, EvidenceReport, Recommendation

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
    """What `casewright.config.Budgets` allowed; 0 where a report was kept before this was counted."""

    steps: int
    delegations: int = 0
    """For each agent."""
    tool_calls: int
    tokens: int = 0
    cost_micro: int = 0
    """Millionths of `currency`."""
    wall_clock_seconds: int
    step_seconds: int = 0


class BudgetSpent(Contract):
    """What the run and those it was forked from have spent."""

    steps: int
    delegations: dict[str, int] = Field(default_factory=dict[str, int])
    """By agent."""
    tool_calls: int
    tokens: int = 0
    cost_micro: int = 0
    wall_clock_ms: int
    """Working time; time spent waiting for people does not count."""


class Budget(Contract):
    limits: BudgetLimits
    spent: BudgetSpent
    currency: str = ""
    """ISO 4217; of the price table. Empty where a report was kept before costs were counted."""


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
    release: str = ""
    """The release that it was begun under; empty: none was in force."""
    asked: RunQuestion | None = None
    """What a person is to answer before the run goes on; None: nothing."""

    @field_validator("evidence", mode="before")
    @classmethod
    def _read_back(cls, evidence: Any) -> Any:
        """Take what is missing from beside the checklist; where it does not follow from that, it is refused."""
        if not isinstance(evidence, Mapping) or "missing" not in evidence:
            return cast(Any, evidence)
        fields = dict(cast("Mapping[str, Any]", evidence))
        missing = TypeAdapter(tuple[EvidenceCheck, ...]).validate_python(fields.pop("missing"))
        report = EvidenceReport.model_validate(fields)
        if missing != report.missing:
            raise ValueError("what is missing is not what the checklist says")
        return report
