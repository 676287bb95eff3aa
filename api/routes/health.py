"""Whether this process lives, and whether everything that it needs is there; answered without a token.

So it says which part is not ready, and nothing of why: `casewright doctor` says that.
"""

from typing import Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse

from api.docs import example, problems
from api.parts import PartsDep
from casewright import __version__
from casewright.contracts.base import Contract

router = APIRouter(prefix="/v1", tags=["health"])


class Health(Contract):
    status: Literal["ok"] = "ok"
    version: str = Field(examples=["0.1.0"])


class PartState(Contract):
    name: str
    ready: bool


class Readiness(Contract):
    ready: bool
    parts: tuple[PartState, ...]


_READY = {"ready": True, "parts": [{"name": "database", "ready": True}, {"name": "worker", "ready": True}]}
_NOT_READY = {"ready": False, "parts": [{"name": "database", "ready": True}, {"name": "worker", "ready": False}]}


@router.get(
    "/health",
    operation_id="get_health",
    summary="Whether this process lives",
    responses=example({"status": "ok", "version": __version__}, "It lives.") | problems("too-many-requests"),
)
async def health() -> Health:
    """Answered as long as the process answers anything; it looks at nothing else."""
    return Health(version=__version__)


@router.get(
    "/ready",
    operation_id="get_readiness",
    summary="Whether everything that is needed is there",
    response_model=Readiness,
    responses=example(_READY, "Everything is there.")
    | {503: {"model": Readiness, **example(_NOT_READY, "Some part is not.", status=503)[503]}}
    | problems("too-many-requests"),
)
async def ready(parts: PartsDep) -> JSONResponse:
    """Database and its schema, the policy engine with a decision, the index, and a worker that was seen lately."""
    states = [PartState(name=name, ready=is_ready) for name, is_ready in (await parts.readiness.states()).items()]
    found = Readiness(ready=all(state.ready for state in states), parts=tuple(states))
    return JSONResponse(found.model_dump(mode="json"), 200 if found.ready else 503)
