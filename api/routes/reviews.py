"""Beginning a review: the run is queued, and a worker takes it up."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import Field
from starlette.responses import Response

from api.docs import CHANGING, example, problems
from api.etags import tagged
from api.examples import RUN
from api.idempotency import KEYED, named_run
from api.permission import AskerDep, GovernedRoute
from api.run_views import BEGUN, CaseId, RunView, shown_run
from casewright.contracts.base import Contract
from servers.readable import READ, START

router = APIRouter(prefix="/v1", tags=["reviews"], route_class=GovernedRoute)


class ReviewRequest(Contract):
    """Which case to review."""

    case_id: CaseId
    fresh: bool = Field(default=False, strict=True, description="Begin anew even if a run of this case is open.")


@router.post(
    "/reviews",
    operation_id="start_review",
    summary="Begin a review of a case",
    status_code=202,
    dependencies=[KEYED],
    response_model=RunView,
    responses=example(RUN, "The run that is open or was begun.", BEGUN, status=202) | problems(*CHANGING),
)
async def start_review(
    asker: AskerDep,
    request: Request,
    wanted: Annotated[ReviewRequest, Body(openapi_examples={"case": {"value": {"case_id": "HL-2026-0001"}}})],
) -> Response:
    """Queue a review, or give the run of this case that is open. Follow its events, or read it at `Location`."""
    await asker.readable(READ, wanted.case_id)
    await asker.allowed_on_case(START, wanted.case_id)
    asker.parts.services.corpus.index_version()  # without an index no run is begun, let alone ended as incomplete
    row = await asker.parts.requests.start(
        asker.principal, wanted.case_id, fresh=wanted.fresh, run_id=named_run(request)
    )
    return tagged(
        request, RunView.of(await shown_run(asker, row)), status=202, headers={"location": f"/v1/runs/{row.run_id}"}
    )
