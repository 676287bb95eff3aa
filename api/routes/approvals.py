"""Approvals: what waits for people, one of them exactly as it would be executed, and what people do to it.

Votes are on a digest: whoever votes says what they were shown, and something else is refused. What waits for the
decision is woken by a worker, not here. The same rules as on the command line: `servers.approving`.
"""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.approval_views import ApprovalView, NoticeView, readable_approval, readable_approvals
from api.docs import CHANGING, READING, example, problems
from api.etags import CONDITIONAL, TAGGED, check_match, tagged
from api.idempotency import KEYED
from api.pages import Page, page_of, place_of
from api.paging import PagingDep
from api.permission import Asker, AskerDep, GovernedRoute
from api.resource_examples import APPROVAL, APPROVALS, NOTICES
from api.run_views import FOUND, LIST_RUNS, CaseId
from casewright.contracts.approval import Approval, ApprovalState, Notice
from casewright.contracts.base import Contract
from servers.approving import Approving

router = APIRouter(prefix="/v1", tags=["approvals"], route_class=GovernedRoute)
ApprovalId = Annotated[
    str, Path(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["apr-9f2d7c1b3a5e4608"])
]
_ID = r"^[A-Za-z0-9][A-Za-z0-9._@-]*$"


class VoteRequest(Contract):
    """One person's decision on exactly what they were shown."""

    approve: bool = Field(strict=True, description="False rejects it, and one rejection ends it.")
    digest: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="`digest` of the approval that you were shown.", examples=["3f" * 32]
    )
    note: str = Field(default="", max_length=4_000, description="Why; text for the record, never interpreted.")


class RevocationRequest(Contract):
    """Why it is taken back."""

    why: str = Field(min_length=1, max_length=4_000, examples=["the draft is being corrected"])


class AssignmentRequest(Contract):
    """Who is expected to vote."""

    assignee: str = Field(max_length=100, pattern=_ID, examples=["selma"])


@router.get(
    "/approvals",
    operation_id="list_approvals",
    summary="List the approvals you may read, newest first",
    response_model=Page[ApprovalView],
    dependencies=[TAGGED],
    responses=example(APPROVALS, "A page of approvals.", FOUND) | problems(*READING, "denied"),
)
async def list_approvals(
    asker: AskerDep,
    request: Request,
    paging: PagingDep,
    state: Annotated[ApprovalState | None, Query(description="Only these, as they stand now.")] = None,
    case_id: Annotated[CaseId | None, Query(description="Only of this case.")] = None,
    assignee: Annotated[
        str | None, Query(max_length=100, pattern=_ID, description="Only what this person is expected to vote on.")
    ] = None,
) -> Response:
    """The queue is `state=pending`."""
    await asker.allowed(LIST_RUNS)
    chosen = {"state": state or "", "case_id": case_id or "", "assignee": assignee or ""}
    place = place_of(asker.principal.tenant, asker.principal.id, "approvals", **chosen)
    found = await readable_approvals(asker, chosen, asker.parts.cursors.read(place, paging.cursor), paging.limit + 1)
    page = page_of(found, paging.limit, _position, asker.parts.cursors, place)
    views = tuple(ApprovalView.of(approval) for approval in page.items)
    return tagged(request, Page[ApprovalView](items=views, next_cursor=page.next_cursor))


@router.get(
    "/approvals/{approval_id}",
    operation_id="get_approval",
    summary="Read an approval exactly as it would be executed",
    response_model=ApprovalView,
    dependencies=[TAGGED],
    responses=example(APPROVAL, "The approval.", FOUND) | problems(*READING),
)
async def get_approval(asker: AskerDep, request: Request, approval_id: ApprovalId) -> Response:
    """`call` holds the canonical arguments, `digest` binds them; no model's words are among them."""
    return tagged(request, ApprovalView.of(await readable_approval(asker, approval_id)))


