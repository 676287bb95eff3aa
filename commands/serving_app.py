"""The application of `casewright serve`: each named server under its own path, behind its own bearer gate.

It listens nowhere and ends nothing itself; `commands.serving` and measurements run it.
"""

import contextlib
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from casewright.contracts.principal import ServerName
from casewright.errors import InputError
from casewright.services import Services
from servers.wire import Draining, HeadLimit, IdentityRate, WireLimits

if TYPE_CHECKING:
    from mcp.server.transport_security import TransportSecuritySettings

    from servers.bearer import Resource
    from servers.build import ServerFactory
    from servers.guarded import GuardedServer


@dataclass(frozen=True, kw_only=True)
class Wire:
    """How one process serves."""

    limits: WireLimits = field(default_factory=WireLimits)
    draining: Draining = field(default_factory=Draining)
    sessions: bool = True
    """Whether clients of the handshake era keep a session here; not where their next request may reach another
    process. Without one, their server cannot ask them anything within a call."""
    beside: AbstractAsyncContextManager[object] | None = None
    """What runs for as long as it serves."""


def build_app(
    services: Services,
    names: tuple[ServerName, ...],
    *,
    host: str,
    port: int,
    factory: "ServerFactory | None" = None,
    wire: Wire | None = None,
) -> Starlette:
    """One ASGI application with every named server under its own path, and `/healthz`.

    Raises:
        InputError: an issuer is configured, but not all of it.
    """
    from commands.review_requests import ReviewRequests
    from servers.bearer import BearerGate, Shared
    from servers.build import ServerFactory, transport_security

    _ = services.database  # a data folder that is not set up stops the start, not the first call
    base = public_url(services, host, port)
    resources: dict[ServerName, Resource] = {name: _resource(services, name, base) for name in names}
    factory = factory or ServerFactory(services, reviews=ReviewRequests(services))
    servers: dict[ServerName, GuardedServer] = {name: factory.build_http(name, resources[name].url) for name in names}
    security = transport_security(host, port)
    security.allowed_hosts.append(urlsplit(base).netloc)
    security.allowed_origins.append(f"{urlsplit(base).scheme}://{urlsplit(base).netloc}")
    wire = wire or Wire()
    shared = Shared(limits=wire.limits, draining=wire.draining, rate=IdentityRate(wire.limits))
    apps: dict[ServerName, ASGIApp] = {
        name: BearerGate(_app_of(server, name, security, wire), services, resources[name], shared)
        for name, server in servers.items()
    }

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        async with contextlib.AsyncExitStack() as stack:
            if wire.beside is not None:
                await stack.enter_async_context(wire.beside)
            for server in servers.values():
                await stack.enter_async_context(server.session_manager.run())
            yield
            await services.close()

    async def healthz(_request: Request) -> JSONResponse:
        return JSONResponse({"ok": True, "servers": list(names)})

    routes: list[BaseRoute] = [Route("/healthz", healthz)]
    if services.settings.identity.issuer is not None:
        from commands.exchange_endpoint import token_endpoint

        routes.append(Route("/token", token_endpoint(services), methods=["POST"]))
    routes.append(Mount("/", app=_Dispatcher(apps, resources)))
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(HeadLimit, limits=wire.limits)])


class _Dispatcher:
    """Hands a request to the one server its path names; each keeps its own audience and metadata."""

    def __init__(self, apps: "dict[ServerName, ASGIApp]", resources: "dict[ServerName, Resource]") -> None:
        self._apps = apps
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._found(str(scope.get("path", "")), str(scope.get("method", "")))(scope, receive, send)

    def _found(self, path: str, method: str) -> ASGIApp:
        for name, resource in self._resources.items():
            if path == f"/{name}/mcp":
                return self._apps[name]
            if path == f"/.well-known/oauth-protected-resource/{name}/mcp" and method in ("GET", "HEAD"):
                return resource.metadata()
        known = ", ".join(f"/{name}/mcp" for name in self._apps)
        return JSONResponse({"error": f"nothing is served at this path; there are {known}"}, 404)


def public_url(services: Services, host: str, port: int) -> str:
    """The public address; with an issuer everything that its tokens need is there before anybody connects."""
    identity = services.settings.identity
    if identity.issuer is not None:
        if not identity.public_url:
            raise InputError(
                "CASEWRIGHT_IDENTITY=oidc needs CASEWRIGHT_PUBLIC_URL to serve: the address of the servers as "
                f"clients see it, for example http://{host}:{port}"
            )
        _ = (services.people, services.tokens)
    return identity.public_url or f"http://{host}:{port}"


def _resource(services: Services, name: ServerName, base: str) -> "Resource":
    from servers.bearer import Resource

    url, names = f"{base}/{name}/mcp", services.vocabulary.current()
    issuer = services.settings.identity.issuer
    if issuer is None:
        return Resource(server=name, url=url, issuer=url, scopes=names.scope_names(name)[:2])
    from casewright.identity.claims import advertised_scopes

    scopes = advertised_scopes(services.claims_mapping, names, name)
    return Resource(server=name, url=url, issuer=issuer.issuer, scopes=scopes)


def _app_of(server: "GuardedServer", name: ServerName, security: "TransportSecuritySettings", wire: Wire) -> Starlette:
    return server.streamable_http_app(
        streamable_http_path=f"/{name}/mcp",
        stateless_http=not wire.sessions,
        max_request_body_size=wire.limits.body_bytes,
        session_idle_timeout=wire.limits.session_seconds,
        max_sessions=wire.limits.sessions,
        transport_security=security,
    )
