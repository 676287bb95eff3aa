"""Builds the API: its layers, its routes, its document. It begins, answers and shows runs, and drives none.

From outside to inside: the envelope (request id, headers, last net), sizes and requests of an
address, sign-in and requests of an identity, the body, then the routes, each of which asks the
policy. `casewright api` serves it; tests call it in process.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from api.auth import METADATA, PUBLIC, SignInGate, protected_resource
from api.docs import openapi_of
from api.envelope import Envelope
from api.errors import ApiProblemError, answer_error
from api.events import EventFeed
from api.idempotency import IdempotencyKeys
from api.limits import AddressLimit, ApiLimits, BodyLimit
from api.pages import Cursors
from api.parts import Parts
from api.readiness import ReadinessLook
from api.routes import ROUTERS
from casewright.errors import CasewrightError
from casewright.services import Services
from graphs.records import RunRecords
from graphs.requests import RunRequests

BASE_URL = "http://127.0.0.1:8760"
Beside = Callable[[], AbstractAsyncContextManager[object]]
"""What runs as long as the application serves."""


def create_app(
    services: Services, *, limits: ApiLimits | None = None, base_url: str = BASE_URL, beside: Beside = nullcontext
) -> FastAPI:
    """The application over one data folder.

    Args:
        base_url: the address under which clients know it, without a final slash.
        beside: entered when it begins to serve and left when it ends; `casewright api` runs its worker in it.

    Raises:
        StorageError: the data folder is not set up.
        InputError: an issuer is configured, but not all of it.
    """
    limits = limits or ApiLimits()
    parts = _parts(services, limits)
    if services.settings.identity.issuer is not None:
        _ = services.person_exchange  # what sign-in needs is there before anybody comes

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        async with beside():
            yield
        await parts.feed.close()
        await services.close()

    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.parts = parts
    for error in (ApiProblemError, CasewrightError, HTTPException, RequestValidationError):
        app.add_exception_handler(error, answer_error)
    for router in ROUTERS:
        app.include_router(router)
    _serve_documents(app, services, base_url)
    app.add_middleware(BodyLimit, limits=limits)  # the one added last is the outermost
    app.add_middleware(SignInGate, services=services, limits=limits, base_url=base_url)
    app.add_middleware(AddressLimit, limits=limits)
    app.add_middleware(Envelope)
    return app


def _parts(services: Services, limits: ApiLimits) -> Parts:
    records = RunRecords(services.database, services.clock)
    return Parts(
        services=services,
        records=records,
        requests=RunRequests(services, records, services.questions),
        keys=IdempotencyKeys(services.database, services.clock),
        cursors=Cursors(services.signing_key),
        limits=limits,
        readiness=ReadinessLook(services),
        feed=EventFeed(services, limits),
    )


def _serve_documents(app: FastAPI, services: Services, base_url: str) -> None:
    """The two documents that say nothing of anybody: what is offered, and where tokens come from."""
    app.openapi = lambda: openapi_of(app, PUBLIC)

    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    async def metadata() -> JSONResponse:
        return JSONResponse(protected_resource(services, base_url))

    app.add_api_route("/openapi.json", openapi, include_in_schema=False)
    app.add_api_route(METADATA, metadata, include_in_schema=False)