@router.post(
    "/approvals/{approval_id}/votes",
    operation_id="vote_on_approval",
    summary="Approve or reject exactly what you were shown",
    response_model=ApprovalView,
    dependencies=[KEYED, CONDITIONAL],
    responses=example({**APPROVAL, "state": "approved", "remaining": 0}, "The vote counts.", FOUND)
    | problems(*CHANGING, "changed"),
)
async def vote_on_approval(
    asker: AskerDep,
    request: Request,
    approval_id: ApprovalId,
    vote: Annotated[
        VoteRequest,
        Body(openapi_examples={"approve": {"value": {"approve": True, "digest": "3f" * 32, "note": "checked"}}}),
    ],
) -> Response:
    """The requester cannot, nobody votes twice, and a digest other than the approval's is refused."""
    check_match(request, ApprovalView.of(await readable_approval(asker, approval_id)))
    voted = await _approving(asker).vote(approval_id, approve=vote.approve, note=vote.note, seen=vote.digest)
    return tagged(request, ApprovalView.of(voted))


@router.post(
    "/approvals/{approval_id}/revocation",
    operation_id="revoke_approval",
    summary="Take an approval back for good, before it was used",
    response_model=ApprovalView,
    dependencies=[KEYED, CONDITIONAL],
    responses=example({**APPROVAL, "state": "revoked"}, "It is taken back.", FOUND) | problems(*CHANGING, "changed"),
)
async def revoke_approval(
    asker: AskerDep,
    request: Request,
    approval_id: ApprovalId,
    reason: Annotated[RevocationRequest, Body(openapi_examples={"why": {"value": {"why": "asked for by mistake"}}})],
) -> Response:
    """Who asked for it may, and who could reject it."""
    check_match(request, ApprovalView.of(await readable_approval(asker, approval_id)))
    return tagged(request, ApprovalView.of(await _approving(asker).revoke(approval_id, why=reason.why)))


@router.post(
    "/approvals/{approval_id}/assignment",
    operation_id="assign_approval",
    summary="Say who is expected to vote",
    response_model=ApprovalView,
    dependencies=[KEYED, CONDITIONAL],
    responses=example({**APPROVAL, "assignee": "selma"}, "It is assigned.", FOUND) | problems(*CHANGING, "changed"),
)
async def assign_approval(
    asker: AskerDep,
    request: Request,
    approval_id: ApprovalId,
    wanted: Annotated[AssignmentRequest, Body(openapi_examples={"to selma": {"value": {"assignee": "selma"}}})],
) -> Response:
    """Whoever may vote may say so. It gives and takes nobody's vote."""
    check_match(request, ApprovalView.of(await readable_approval(asker, approval_id)))
    return tagged(request, ApprovalView.of(await _approving(asker).assign(approval_id, wanted.assignee)))


@router.get(
    "/notices",
    operation_id="list_notices",
    summary="Read what you, or the people of your roles, were told, newest first",
    response_model=Page[NoticeView],
    dependencies=[TAGGED],
    responses=example(NOTICES, "A page of notices.", FOUND) | problems(*READING, "denied"),
)
async def list_notices(asker: AskerDep, request: Request, paging: PagingDep) -> Response:
    """Reminders, assignments, escalations and expiries of approvals that you may read."""
    place = place_of(asker.principal.tenant, asker.principal.id, "notices")
    before = asker.parts.cursors.read(place, paging.cursor)
    told = sorted(await _approving(asker).notices(), key=_told, reverse=True)
    rest = [notice for notice in told if before is None or _told(notice) < before]
    page = page_of(rest, paging.limit, _told, asker.parts.cursors, place)
    views = tuple(NoticeView.of(notice) for notice in page.items)
    return tagged(request, Page[NoticeView](items=views, next_cursor=page.next_cursor))


def _approving(asker: Asker) -> Approving:
    return Approving(asker.parts.services, asker.principal, session=asker.session)


def _position(approval: Approval) -> tuple[int | str, ...]:
    return approval.created_ns, approval.approval_id


def _told(notice: Notice) -> tuple[int | str, ...]:
    return notice.at_ns, notice.notice_id
