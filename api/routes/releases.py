"""The release in force, the one before and the one that is tried out; they are switched on the command line alone."""

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from api.docs import READING, example, problems
from api.etags import TAGGED, tagged
from api.permission import AskerDep, GovernedRoute
from api.resource_examples import RELEASES
from api.run_views import FOUND, LIST_RUNS
from casewright import __version__
from casewright.canonical import digest
from casewright.contracts.base import Contract
from casewright.contracts.release import Override, Release
from casewright.services import Services

router = APIRouter(prefix="/v1/releases", tags=["releases"], route_class=GovernedRoute)


class ReleaseView(Contract):
    """What a release pins; where none is in force, the versions that a run begun now would be pinned to."""

    release_id: str = Field(description="Of exactly these versions.", examples=["rel-2c9a41d07be35f68"])
    in_force: bool
    software: str = Field(examples=["0.1.0"])
    graph: int
    state: int = Field(description="Of what is kept of a run between its steps.")
    prompts: str = Field(description="Digest over the prompt files.")
    policy: str = Field(description="Revision of the access policies.")
    index_version: str
    model: str = Field(description="The model that is asked first.")
    report: str = Field(description="SHA-256 of the eval report that it was made under; empty: it is no release.")
    override: Override | None = Field(description="Who let it through without a green gate; null: nobody had to.")


class ReleaseList(Contract):
    """What is in force first, then what is tried out and what a rollback goes back to."""

    items: tuple[ReleaseView, ...]
    others: bool = Field(description="False: there is what is in force only.")
    active: str = Field(description="The release in force; empty: none, the installation's own files are.")
    previous: str = Field(description="What a rollback goes back to; empty: the installation's own files.")
    canary: str = Field(description="The release that a share of the cases is reviewed with; empty: none.")
    percent: int = Field(description="That share of the cases.")


@router.get(
    "",
    operation_id="list_releases",
    summary="Read which release is in force",
    response_model=ReleaseList,
    dependencies=[TAGGED],
    responses=example(RELEASES, "What is in force.", FOUND) | problems(*READING, "denied"),
)
async def list_releases(asker: AskerDep, request: Request) -> Response:
    """What this process would pin a new run to; a run's own are its `pins`."""
    await asker.allowed(LIST_RUNS)
    store = asker.parts.services.releases
    move = await store.move()
    items = [_view(await store.get(move.active), in_force=True)] if move.active else [_own(asker.parts.services)]
    for name in dict.fromkeys((move.canary, move.previous)):
        if name and name != move.active:
            items.append(_view(await store.get(name), in_force=False))
    standing = {name: getattr(move, name) for name in ("active", "previous", "canary", "percent")}
    return tagged(request, ReleaseList(items=tuple(items), others=len(items) > 1, **standing))


def _view(release: Release, *, in_force: bool) -> ReleaseView:
    pinned = release.manifest.versions.model_dump(mode="json", exclude={"definitions"})
    report, override = release.manifest.report, release.override
    return ReleaseView(release_id=release.release_id, in_force=in_force, report=report, override=override, **pinned)


def _own(services: Services) -> ReleaseView:
    """The installation's own versions, named as if they were a release."""
    from graphs.versions import pins_now  # imported here: it reads the index and the prompts

    pins = pins_now(services).model_dump(mode="json", exclude={"release"})
    name = f"rel-{digest({'software': __version__, **pins})[:16]}"
    return ReleaseView(release_id=name, in_force=True, software=__version__, report="", override=None, **pins)
