"""Feedback on what runs answered: given by whoever may read the run, kept as data with what it is about."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.docs import CHANGING, READING, example, problems
from api.etags import TAGGED, tagged
from api.idempotency import KEYED
from api.pages import Page, place_of
from api.paging import PagingDep
from api.permission import Asker, AskerDep, GovernedRoute
from api.resource_examples import FEEDBACK, FEEDBACKS
from api.run_views import FOUND, LIST_RUNS, CaseId, RunId, check_readable, readable_run
from casewright.clock import iso
from casewright.contracts.base import Contract
from casewright.contracts.feedback import (
    MAX_FEEDBACK_CHARACTERS,
    CitationRef,
    Feedback,
    FeedbackKind,
    FeedbackText,
    JudgedAnswer,
)
from casewright.contracts.recommendation import Citation
from casewright.errors import NotFoundError
from servers.readable import GIVE_FEEDBACK

router = APIRouter(prefix="/v1", tags=["feedback"], route_class=GovernedRoute)
PART = 100
SCANNED = 500
"""Entries that are looked at for one page."""


class FeedbackRequest(Contract):
    """One thing that is right or wrong with a run's answer."""

    kind: FeedbackKind = Field(description="`correction` says what is right; `wrong_citation` names the citation.")
    text: str = Field(
        default="", max_length=MAX_FEEDBACK_CHARACTERS, description="Data for the record: no markup, no instruction."
    )
    citation: CitationRef | None = Field(default=None, description="One of the answer's, word for word.")
    draft_digest: str = Field(
        default="",
        pattern=r"^([0-9a-f]{64})?$",
        description="The draft that you read; refused with 409 if the run shows another one by now.",
    )


class FeedbackView(Contract):
    """What somebody said, and what it is about."""

    feedback_id: str
    subject: str = Field(description="Who said it.")
    kind: FeedbackKind
    at: str
    text: str
    citation: Citation | None
    about: JudgedAnswer

    @classmethod
    def of(cls, given: Feedback) -> "FeedbackView":
        kept = {name: getattr(given, name) for name in cls.model_fields if name != "at"}
        return cls(**kept, at=iso(given.at_ns))


@router.post(
    "/runs/{run_id}/feedback",
    operation_id="give_feedback",
    summary="Say what is right or wrong with a run's answer",
    status_code=201,
    response_model=FeedbackView,
    dependencies=[KEYED],
    responses=example(FEEDBACK, "It is kept.", {"ETag": "Its tag."}, status=201) | problems(*CHANGING),
)
async def give_feedback(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    said: Annotated[
        FeedbackRequest,
        Body(openapi_examples={"correction": {"value": {"kind": "correction", "text": "ten business days"}}}),
    ],
) -> Response:
    """The answer, its evidence and its versions are kept with it. The same again is the first one."""
    row = await readable_run(asker, run_id)
    if row.case_id:
        await asker.allowed_on_case(GIVE_FEEDBACK, row.case_id)
    given = await asker.parts.services.feedback.give(asker.principal, run_id, FeedbackText(**said.model_dump()))
    return tagged(request, FeedbackView.of(given), status=201)


@router.get(
    "/feedback",
    operation_id="list_feedback",
    summary="List the feedback on runs you may read, newest first",
    response_model=Page[FeedbackView],
    dependencies=[TAGGED],
    responses=example(FEEDBACKS, "A page of feedback.", FOUND) | problems(*READING, "denied"),
)
async def list_feedback(
    asker: AskerDep,
    request: Request,
    paging: PagingDep,
    run_id: Annotated[
        str | None,
        Query(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Only on this run."),
    ] = None,
    case_id: Annotated[CaseId | None, Query(description="Only on runs of this case.")] = None,
) -> Response:
    """A page may hold fewer entries than `limit` although there are more: go on as long as there is a `next_cursor`."""
    await asker.allowed(LIST_RUNS)
    chosen = {"run_id": run_id or "", "case_id": case_id or ""}
    place = place_of(asker.principal.tenant, asker.principal.id, "feedback", **chosen)
    position = asker.parts.cursors.read(place, paging.cursor)
    before = (int(position[0]), str(position[1])) if position is not None else None
    found = await _readable(asker, chosen, before, paging.limit)
    views = tuple(FeedbackView.of(given) for given in found[0])
    next_cursor = asker.parts.cursors.make(place, found[1]) if found[1] is not None else None
    return tagged(request, Page[FeedbackView](items=views, next_cursor=next_cursor))


async def _readable(
    asker: Asker, chosen: dict[str, str], before: tuple[int, str] | None, limit: int
) -> tuple[tuple[Feedback, ...], tuple[int, str] | None]:
    """The next entries that this person may read, and where to go on; None: there is no more."""
    store, tenant = asker.parts.services.feedback, asker.principal.tenant
    known: dict[str, bool] = {}
    found: list[Feedback] = []
    for _ in range(SCANNED // PART):
        part = await store.list(tenant, **chosen, before=before, limit=PART)
        for given in part:
            if len(found) == limit:
                return tuple(found), before
            if await _may_read(asker, given.about.run_id, known):
                found.append(given)
            before = given.at_ns, given.feedback_id
        if len(part) < PART:
            return tuple(found), None
    return tuple(found), before


async def _may_read(asker: Asker, run_id: str, known: dict[str, bool]) -> bool:
    if run_id not in known:
        try:
            await check_readable(asker, await asker.parts.records.get(asker.principal.tenant, run_id))
        except NotFoundError:
            known[run_id] = False
        else:
            known[run_id] = True
    return known[run_id]
