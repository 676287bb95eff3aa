"""What runs ask people, and the answers: one of the options, once, for what was read."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request
from pydantic import Field
from starlette.responses import Response

from api.docs import CHANGING, READING, example, problems
from api.etags import CONDITIONAL, TAGGED, check_match, tagged
from api.examples import QUESTION, QUESTIONS
from api.idempotency import KEYED
from api.permission import Asker, AskerDep, GovernedRoute
from api.run_views import FOUND, RunId, RunQuestionView, readable_run
from casewright.contracts.base import Contract
from casewright.errors import NotFoundError
from servers.readable import ANSWER

router = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=GovernedRoute)
QuestionId = Annotated[
    str, Path(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["question-4b7d2c90"])
]


class AnswerRequest(Contract):
    """One of the question's options."""

    value: str = Field(min_length=1, max_length=100, examples=["continue"])


class QuestionList(Contract):
    """What a run has asked, oldest first."""

    items: tuple[RunQuestionView, ...]


@router.get(
    "/{run_id}/questions",
    operation_id="list_run_questions",
    summary="Read what a run asks people",
    response_model=QuestionList,
    dependencies=[TAGGED],
    responses=example(QUESTIONS, "Its questions.", FOUND) | problems(*READING),
)
async def list_run_questions(asker: AskerDep, request: Request, run_id: RunId) -> Response:
    """Oldest first; one that is `open` is what the run waits for."""
    row = await readable_run(asker, run_id)
    found = await asker.parts.services.questions.of_run(row.tenant, run_id)
    return tagged(request, QuestionList(items=tuple(RunQuestionView.of(question) for question in found)))


@router.get(
    "/{run_id}/questions/{question_id}",
    operation_id="get_run_question",
    summary="Read one question of a run",
    response_model=RunQuestionView,
    dependencies=[TAGGED],
    responses=example(QUESTION, "The question.", FOUND) | problems(*READING),
)
async def get_run_question(asker: AskerDep, request: Request, run_id: RunId, question_id: QuestionId) -> Response:
    """Its `ETag` is what an answer has to name."""
    return tagged(request, await _question(asker, run_id, question_id))


@router.post(
    "/{run_id}/questions/{question_id}/answer",
    operation_id="answer_run_question",
    summary="Answer what a run asks",
    response_model=RunQuestionView,
    dependencies=[CONDITIONAL, KEYED],
    responses=example({**QUESTION, "state": "answered", "answer": "continue", "answered_by": "rosa"}, "It is answered.")
    | problems(*CHANGING, "changed", "if-match-needed"),
)
async def answer_run_question(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    question_id: QuestionId,
    given: Annotated[AnswerRequest, Body(openapi_examples={"go on": {"value": {"value": "continue"}}})],
) -> Response:
    """One of its options, once, for what was read: `If-Match` names it. The same answer again changes nothing."""
    question = await _question(asker, run_id, question_id)
    await asker.allowed_on_case(ANSWER, question.case_id)
    if not (question.state == "answered" and question.answer == given.value):
        check_match(request, question, required=True)
    answered = await asker.parts.requests.answer(asker.principal, run_id, question_id, given.value)
    return tagged(request, RunQuestionView.of(answered))


async def _question(asker: Asker, run_id: str, question_id: str) -> RunQuestionView:
    row = await readable_run(asker, run_id)
    question = await asker.parts.services.questions.get(row.tenant, question_id)
    if question.run_id != run_id:
        raise NotFoundError(f"run {run_id!r} has no question {question_id!r}")
    return RunQuestionView.of(question)
