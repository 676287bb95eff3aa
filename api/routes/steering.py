"""What people ask of runs: to end, to rest, to go on, to try again, to begin another where one stands.

Each is a committed row; whoever drives the run obeys between two steps, and nothing else reaches it.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Request
from pydantic import Field
from starlette.responses import Response

from api.docs import CHANGING, example, problems
from api.etags import CONDITIONAL, check_match, tagged
from api.examples import RUN
from api.idempotency import KEYED, named_run
from api.permission import Asker, AskerDep, GovernedRoute
from api.run_views import BEGUN, FOUND, RunId, RunView, readable_run, shown_run
from casewright.contracts.base import Contract
from graphs.records import RunRow
from servers.readable import STEER

router = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=GovernedRoute)
STEERED: dict[str, Any] = {
    "status_code": 202,
    "response_model": RunView,
    "dependencies": [CONDITIONAL, KEYED],
    "responses": example(RUN, "The run as it is now.", FOUND, status=202) | problems(*CHANGING, "changed"),
}
"""What every such operation declares and answers."""
FORKED: dict[str, Any] = {
    **STEERED,
    "responses": example(RUN, "The new run.", BEGUN, status=202) | problems(*CHANGING, "changed"),
}


class Reason(Contract):
    """Why; text for the record that is never interpreted."""

    why: str = Field(default="", max_length=1_000, examples=["the customer withdrew the complaint"])


class ForkRequest(Contract):
    """Where the new run begins."""

    at: Literal["", "facts_analyst", "evidence_checker", "policy_researcher", "drafter"] = Field(
        default="", description="The specialist to begin with; empty: the first."
    )


@router.post(
    "/{run_id}/cancel",
    operation_id="cancel_run",
    summary="End a run; what it did stays done",
    **STEERED,
)
async def cancel_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    reason: Annotated[Reason, Body(openapi_examples={"reason": {"value": {"why": "asked for twice"}}})],
) -> Response:
    """What it asked to be approved is revoked. A run that is being worked on ends before its next step: until then
    `wanted` is `cancel`.
    """
    await _steerable(asker, request, run_id)
    return await _asked(asker, request, await asker.parts.requests.cancel(asker.principal, run_id, why=reason.why))


@router.post(
    "/{run_id}/pause",
    operation_id="pause_run",
    summary="Let a run rest until it is resumed",
    **STEERED,
)
async def pause_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    reason: Annotated[Reason, Body(openapi_examples={"reason": {"value": {"why": "the evidence is on its way"}}})],
) -> Response:
    """It stops before its next step: until then `wanted` is `pause`."""
    await _steerable(asker, request, run_id)
    return await _asked(asker, request, await asker.parts.requests.pause(asker.principal, run_id, why=reason.why))


@router.post(
    "/{run_id}/resume",
    operation_id="resume_run",
    summary="Let a paused run go on",
    **STEERED,
)
async def resume_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
) -> Response:
    """Or take back a pause that was not obeyed yet. What else a run waits for wakes it without being asked."""
    await _steerable(asker, request, run_id)
    return await _asked(asker, request, await asker.parts.requests.resume(asker.principal, run_id))


@router.post(
    "/{run_id}/retry",
    operation_id="retry_run",
    summary="Let a failed run try its last step again",
    **STEERED,
)
async def retry_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
) -> Response:
    """With as many attempts as a new one."""
    await _steerable(asker, request, run_id)
    return await _asked(asker, request, await asker.parts.requests.retry(asker.principal, run_id))


@router.post(
    "/{run_id}/fork",
    operation_id="fork_run",
    summary="Begin another run where this one stands",
    **FORKED,
)
async def fork_run(
    asker: AskerDep,
    request: Request,
    run_id: RunId,
    wanted: Annotated[ForkRequest, Body(openapi_examples={"from the rules": {"value": {"at": "policy_researcher"}}})],
) -> Response:
    """The next revision: with the budgets that are spent, and without any approval."""
    await _steerable(asker, request, run_id)
    row = await asker.parts.requests.fork(asker.principal, run_id, at=wanted.at, new_id=named_run(request))
    return await _asked(asker, request, row, location=f"/v1/runs/{row.run_id}")


async def _steerable(asker: Asker, request: Request, run_id: str) -> None:
    """A review that this person may steer, and which is what they have read."""
    row = await readable_run(asker, run_id, kind="review")
    await asker.allowed_on_case(STEER, row.case_id)
    check_match(request, RunView.of(row))


async def _asked(asker: Asker, request: Request, row: RunRow, **headers: str) -> Response:
    return tagged(request, RunView.of(await shown_run(asker, row)), status=202, headers=headers)
