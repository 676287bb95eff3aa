"""Runs: lists of them, their reports and their events."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.docs import READING, example, problems
from api.errors import ApiProblemError
from api.etags import TAGGED, tagged
from api.examples import EVENT_STREAM, EVENTS, RUN, RUNS
from api.pages import Cursor, Limit, Page, place_of
from api.permission import AskerDep, GovernedRoute
from api.run_views import (
    FOUND,
    LIST_RUNS,
    CaseId,
    RunEventView,
    RunId,
    RunSummary,
    RunView,
    is_over,
    readable_rows,
    readable_run,
    recorded_run,
)
from casewright.contracts.base import Contract
from casewright.contracts.run import RunStatus

router = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=GovernedRoute)


class EventPage(Contract):
    """Some events, oldest first."""

    items: tuple[RunEventView, ...]
    next_after: int = Field(description="Send it as `after` for what comes next.")
    over: bool = Field(description="True: the run has ended and these are its last events.")


@router.get(
    "",
    operation_id="list_runs",
    summary="List the runs you may read, newest first",
    response_model=Page[RunSummary],
    dependencies=[TAGGED],
    responses=example(RUNS, "A page of runs.", FOUND) | problems(*READING, "denied"),
)
async def list_runs(
    asker: AskerDep,
    request: Request,
    case_id: Annotated[CaseId | None, Query(description="Only runs of this case.")] = None,
    status: Annotated[RunStatus | None, Query(description="Only runs that stand like this.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
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
    dependencies=[TAGGED],
    responses=example(RUN, "The run.", FOUND) | problems(*READING),
)
async def get_run(asker: AskerDep, request: Request, run_id: RunId) -> Response:
    """Its `ETag` changes with everything that is shown of it."""
    return tagged(request, RunView.of(await readable_run(asker, run_id)))


@router.get(
    "/{run_id}/events",
    operation_id="list_run_events",
    summary="Follow what a run does, or read a page of it",
    response_model=EventPage,
    dependencies=[TAGGED],
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
    row, reader = await recorded_run(asker, run_id)
    if _wants_stream(request):
        from api.events import EventStream  # imported here: it brings the library of streams

        return EventStream(asker, row, reader, after=after if last_event_id is None else last_event_id)
    found = await asker.parts.records.events(run_id, after=after, limit=limit)
    views = tuple(RunEventView.of(event, reader) for event in found)
    over = is_over(row.kind, row.status) and len(found) < limit
    page = EventPage(items=views, next_after=views[-1].seq if views else after, over=over)
    return tagged(request, page)


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
