"""Every operation of the API as a function that makes its call; the names are those of the OpenAPI document.

Calls that create or decide something carry an idempotency key, so that they may be sent again.
"""

import datetime as dt
from typing import Any

from casewright.client.calls import AnswerT, Call, PageCall, path_of, without_none
from casewright.client.models import (
    Approval,
    ApprovalNotice,
    Case,
    CaseListing,
    Draft,
    DraftDiff,
    DraftVersions,
    Feedback,
    Health,
    ItemT,
    Page,
    Question,
    Readiness,
    Releases,
    Run,
    RunEvents,
    RunQuestion,
    RunQuestions,
    RunSummary,
)
from casewright.contracts.approval import ApprovalState
from casewright.contracts.explanation import Explanation
from casewright.contracts.feedback import CitationRef, FeedbackKind
from casewright.contracts.run import RunStatus


def start_review(case_id: str, *, fresh: bool = False) -> Call[Run]:
    """Queue a review of a case, or give its open run."""
    return _post("start_review", "/v1/reviews", Run, {"case_id": case_id, "fresh": fresh})


def list_runs(*, case_id: str | None = None, status: RunStatus | None = None, limit: int = 50) -> PageCall[RunSummary]:
    """The runs you may read, newest first."""
    return _page("list_runs", "/v1/runs", Page[RunSummary], case_id=case_id, status=status, limit=limit)


def get_run(run_id: str) -> Call[Run]:
    """A run with its latest report."""
    return _get("get_run", path_of("/v1/runs/{run_id}", run_id=run_id), Run)


def list_run_events(run_id: str, *, after: int = 0, limit: int = 100) -> Call[RunEvents]:
    """A page of what a run did; `Client.follow` follows it."""
    return _get(
        "list_run_events", path_of("/v1/runs/{run_id}/events", run_id=run_id), RunEvents, after=after, limit=limit
    )


def cancel_run(run_id: str, *, why: str = "") -> Call[Run]:
    """End a run; what it did stays done."""
    return _post("cancel_run", path_of("/v1/runs/{run_id}/cancel", run_id=run_id), Run, {"why": why})


def pause_run(run_id: str, *, why: str = "") -> Call[Run]:
    """Let a run rest until it is resumed."""
    return _post("pause_run", path_of("/v1/runs/{run_id}/pause", run_id=run_id), Run, {"why": why})


def resume_run(run_id: str) -> Call[Run]:
    """Let a paused run go on."""
    return _post("resume_run", path_of("/v1/runs/{run_id}/resume", run_id=run_id), Run)


def retry_run(run_id: str) -> Call[Run]:
    """Let a failed run try its last step again."""
    return _post("retry_run", path_of("/v1/runs/{run_id}/retry", run_id=run_id), Run)


def fork_run(run_id: str, *, at: str = "") -> Call[Run]:
    """Begin another run where this one stands; empty `at`: from its first specialist."""
    return _post("fork_run", path_of("/v1/runs/{run_id}/fork", run_id=run_id), Run, {"at": at})


def list_run_questions(run_id: str) -> Call[RunQuestions]:
    """What a run asks people."""
    return _get("list_run_questions", path_of("/v1/runs/{run_id}/questions", run_id=run_id), RunQuestions)


def get_run_question(run_id: str, question_id: str) -> Call[RunQuestion]:
    """One question of a run."""
    path = path_of("/v1/runs/{run_id}/questions/{question_id}", run_id=run_id, question_id=question_id)
    return _get("get_run_question", path, RunQuestion)


def answer_run_question(run_id: str, question_id: str, value: str) -> Call[RunQuestion]:
    """Answer what a run asks; give the tag of what you read with `if_match`."""
    path = path_of("/v1/runs/{run_id}/questions/{question_id}/answer", run_id=run_id, question_id=question_id)
    return _post("answer_run_question", path, RunQuestion, {"value": value})


def explain_run(run_id: str) -> Call[Explanation]:
    """What a run said, why, from what, under what permission, and how one would know if it was wrong."""
    return _get("explain_run", path_of("/v1/runs/{run_id}/explanation", run_id=run_id), Explanation)


def ask_question(question: str, *, as_of: dt.date | None = None) -> Call[Question]:
    """Ask a question about the rules; read its answer with `get_question`."""
    body = without_none(question=question, as_of=as_of.isoformat() if as_of else None)
    return _post("ask_question", "/v1/questions", Question, body)


def get_question(run_id: str) -> Call[Question]:
    """A question and its answer."""
    return _get("get_question", path_of("/v1/questions/{run_id}", run_id=run_id), Question)


def list_approvals(
    *,
    state: ApprovalState | None = None,
    case_id: str | None = None,
    assignee: str | None = None,
    limit: int = 50,
) -> PageCall[Approval]:
    """The approvals you may read, newest first; the queue is `state="pending"`."""
    return _page(
        "list_approvals",
        "/v1/approvals",
        Page[Approval],
        state=state,
        case_id=case_id,
        assignee=assignee,
        limit=limit,
    )


