"""`casewright serve`: the MCP servers over Streamable HTTP on this machine, in one process."""

import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from casewright.config import Settings
from casewright.contracts.principal import SERVERS, ServerName
from casewright.errors import InputError
from casewright.services import Services
from commands.shell import Shell

if TYPE_CHECKING:
    from mcp.server.transport_security import TransportSecuritySettings

    from servers.bearer import Resource
    from servers.build import ServerFactory
    from servers.guarded import GuardedServer


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("serve")(serve)
    app.command("mcp", help="Run one MCP server: casewright mcp NAME [--http]; more with casewright mcp -h.")(mcp)


def serve(
    ctx: typer.Context,
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
    port: int = typer.Option(8750, help="Port to listen on."),
    metrics_port: int = typer.Option(-1, help="Also answer Prometheus on this port of 127.0.0.1; 0 picks one."),
) -> None:
    """Serve all MCP servers over HTTP: /policy-search/mcp, /case-facts/mcp, /drafting/mcp."""
    shell: Shell = ctx.obj
    identity = shell.settings.identity
    refuse_local_identity(shell.settings, shell.options.identity)
    base = _checked_url(shell.services, host, port)
    for name in SERVERS:
        shell.note(f"{base}/{name}/mcp")
    if identity.issuer is None:
        shell.note("make a token with: casewright token SERVER --as IDENTITY; stop with Ctrl-C")
    else:
        shell.note(f"tokens are given by {identity.issuer.issuer}; stop with Ctrl-C")
    if metrics_port >= 0:
        from commands.metrics import ADDRESS, serve_metrics

        shell.note(f"metrics: http://{ADDRESS}:{serve_metrics(shell.services, metrics_port)}/metrics")
    serve_http(shell.services, SERVERS, host=host, port=port)


def serve_http(services: Services, names: tuple[ServerName, ...], *, host: str, port: int) -> None:
    """Serve until stopped; SIGTERM drains running requests."""
    import uvicorn

    app = build_app(services, names, host=host, port=port)
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=10)


def build_app(
    services: Services,
    names: tuple[ServerName, ...],
    *,
    host: str,
    port: int,
    factory: "ServerFactory | None" = None,
) -> Starlette:
    """One ASGI application with every named server under its own path, and `/healthz`.

    Raises:
        InputError: an issuer is configured, but not all of it.
    """
    from servers.bearer import BearerGate
    from servers.build import ServerFactory, transport_security

    _ = services.database  # a data folder that is not set up stops the start, not the first call
    base = _checked_url(services, host, port)
    resources: dict[ServerName, Resource] = {name: _resource(services, name, base) for name in names}
    factory = factory or ServerFactory(services)
    servers: dict[ServerName, GuardedServer] = {name: factory.build_http(name, resources[name].url) for name in names}
    security = transport_security(host, port)
    security.allowed_hosts.append(urlsplit(base).netloc)
    security.allowed_origins.append(f"{urlsplit(base).scheme}://{urlsplit(base).netloc}")
    apps: dict[ServerName, ASGIApp] = {
        name: BearerGate(_app_of(name, server, security), services, resources[name]) for name, server in servers.items()
    }

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        async with contextlib.AsyncExitStack() as stack:
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
    return Starlette(routes=routes, lifespan=lifespan)


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


def refuse_local_identity(settings: Settings, named: str | None) -> None:
    """Nobody serves as a local identity where an issuer vouches for people.

    Raises:
        InputError: somebody wants to.
    """
    if settings.identity.issuer is not None and named is not None:
        raise InputError(
            f"--as {named!r} is for local identities, and CASEWRIGHT_IDENTITY=oidc; leave it out: each request "
            "brings a token of the issuer"
        )


def _checked_url(services: Services, host: str, port: int) -> str:
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


def _app_of(name: ServerName, server: "GuardedServer", security: "TransportSecuritySettings") -> Starlette:
    return server.streamable_http_app(streamable_http_path=f"/{name}/mcp", transport_security=security)


def mcp() -> int:
    """Only listed here: `casewright.launch` sends `mcp` to `commands.mcp_servers` at once."""
    from commands.mcp_servers import run

    return run(["mcp", "-h"])
