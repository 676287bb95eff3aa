"""The versions in force here. There is one set of them, and this says so: nothing is promoted or rolled back yet."""

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

router = APIRouter(prefix="/v1/releases", tags=["releases"], route_class=GovernedRoute)


class ReleaseView(Contract):
    """The versions that a run begun now would be pinned to."""

    release_id: str = Field(description="Of exactly these versions.", examples=["rel-2c9a41d07be35f68"])
    in_force: bool
    software: str = Field(examples=["0.1.0"])
    graph: int
    state: int = Field(description="Of what is kept of a run between its steps.")
    prompts: str = Field(description="Digest over the prompt files.")
    policy: str = Field(description="Revision of the access policies.")
    index_version: str
    model: str = Field(description="The model that is asked first.")


class ReleaseList(Contract):
    """What is in force, and whether there is anything else."""

    items: tuple[ReleaseView, ...]
    others: bool = Field(description="False: there is this one only; releases are not kept apart yet.")


@router.get(
    "",
    operation_id="list_releases",
    summary="Read which versions are in force",
    response_model=ReleaseList,
    dependencies=[TAGGED],
    responses=example(RELEASES, "What is in force.", FOUND) | problems(*READING, "denied"),
)
async def list_releases(asker: AskerDep, request: Request) -> Response:
    """What this process would pin a new run to; a run's own are its `pins`."""
    from graphs.versions import pins_now  # imported here: it reads the index and the prompts

    await asker.allowed(LIST_RUNS)
    pins = pins_now(asker.parts.services).model_dump(mode="json")
    name = f"rel-{digest({'software': __version__, **pins})[:16]}"
    view = ReleaseView(release_id=name, in_force=True, software=__version__, **pins)
    return tagged(request, ReleaseList(items=(view,), others=False))
