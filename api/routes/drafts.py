"""Drafts and their versions as the drafting server shows them to the same person, and what changed between two."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.docs import READING, example, problems
from api.etags import TAGGED, tagged
from api.permission import Asker, AskerDep, GovernedRoute
from api.resource_examples import DRAFT, DRAFT_DIFF, DRAFT_VERSIONS
from api.run_views import FOUND
from casewright.clock import iso
from casewright.contracts.base import Contract
from casewright.contracts.recommendation import DraftVersion, Recommendation
from casewright.errors import DeniedError, NotFoundError
from servers.drafting.tools import DraftDiff
from servers.readable import READ

if TYPE_CHECKING:
    from servers.own_reading import OwnReading

router = APIRouter(prefix="/v1/drafts", tags=["drafts"], route_class=GovernedRoute)
DraftId = Annotated[
    str, Path(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["drf-5d2e8a1c7b904f36"])
]
VersionNumber = Annotated[int, Path(ge=1, le=10_000, examples=[1])]


class DraftSummary(Contract):
    """One version, without its content."""

    draft_id: str
    version: int
    case_id: str
    run_id: str
    author: str
    agent: str = Field(description="The agent that wrote it for the author; empty: the author did.")
    created: str
    digest: str = Field(description="SHA-256 of the canonical JSON of `recommendation`.")


class DraftView(DraftSummary):
    """One version of a draft; an edit is a new version."""

    recommendation: Recommendation


class DraftVersions(Contract):
    """The versions of one draft, oldest first."""

    items: tuple[DraftSummary, ...]


@router.get(
    "/{draft_id}",
    operation_id="get_draft",
    summary="Read the latest version of a draft",
    response_model=DraftView,
    dependencies=[TAGGED],
    responses=example(DRAFT, "The draft.", FOUND) | problems(*READING),
)
async def get_draft(asker: AskerDep, request: Request, draft_id: DraftId) -> Response:
    """Every sentence of it is backed by an exact quote or by values of the case."""
    return tagged(request, await _draft(asker, draft_id, 0))


@router.get(
    "/{draft_id}/versions",
    operation_id="list_draft_versions",
    summary="List the versions of a draft",
    response_model=DraftVersions,
    dependencies=[TAGGED],
    responses=example(DRAFT_VERSIONS, "Its versions.", FOUND) | problems(*READING),
)
async def list_draft_versions(asker: AskerDep, request: Request, draft_id: DraftId) -> Response:
    """Each with its author; none is ever changed."""
    latest = await _draft(asker, draft_id, 0)
    stored = await asker.parts.services.drafts.list(asker.principal.tenant, latest.case_id)
    versions = tuple(_summary(draft) for draft in stored if draft.draft_id == draft_id)
    return tagged(request, DraftVersions(items=tuple(DraftSummary(**version) for version in versions)))


@router.get(
    "/{draft_id}/versions/{version}",
    operation_id="get_draft_version",
    summary="Read one version of a draft",
    response_model=DraftView,
    dependencies=[TAGGED],
    responses=example(DRAFT, "That version.", FOUND) | problems(*READING),
)
async def get_draft_version(asker: AskerDep, request: Request, draft_id: DraftId, version: VersionNumber) -> Response:
    """An approval is bound to one version by its digest."""
    return tagged(request, await _draft(asker, draft_id, version))


@router.get(
    "/{draft_id}/diff",
    operation_id="diff_drafts",
    summary="Read what changed between two versions",
    response_model=DraftDiff,
    dependencies=[TAGGED],
    responses=example(DRAFT_DIFF, "A unified diff.", FOUND) | problems(*READING),
)
async def diff_drafts(
    asker: AskerDep,
    request: Request,
    draft_id: DraftId,
    from_version: Annotated[int, Query(ge=1, le=10_000, description="The older one.", examples=[1])],
    to_version: Annotated[int, Query(ge=1, le=10_000, description="The newer one.", examples=[2])],
) -> Response:
    """A unified diff for people; empty where nothing changed."""
    await _draft(asker, draft_id, from_version)
    to = await _draft(asker, draft_id, to_version)
    arguments = {"draft_id": draft_id, "from_version": from_version, "to_version": to_version}
    return tagged(request, await _reading(asker, to.case_id).read("diff_drafts", DraftDiff, arguments))


async def _draft(asker: Asker, draft_id: str, version: int) -> DraftView:
    """One version as this person may read it, the latest for 0.

    Raises:
        NotFoundError: there is none for them.
    """
    services = asker.parts.services
    stored = await services.drafts.find(asker.principal.tenant, draft_id, version or None)
    await asker.readable(READ, stored.case_id if stored is not None else "")
    if stored is None:
        raise _absent(draft_id)
    arguments = {"draft_id": draft_id, "draft_version": version}
    try:
        draft = await _reading(asker, stored.case_id).read("get_draft", DraftVersion, arguments)
    except DeniedError as error:
        raise _absent(draft_id) from error
    return DraftView(**_summary(draft), recommendation=draft.recommendation)


def _summary(draft: DraftVersion) -> dict[str, Any]:
    kept = draft.model_dump(exclude={"recommendation", "created_ns"})
    return kept | {"created": iso(draft.created_ns)}


def _absent(draft_id: str) -> NotFoundError:
    return NotFoundError(f"there is no draft {draft_id!r}")


def _reading(asker: Asker, case_id: str) -> "OwnReading":
    from servers.own_reading import OwnReading  # imported here: it brings the servers

    return OwnReading(asker.parts.services, asker.principal, "drafting", session=asker.session, case_id=case_id)
