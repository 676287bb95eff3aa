"""Answers to what reviews ask: given by the caller, or asked of the caller's user in place."""

from typing import Any, Literal

from mcp_types import InputRequiredResult
from pydantic import BaseModel, Field, create_model

from casewright.contracts.question import RunQuestion
from casewright.errors import NotFoundError
from casewright.services import Services
from servers.asking import Answered, ask
from servers.client_side import can_be_asked
from servers.guard import current_call
from servers.readable import ANSWER
from servers.review.permission import hidden, permit_review
from servers.review.reviews import Reviews
from servers.review.views import QuestionAnswer, QuestionView


async def answered_in_place(
    services: Services, reviews: Reviews, run_id: str, question_id: str, value: str
) -> QuestionAnswer | InputRequiredResult:
    """The question with its answer, or still open where nobody gave one.

    Args:
        question_id: empty: the one that the review waits for.
        value: the option chosen; empty: the user is asked, if the client can do that.

    Raises:
        DeniedError: it is not for the caller to answer, or there is no such question; audited.
        InputError: no option has this value.
        ConflictError: it was answered with another value, or withdrawn.
    """
    await permit_review(services, reviews, run_id, ANSWER)
    person = current_call().caller.principal
    question = await _question(services, person.tenant, run_id, question_id)
    if not value and question.state == "open" and can_be_asked():
        answer = await ask(services, person, _shown(question), _form(question))
        if isinstance(answer, InputRequiredResult):
            return answer
        if isinstance(answer, Answered):
            value = str(answer.form.model_dump(mode="json")["answer"])
    if not value:
        return _standing(question)
    await permit_review(services, reviews, run_id, ANSWER)  # people take their time
    return _standing(await reviews.answer(person, run_id, question.question_id, value))


async def _question(services: Services, tenant: str, run_id: str, question_id: str) -> RunQuestion:
    with hidden():
        if question_id:
            found = await services.questions.get(tenant, question_id)
            if found.run_id != run_id:
                raise NotFoundError(f"run {run_id!r} has no question {question_id!r}")
            return found
        asked = await services.questions.of_run(tenant, run_id)
        if not asked:
            raise NotFoundError(f"run {run_id!r} has asked nothing")
    return next((question for question in asked if question.state == "open"), asked[-1])


def _form(question: RunQuestion) -> type[BaseModel]:
    """A form with the question's options and nothing else."""
    one_of: Any = Literal[*(option.value for option in question.options)]
    described = "; ".join(f"{one.value}: {one.text}" for one in question.options)
    fields: dict[str, Any] = {"answer": (one_of, Field(title="Answer", description=described))}
    return create_model("QuestionForm", **fields)


def _shown(question: RunQuestion) -> str:
    options = "\n".join(f"- {one.value}: {one.text}" for one in question.options)
    return f"Review {question.run_id} of case {question.case_id} asks: {question.text}\n\n{options}"


def _standing(question: RunQuestion) -> QuestionAnswer:
    view = QuestionView.of(question)
    if question.state == "answered":
        return QuestionAnswer(status="answered", question=view, how="the review goes on by itself; `get_review`")
    if question.state == "withdrawn":
        return QuestionAnswer(status="answered", question=view, how="it was withdrawn; the review went on without it")
    how = "ask the person and call again with the `value` of the option they choose"
    return QuestionAnswer(status="answer_required", question=view, how=how)