def get_approval(approval_id: str) -> Call[Approval]:
    """An approval exactly as it would be executed."""
    return _get("get_approval", path_of("/v1/approvals/{approval_id}", approval_id=approval_id), Approval)


def vote_on_approval(approval_id: str, *, approve: bool, digest: str, note: str = "") -> Call[Approval]:
    """Approve or reject what has this digest: the approval's, as it was shown."""
    path = path_of("/v1/approvals/{approval_id}/votes", approval_id=approval_id)
    return _post("vote_on_approval", path, Approval, {"approve": approve, "digest": digest, "note": note})


def revoke_approval(approval_id: str, *, why: str) -> Call[Approval]:
    """Take an approval back for good, before it was used."""
    path = path_of("/v1/approvals/{approval_id}/revocation", approval_id=approval_id)
    return _post("revoke_approval", path, Approval, {"why": why})


def assign_approval(approval_id: str, *, assignee: str) -> Call[Approval]:
    """Say who is expected to vote."""
    path = path_of("/v1/approvals/{approval_id}/assignment", approval_id=approval_id)
    return _post("assign_approval", path, Approval, {"assignee": assignee})


def list_notices(*, limit: int = 50) -> PageCall[ApprovalNotice]:
    """What you, or the people of your roles, were told."""
    return _page("list_notices", "/v1/notices", Page[ApprovalNotice], limit=limit)


def list_cases(*, state: str | None = None, case_type: str | None = None, limit: int = 50) -> PageCall[CaseListing]:
    """The cases you may see, newest first."""
    return _page("list_cases", "/v1/cases", Page[CaseListing], state=state, case_type=case_type, limit=limit)


def get_case(case_id: str) -> Call[Case]:
    """A case and what the rules make of it."""
    return _get("get_case", path_of("/v1/cases/{case_id}", case_id=case_id), Case)


def list_case_runs(case_id: str, *, limit: int = 50) -> PageCall[RunSummary]:
    """The runs of a case, newest first."""
    return _page("list_case_runs", path_of("/v1/cases/{case_id}/runs", case_id=case_id), Page[RunSummary], limit=limit)


def get_draft(draft_id: str) -> Call[Draft]:
    """The latest version of a draft."""
    return _get("get_draft", path_of("/v1/drafts/{draft_id}", draft_id=draft_id), Draft)


def list_draft_versions(draft_id: str) -> Call[DraftVersions]:
    """The versions of a draft, oldest first."""
    return _get("list_draft_versions", path_of("/v1/drafts/{draft_id}/versions", draft_id=draft_id), DraftVersions)


def get_draft_version(draft_id: str, version: int) -> Call[Draft]:
    """One version of a draft."""
    path = path_of("/v1/drafts/{draft_id}/versions/{version}", draft_id=draft_id, version=version)
    return _get("get_draft_version", path, Draft)


def diff_drafts(draft_id: str, *, from_version: int, to_version: int) -> Call[DraftDiff]:
    """What changed between two versions."""
    path = path_of("/v1/drafts/{draft_id}/diff", draft_id=draft_id)
    return _get("diff_drafts", path, DraftDiff, from_version=from_version, to_version=to_version)


def give_feedback(
    run_id: str,
    kind: FeedbackKind,
    *,
    text: str = "",
    citation: CitationRef | None = None,
    draft_digest: str = "",
) -> Call[Feedback]:
    """Say what is right or wrong with a run's answer."""
    body: dict[str, Any] = {"kind": kind, "text": text, "draft_digest": draft_digest}
    if citation is not None:
        body["citation"] = citation.model_dump()
    return _post("give_feedback", path_of("/v1/runs/{run_id}/feedback", run_id=run_id), Feedback, body)


def list_feedback(*, run_id: str | None = None, case_id: str | None = None, limit: int = 50) -> PageCall[Feedback]:
    """The feedback on runs you may read, newest first."""
    return _page("list_feedback", "/v1/feedback", Page[Feedback], run_id=run_id, case_id=case_id, limit=limit)


def list_releases() -> Call[Releases]:
    """Which versions are in force."""
    return _get("list_releases", "/v1/releases", Releases)


def get_health() -> Call[Health]:
    """Whether the API lives; needs no token."""
    return _get("get_health", "/v1/health", Health)


def get_readiness() -> Call[Readiness]:
    """Whether everything that it needs is there; needs no token."""
    return Call(operation_id="get_readiness", method="GET", path="/v1/ready", answer=Readiness, also=(503,))


def _get(operation_id: str, path: str, answer: type[AnswerT], **params: Any) -> Call[AnswerT]:
    return Call(operation_id=operation_id, method="GET", path=path, answer=answer, params=without_none(**params))


def _page(operation_id: str, path: str, answer: type[Page[ItemT]], **params: Any) -> PageCall[ItemT]:
    return PageCall(operation_id=operation_id, method="GET", path=path, answer=answer, params=without_none(**params))


def _post(operation_id: str, path: str, answer: type[AnswerT], body: dict[str, Any] | None = None) -> Call[AnswerT]:
    return Call(operation_id=operation_id, method="POST", path=path, answer=answer, body=body).keyed()
