"""What the review server shows: reviews, what they ask, approvals, and how a decision went."""

from typing import Any, Literal

from pydantic import Field

from casewright.clock import iso
from casewright.contracts.approval import ActionCall, ApprovalState, Vote
from casewright.contracts.base import Contract
from casewright.contracts.question import Option, QuestionKind, QuestionState, RunQuestion
from casewright.contracts.run import RunReport, RunStatus
from servers.review.reviews import Review

_NEXT: dict[RunStatus, str] = {
    "queued": "a worker takes it up; read it again with `wait_seconds`",
    "running": "it is worked on; read it again with `wait_seconds`",
    "waiting_approval": "people decide on what is `pending` (`list_approvals`, `decide_approval`), never its requester",
    "waiting_information": "what `questions` of the report names is missing in the case; it goes on when it is added",
    "waiting_answer": "`asked` of the report is for a person: `answer_question`",
    "paused": "it rests until somebody resumes it: `casewright runs resume RUN`",
    "completed": "it has ended; `explain_review` says why it says what it says",
    "incomplete": "it has ended without enough; the report says what is missing",
    "failed": "it rests after failed attempts: `casewright runs retry RUN`",
    "cancelled": "it was cancelled; what it did stays done",
}


class ReviewSummary(Contract):
    """A review in a list."""

    run_id: str = Field(description="The handle of the review, for the other tools.")
    case_id: str
    subject: str = Field(description="The person on whose behalf it acts.")
    status: RunStatus
    updated: str

    @classmethod
    def listed(cls, review: Review) -> "ReviewSummary":
        return ReviewSummary(
            run_id=review.run_id,
            case_id=review.case_id,
            subject=review.subject,
            status=review.status,
            updated=iso(review.updated_ns),
        )


class ReviewList(Contract):
    """The newest reviews that the caller may read."""

    reviews: tuple[ReviewSummary, ...]


class ReviewView(ReviewSummary):
    """A review as it stands now."""

    waiting_for: str = Field(description="The approval or question that it waits for; empty: none.")
    wanted: str = Field(description="What was asked of it and is not done yet.")
    created: str = Field(description="RFC 3339, in UTC.")
    report: RunReport | None = Field(description="Null until it has waited or ended for the first time.")
    next: str = Field(description="What comes next, and by whom.")

    @classmethod
    def of(cls, review: Review) -> "ReviewView":
        return cls(
            run_id=review.run_id,
            case_id=review.case_id,
            subject=review.subject,
            status=review.status,
            waiting_for=review.waiting_for,
            wanted=review.wanted,
            created=iso(review.created_ns),
            updated=iso(review.updated_ns),
            report=review.report,
            next=_NEXT[review.status],
        )


class QuestionView(Contract):
    """What a review asks a person."""

    question_id: str
    run_id: str
    case_id: str
    kind: QuestionKind
    text: str
    options: tuple[Option, ...]
    detail: dict[str, Any] = Field(description="What a person needs to see to answer.")
    state: QuestionState
    answer: str = Field(description="The value of the option chosen; empty while open.")
    answered_by: str

    @classmethod
    def of(cls, question: RunQuestion) -> "QuestionView":
        return cls.model_validate(question.model_dump(exclude={"tenant", "created_ns", "answered_ns"}))


class QuestionAnswer(Contract):
    """How a question of a review stands after the call."""

    status: Literal["answered", "answer_required"]
    question: QuestionView
    how: str = Field(description="What happens next, in words.")


class ApprovalView(Contract):
    """An approval as it stands now; `call` holds the canonical arguments and no model's words."""

    approval_id: str
    state: ApprovalState
    remaining: int = Field(description="Approving votes that are still needed.")
    votes: tuple[Vote, ...]
    case_id: str
    run_id: str
    requested_by: str
    requested_agent: str
    roles: tuple[str, ...] = Field(description="Who may vote now.")
    quorum: int
    assignee: str = Field(description="Who is expected to vote; empty: whoever has a role.")
    escalated: str = Field(description="When further roles were let in; empty: they were not.")
    created: str
    expires: str
    digest: str = Field(description="Binds `call`.")
    call: ActionCall


class ApprovalList(Contract):
    """Approvals that the caller may read, newest first."""

    approvals: tuple[ApprovalView, ...]
    more: bool = Field(description="True: there are more than are listed; narrow them by case or state.")


class DecisionResult(Contract):
    """How an approval stands after the caller's user was asked, or could not be."""

    status: Literal["recorded", "not_decided", "approval_required"]
    approval: ApprovalView
    url: str = Field(description="Where people decide; empty: no address is known here.")
    how: str = Field(description="What happens next, in words.")
