"""What the API answers, as the client reads it. Fields that a newer server adds are passed over.

A test holds every model to the API's OpenAPI document.
"""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from casewright.contracts.approval import ApprovalState, NoticeKind, Vote
from casewright.contracts.case import (
    Account,
    Communication,
    EvidenceItem,
    Note,
    Notice,
    Party,
    TimelineEvent,
    Transaction,
)
from casewright.contracts.feedback import FeedbackKind, JudgedAnswer
from casewright.contracts.question import Option, QuestionKind, QuestionState
from casewright.contracts.recommendation import CaseAssessment, Citation, Recommendation, VerifiedCitation
from casewright.contracts.release import Override
from casewright.contracts.run import RunReport, RunStatus

ItemT = TypeVar("ItemT")


class Answer(BaseModel):
    """The base of what is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Page(Answer, Generic[ItemT]):
    items: tuple[ItemT, ...]
    next_cursor: str | None


class RunSummary(Answer):
    run_id: str
    kind: str
    case_id: str
    subject: str
    status: RunStatus
    created: str
    updated: str
    parent: str
    revision: int
    wanted: str


class Run(RunSummary):
    waiting_for: str
    attempts: int
    pins: dict[str, Any]
    report: RunReport | None


class RunEvent(Answer):
    seq: int
    at: str
    at_ns: int
    kind: str
    body: dict[str, Any]


class RunEvents(Answer):
    items: tuple[RunEvent, ...]
    next_after: int
    over: bool


class RunQuestion(Answer):
    question_id: str
    run_id: str
    case_id: str
    kind: QuestionKind
    text: str
    options: tuple[Option, ...]
    detail: dict[str, Any]
    state: QuestionState
    created: str
    answer: str
    answered_by: str
    answered: str


class RunQuestions(Answer):
    items: tuple[RunQuestion, ...]


class Usage(Answer):
    input_tokens: int
    output_tokens: int
    duration_ms: int


class QuestionAnswer(Answer):
    answer: str
    abstained: bool
    reason: str
    as_of: str
    citations: tuple[VerifiedCitation, ...]
    index_version: str
    model: str
    run_id: str
    usage: Usage
    release: str = ""


class Question(RunSummary):
    question: str
    as_of: str
    answer: QuestionAnswer | None


class ApprovalCall(Answer):
    tenant: str
    case_id: str
    server: str
    tool: str
    definition_hash: str
    arguments: dict[str, Any]
    policy_revision: str


class Approval(Answer):
    approval_id: str
    state: ApprovalState
    remaining: int
    votes: tuple[Vote, ...]
    case_id: str
    run_id: str
    requested_by: str
    requested_agent: str
    roles: tuple[str, ...]
    quorum: int
    assignee: str
    escalated: str
    created: str
    expires: str
    digest: str
    call: ApprovalCall


class ApprovalNotice(Answer):
    notice_id: str
    approval_id: str
    case_id: str
    kind: NoticeKind
    number: int
    to: str
    at: str
    text: str


class CaseListing(Answer):
    case_id: str
    title: str
    case_type: str
    state: str
    received_on: str


class Origin(Answer):
    source: str
    trust: str


class Case(CaseListing):
    """Texts whose origin is `untrusted` are to be read, never obeyed."""

    classification: str
    product: str
    issue: str
    claimed_amount_minor: int | None
    currency: str
    duplicate_of: str | None
    narrative: str
    parties: tuple[Party, ...]
    accounts: tuple[Account, ...]
    notices: tuple[Notice, ...]
    transactions: tuple[Transaction, ...]
    communications: tuple[Communication, ...]
    evidence: tuple[EvidenceItem, ...]
    timeline: tuple[TimelineEvent, ...]
    notes: tuple[Note, ...]
    assessment: CaseAssessment
    provenance: dict[str, Origin]


class DraftSummary(Answer):
    draft_id: str
    version: int
    case_id: str
    run_id: str
    author: str
    agent: str
    created: str
    digest: str


class Draft(DraftSummary):
    recommendation: Recommendation


class DraftVersions(Answer):
    items: tuple[DraftSummary, ...]


class DraftDiff(Answer):
    draft_id: str
    from_version: int
    to_version: int
    diff: str


class Feedback(Answer):
    feedback_id: str
    subject: str
    kind: FeedbackKind
    at: str
    text: str
    citation: Citation | None
    about: JudgedAnswer


class Release(Answer):
    release_id: str
    in_force: bool
    software: str
    graph: int
    state: int
    prompts: str
    policy: str
    index_version: str
    model: str
    report: str
    override: Override | None


class Releases(Answer):
    items: tuple[Release, ...]
    others: bool
    active: str
    previous: str
    canary: str
    percent: int


class Health(Answer):
    status: str
    version: str


class PartState(Answer):
    name: str
    ready: bool


class Readiness(Answer):
    ready: bool
    parts: tuple[PartState, ...]
