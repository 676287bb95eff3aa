"""Runs: lists, reports and events of them, what they ask, and what is asked of them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Header, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.docs import CHANGING, READING, example, problems
from api.errors import ApiProblemError
from api.etags import IfMatch, IfNoneMatch, check_match, tagged
from api.examples import EVENT_STREAM, EVENTS, QUESTION, QUESTIONS, RUN, RUNS
from api.idempotency import IdempotencyKey, named_run
from api.pages import Cursor, Limit, Page, place_of
from api.permission import Asker, AskerDep, GovernedRoute
from api.routes.reviews import CaseId
from api.run_views import (
    LIST_RUNS,
    RunEventView,
    RunQuestionView,
    RunSummary,
    RunView,
    is_over,
    readable_rows,
    readable_run,
)
from casewright.contracts.base import Contract
from casewright.contracts.run import RunStatus
from graphs.records import RunRow
from servers.permission import Deed

router = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=GovernedRoute)
RunId = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["run-0f3c2a7d9b1e4c58"])]
QuestionId = Annotated[
    str, Path(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["question-4b7d2c90"])
]
STEER = Deed(name="steer_run", verb="write", risk="medium")
ANSWER = Deed(name="answer_question", verb="write", risk="medium")
_FOUND = {"ETag": "Names exactly this content."}
_BEGUN = {"Location": "Where the run is.", "ETag": "Its tag."}


class Reason(Contract):
    """Why; text for the record that is never interpreted."""

    why: str = Field(default="", max_length=1_000, examples=["the customer withdrew the complaint"])


class ForkRequest(Contract):
    """Where the new run begins."""

    at: Literal["", "facts_analyst", "evidence_checker", "policy_researcher", "drafter"] = Field(
        default="", description="The specialist to begin with; empty: the first."
    )


class AnswerRequest(Contract):
    """One of the question's options."""

    value: str = Field(min_length=1, max_length=100, examples=["continue"])


class EventPage(Contract):
    """Some events, oldest first."""

    items: tuple[RunEventView, ...]
    next_after: int = Field(description="Send it as `after` for what comes next.")
    over: bool = Field(description="True: the run has ended and these are its last events.")


class QuestionList(Contract):
    """What a run has asked, oldest first."""

    items: tuple[RunQuestionView, ...]


