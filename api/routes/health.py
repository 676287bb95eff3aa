"""Whether this process lives, and whether everything that it needs is there; answered without a token.

So it says which part is not ready, and nothing of why: `casewright doctor` says that.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse

from api.docs import example, problems
from api.parts import Parts, PartsDep
from casewright import __version__
from casewright.clock import NANOSECONDS
from casewright.contracts.base import Contract
from casewright.errors import CasewrightError, StorageError, UnavailableError
from graphs.presence import WORKER_SECONDS, last_seen

router = APIRouter(prefix="/v1", tags=["health"])
PART_SECONDS = 5.0
_log = logging.getLogger("casewright.api")
Check = Callable[[Parts], Awaitable[None]]


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
    states = [PartState(name=name, ready=await _is_ready(name, check, parts)) for name, check in CHECKS.items()]
    found = Readiness(ready=all(state.ready for state in states), parts=tuple(states))
    return JSONResponse(found.model_dump(mode="json"), 200 if found.ready else 503)


async def _is_ready(name: str, check: Check, parts: Parts) -> bool:
    try:
        await asyncio.wait_for(check(parts), PART_SECONDS)
    except (CasewrightError, TimeoutError) as error:
        _log.warning("not ready: %s: %s", name, error)
        return False
    return True


async def _database(parts: Parts) -> None:
    await parts.services.audit.head()


async def _schema(parts: Parts) -> None:
    from casewright.storage.migrate import current, newest

    found = await asyncio.to_thread(current, parts.services.settings.database)
    if found != newest():
        raise StorageError(f"the database is at migration {found}, not {newest()}; run `casewright init`")


async def _engine(parts: Parts) -> None:
    await asyncio.to_thread(parts.services.engine.probe)


async def _index(parts: Parts) -> None:
    await asyncio.to_thread(parts.services.corpus.index_version)


async def _worker(parts: Parts) -> None:
    now = parts.services.clock.now_ns()
    seen = last_seen(parts.services.settings.home)
    if seen is None or now - seen > WORKER_SECONDS * NANOSECONDS:
        raise UnavailableError("no worker was seen lately; start one with `casewright worker`")


CHECKS: dict[str, Check] = {
    "database": _database,
    "schema": _schema,
    "engine": _engine,
    "index": _index,
    "worker": _worker,
}
