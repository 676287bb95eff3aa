"""Questions about the rules: asked here, answered by a worker, read here.

A question is a run of the kind `ask`: it is queued as a row, so that no model call runs in this process and none
is lost with it. Its events can be followed like those of a review.
"""

import datetime as dt
import re
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from api.docs import CHANGING, READING, example, problems
from api.etags import TAGGED, tagged
from api.examples import ASKED
from api.idempotency import KEYED, named_run
from api.permission import AskerDep, GovernedRoute
from api.run_views import FOUND, QUESTION, RunId, RunSummary, ask_deed, readable_run
from casewright.clock import today
from casewright.contracts.base import Contract
from casewright.contracts.recommendation import VerifiedCitation
from graphs.inquiries import Inquiries, Inquiry, inquiry_of

router = APIRouter(prefix="/v1/questions", tags=["questions"], route_class=GovernedRoute)


def _day(value: object) -> object:
    """Only a day in full: numbers and times would be read as days, too."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("a day is written YYYY-MM-DD")
    return value


Day = Annotated[dt.date, BeforeValidator(_day)]


SAYS_SOMETHING = r"[^\s\u0085\uFEFF\u001C-\u001F]"
"""Something that is no space. `\\S` alone is not the same in every dialect of patterns: a reader of the document and
the validator would disagree about the characters that are listed beside it."""


class QuestionRequest(Contract):
    """What you want to know about the rules."""

    question: str = Field(min_length=1, max_length=2_000, pattern=SAYS_SOMETHING, examples=[ASKED["question"]])
    as_of: Day | None = Field(default=None, description="The day whose rules apply; null: today.")


class Usage(Contract):
    input_tokens: int
    output_tokens: int
    duration_ms: int


class AnswerView(Contract):
    """An answer of which every sentence is backed by a verified quote, or an abstention with its reason."""

    answer: str
    abstained: bool
    reason: str = Field(description="Of an abstention: what was missing.")
    as_of: str
    citations: tuple[VerifiedCitation, ...]
    index_version: str
    model: str
    release: str = Field(default="", description="The release that answered; empty: none was in force.")
    run_id: str
    usage: Usage


class AskedView(RunSummary):
    """A question and its answer."""

    question: str
    as_of: str
    answer: AnswerView | None = Field(
        description="Null as long as `status` is `queued` or `running`, and if it failed."
    )


@router.post(
    "",
    operation_id="ask_question",
    summary="Ask a question about the rules",
    status_code=202,
    dependencies=[KEYED],
    response_model=AskedView,
    responses=example(
        ASKED, "The question is queued.", {"Location": "Where its answer will be.", "ETag": "Its tag."}, status=202
    )
    | problems(*CHANGING),
)
async def ask_question(
    asker: AskerDep,
    request: Request,
    asked: Annotated[QuestionRequest, Body(openapi_examples={"question": {"value": {"question": ASKED["question"]}}})],
) -> Response:
    """Follow `/v1/runs/{run_id}/events`, or read it at `Location` until it is `completed` or `failed`."""
    await asker.allowed(ask_deed(asker.principal))
    services = asker.parts.services
    services.corpus.index_version()  # without an index no question is begun
    as_of = (asked.as_of or today(services.clock)).isoformat()
    inquiry = Inquiry(question=asked.question, as_of=as_of)
    row = await Inquiries(services, asker.parts.records).begin(
        asker.principal, inquiry, run_id=named_run(request, "ask")
    )
    document = _view(RunSummary.of(row), inquiry, None)
    return tagged(request, document, status=202, headers={"location": f"/v1/questions/{row.run_id}"})


@router.get(
    "/{run_id}",
    operation_id="get_question",
    summary="Read a question and its answer",
    dependencies=[TAGGED],
    response_model=AskedView,
    responses=example(ASKED, "The question.", FOUND) | problems(*READING),
)
async def get_question(asker: AskerDep, request: Request, run_id: RunId) -> Response:
    """Yours, or as an auditor any of the tenant."""
    row = await readable_run(asker, run_id, kind=QUESTION)
    inquiry, answer = await inquiry_of(asker.parts.records, run_id)
    return tagged(request, _view(RunSummary.of(row), inquiry, answer))


def _view(summary: RunSummary, inquiry: Inquiry, answer: dict[str, Any] | None) -> AskedView:
    found = None
    if answer is not None:
        found = AnswerView.model_validate({name: answer[name] for name in AnswerView.model_fields if name in answer})
    return AskedView(**summary.model_dump(), question=inquiry.question, as_of=inquiry.as_of, answer=found)