@router.get(
    "",
    operation_id="list_runs",
    summary="List the runs you may read, newest first",
    response_model=Page[RunSummary],
    responses=example(RUNS, "A page of runs.", _FOUND) | problems(*READING, "denied"),
)
async def list_runs(
    asker: AskerDep,
    request: Request,
    case_id: Annotated[CaseId | None, Query(description="Only runs of this case.")] = None,
    status: Annotated[RunStatus | None, Query(description="Only runs that stand like this.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    _if_none_match: IfNoneMatch = None,
) -> Response:
    """A page may hold fewer runs than `limit` although there are more: go on as long as there is a `next_cursor`."""
    await asker.allowed(LIST_RUNS)
    chosen = {"case_id": case_id or "", "status": status or ""}
    place = place_of(asker.principal.tenant, asker.principal.id, "runs", **chosen)
    position = asker.parts.cursors.read(place, cursor)
    before = (int(position[0]), str(position[1])) if position is not None else None
    found = await readable_rows(asker, chosen, before, limit)
    next_cursor = asker.parts.cursors.make(place, found.last) if found.last is not None else None
    page = Page[RunSummary](items=tuple(RunSummary.of(row) for row in found.rows), next_cursor=next_cursor)
    return tagged(request, page)


@router.get(
    "/{run_id}",
    operation_id="get_run",
    summary="Read a run and its latest report",
    response_model=RunView,
    responses=example(RUN, "The run.", _FOUND) | problems(*READING),
)
async def get_run(asker: AskerDep, request: Request, run_id: RunId, _if_none_match: IfNoneMatch = None) -> Response:
    """Its `ETag` changes with everything that is shown of it."""
    return tagged(request, RunView.of(await readable_run(asker, run_id)))


@router.get(
    "/{run_id}/events",
    operation_id="list_run_events",
    summary="Follow what a run does, or read a page of it",
    response_model=EventPage,
    responses={
        200: {
            "description": "Events, as JSON or as a stream (`Accept: text/event-stream`).",
            "content": {
                "application/json": {"example": EVENTS},
                "text/event-stream": {"schema": {"type": "string"}, "example": EVENT_STREAM},
            },
        }
    }
    | problems(*READING, "not-acceptable"),
)
async def list_run_events(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    after: Annotated[int, Query(ge=0, le=2**53, description="Only events with a greater `seq`.")] = 0,
    limit: Limit = 100,
    last_event_id: Annotated[
        int | None, Header(alias="Last-Event-ID", ge=0, le=2**53, description="Wins over `after`, for streams.")
    ] = None,
) -> Response:
    """A stream sends each event with its `seq` as id, comments while nothing happens, and `end` when the run has
    ended. Where it ends without one (time, token or permission are over), come again with `Last-Event-ID`.
    """
    row = await readable_run(asker, run_id)
    if _wants_stream(request):
        from api.events import EventStream  # imported here: it brings the library of streams

        return EventStream(asker, row, after if last_event_id is None else last_event_id)
    found = await asker.parts.records.events(run_id, after=after, limit=limit)
    views = tuple(RunEventView.of(event) for event in found)
    over = is_over(row.kind, row.status) and len(found) < limit
    page = EventPage(items=views, next_after=views[-1].seq if views else after, over=over)
    return tagged(request, page)


@router.post(
    "/{run_id}/cancel",
    operation_id="cancel_run",
    summary="End a run; what it did stays done",
    status_code=202,
    response_model=RunView,
    responses=example(RUN, "The run as it is now.", _FOUND, status=202) | problems(*CHANGING, "changed"),
)
async def cancel_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    reason: Annotated[Reason, Body(openapi_examples={"reason": {"value": {"why": "asked for twice"}}})],
    _if_match: IfMatch = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """What it asked to be approved is revoked. A run that is being worked on ends before its next step: until then
    `wanted` is `cancel`.
    """
    await _steerable(asker, request, run_id)
    return _asked(request, await asker.parts.requests.cancel(asker.principal, run_id, why=reason.why))


@router.post(
    "/{run_id}/pause",
    operation_id="pause_run",
    summary="Let a run rest until it is resumed",
    status_code=202,
    response_model=RunView,
    responses=example(RUN, "The run as it is now.", _FOUND, status=202) | problems(*CHANGING, "changed"),
)
async def pause_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    reason: Annotated[Reason, Body(openapi_examples={"reason": {"value": {"why": "the evidence is on its way"}}})],
    _if_match: IfMatch = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """It stops before its next step: until then `wanted` is `pause`."""
    await _steerable(asker, request, run_id)
    return _asked(request, await asker.parts.requests.pause(asker.principal, run_id, why=reason.why))


@router.post(
    "/{run_id}/resume",
    operation_id="resume_run",
    summary="Let a paused run go on",
    status_code=202,
    response_model=RunView,
    responses=example(RUN, "The run as it is now.", _FOUND, status=202) | problems(*CHANGING, "changed"),
)
async def resume_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    _if_match: IfMatch = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """Or take back a pause that was not obeyed yet. What else a run waits for wakes it without being asked."""
    await _steerable(asker, request, run_id)
    return _asked(request, await asker.parts.requests.resume(asker.principal, run_id))


@router.post(
    "/{run_id}/retry",
    operation_id="retry_run",
    summary="Let a failed run try its last step again",
    status_code=202,
    response_model=RunView,
    responses=example(RUN, "The run as it is now.", _FOUND, status=202) | problems(*CHANGING, "changed"),
)
async def retry_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    _if_match: IfMatch = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """With as many attempts as a new one."""
    await _steerable(asker, request, run_id)
    return _asked(request, await asker.parts.requests.retry(asker.principal, run_id))


@router.post(
    "/{run_id}/fork",
    operation_id="fork_run",
    summary="Begin another run where this one stands",
    status_code=202,
    response_model=RunView,
    responses=example(RUN, "The new run.", _BEGUN, status=202) | problems(*CHANGING, "changed"),
)
async def fork_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    wanted: Annotated[ForkRequest, Body(openapi_examples={"from the rules": {"value": {"at": "policy_researcher"}}})],
    _if_match: IfMatch = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """The next revision: with the budgets that are spent, and without any approval."""
    await _steerable(asker, request, run_id)
    row = await asker.parts.requests.fork(asker.principal, run_id, at=wanted.at, new_id=named_run(request))
    return _asked(request, row, location=f"/v1/runs/{row.run_id}")


@router.get(
    "/{run_id}/questions",
    operation_id="list_run_questions",
    summary="Read what a run asks people",
    response_model=QuestionList,
    responses=example(QUESTIONS, "Its questions.", _FOUND) | problems(*READING),
)
async def list_run_questions(
    asker: AskerDep, request: Request, run_id: RunId, _if_none_match: IfNoneMatch = None
) -> Response:
    """Oldest first; one that is `open` is what the run waits for."""
    row = await readable_run(asker, run_id)
    found = await asker.parts.services.questions.of_run(row.tenant, run_id)
    return tagged(request, QuestionList(items=tuple(RunQuestionView.of(question) for question in found)))


@router.get(
    "/{run_id}/questions/{question_id}",
    operation_id="get_run_question",
    summary="Read one question of a run",
    response_model=RunQuestionView,
    responses=example(QUESTION, "The question.", _FOUND) | problems(*READING),
)
async def get_run_question(
    asker: AskerDep, request: Request, run_id: RunId, question_id: QuestionId, _if_none_match: IfNoneMatch = None
) -> Response:
    """Its `ETag` is what an answer has to name."""
    return tagged(request, await _question(asker, run_id, question_id))


@router.post(
    "/{run_id}/questions/{question_id}/answer",
    operation_id="answer_run_question",
    summary="Answer what a run asks",
    response_model=RunQuestionView,
    responses=example({**QUESTION, "state": "answered", "answer": "continue", "answered_by": "rosa"}, "It is answered.")
    | problems(*CHANGING, "changed", "if-match-needed"),
)
async def answer_run_question(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    question_id: QuestionId,
    given: Annotated[AnswerRequest, Body(openapi_examples={"go on": {"value": {"value": "continue"}}})],
    _if_match: IfMatch = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """One of its options, once, for what was read: `If-Match` names it. The same answer again changes nothing."""
    question = await _question(asker, run_id, question_id)
    await asker.allowed_on_case(ANSWER, question.case_id)
    if not (question.state == "answered" and question.answer == given.value):
        check_match(request, question, required=True)
    answered = await asker.parts.requests.answer(asker.principal, run_id, question_id, given.value)
    return tagged(request, RunQuestionView.of(answered))


async def _question(asker: Asker, run_id: str, question_id: str) -> RunQuestionView:
    from casewright.errors import NotFoundError

    row = await readable_run(asker, run_id)
    question = await asker.parts.services.questions.get(row.tenant, question_id)
    if question.run_id != run_id:
        raise NotFoundError(f"run {run_id!r} has no question {question_id!r}")
    return RunQuestionView.of(question)


async def _steerable(asker: Asker, request: Request, run_id: str) -> None:
    """A review that this person may steer, and which is what they have read."""
    row = await readable_run(asker, run_id, kind="review")
    await asker.allowed_on_case(STEER, row.case_id)
    check_match(request, RunView.of(row))


def _asked(request: Request, row: RunRow, **headers: str) -> Response:
    return tagged(request, RunView.of(row), status=202, headers=headers)


def _wants_stream(request: Request) -> bool:
    """Whether the client asks for a stream; everything else that it takes is JSON.

    Raises:
        ApiProblemError: it takes neither.
    """
    accepted = [part.partition(";") for part in request.headers.get("accept", "*/*").lower().split(",")]
    types = {kind.strip() for kind, _, rest in accepted if rest.replace(" ", "") not in ("q=0", "q=0.0")}
    if "text/event-stream" in types:
        return True
    if types & {"*/*", "application/*", "application/json", ""}:
        return False
    raise ApiProblemError("not-acceptable", "events come as application/json or text/event-stream")
