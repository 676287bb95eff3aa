"""`casewright serve`: the MCP servers over Streamable HTTP on this machine, in one process."""

import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import typer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from casewright.contracts.principal import SERVERS, ServerName
from casewright.services import Services
from commands.shell import Shell

if TYPE_CHECKING:
    from servers.guarded import GuardedServer


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("serve")(serve)
    app.command("mcp", help="Run one MCP server: casewright mcp NAME [--http]; more with casewright mcp -h.")(mcp)


def serve(
    ctx: typer.Context,
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
    port: int = typer.Option(8750, help="Port to listen on."),
) -> None:
    """Serve all MCP servers over HTTP: /policy-search/mcp, /case-facts/mcp, /drafting/mcp."""
    shell: Shell = ctx.obj
    for name in SERVERS:
        shell.note(f"http://{host}:{port}/{name}/mcp")
    shell.note("make a token with: casewright token SERVER --as IDENTITY; stop with Ctrl-C")
    serve_http(shell.services, SERVERS, host=host, port=port)


def serve_http(services: Services, names: tuple[ServerName, ...], *, host: str, port: int) -> None:
    """Serve until stopped; SIGTERM drains running requests."""
    import uvicorn

    app = build_app(services, names, host=host, port=port)
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=10)


def build_app(services: Services, names: tuple[ServerName, ...], *, host: str, port: int) -> Starlette:
    """One ASGI application with every named server under its own path, and `/healthz`."""
    from servers.build import ServerFactory, transport_security

    _ = services.database  # a data folder that is not set up stops the start, not the first call
    factory = ServerFactory(services)
    servers: dict[ServerName, GuardedServer] = {
        name: factory.build_http(name, f"http://{host}:{port}/{name}/mcp") for name in names
    }
    security = transport_security(host, port)
    apps: dict[ServerName, Starlette] = {
        name: server.streamable_http_app(streamable_http_path=f"/{name}/mcp", transport_security=security)
        for name, server in servers.items()
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

    routes = [Route("/healthz", healthz), Mount("/", app=_Dispatcher(apps))]
    return Starlette(routes=routes, lifespan=lifespan)


class _Dispatcher:
    """Hands a request to the one server its path names; each keeps its own audience and 401."""

    def __init__(self, apps: dict[ServerName, Starlette]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        for name, app in self._apps.items():
            if path in (f"/{name}/mcp", f"/.well-known/oauth-protected-resource/{name}/mcp"):
                await app(scope, receive, send)
                return
        known = ", ".join(f"/{name}/mcp" for name in self._apps)
        await JSONResponse({"error": f"nothing is served at this path; there are {known}"}, 404)(scope, receive, send)


def mcp() -> int:
    """Only listed here: `casewright.launch` sends `mcp` to `commands.mcp_servers` at once."""
    from commands.mcp_servers import run

    return run(["mcp", "-h"])
