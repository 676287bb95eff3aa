"""`casewright bench mcp`: what it costs that the servers speak MCP under the guard, beside a bare server, in one run.

Three things: how long a client waits for the tools, calls a second with many clients over HTTP, and the memory of
a thousand clients that are connected and silent. Ratios are what to compare between machines.
"""

import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType

from casewright.config import Settings, app_root
from casewright.contracts.principal import SERVERS, ServerName
from commands.bench_guard import call_tool, services_of_bench, token_of_bench
from commands.bench_mcp_idle import idle
from commands.bench_mcp_start import starts
from commands.bench_process import HOST, environment, free_port, listening, machine, run_command
from commands.bench_timing import under_load
from commands.shell import Shell
from commands.tables import new_table

if TYPE_CHECKING:  # the MCP client takes half a second to import
    from mcp import Client

    from casewright.services import Services

CLIENTS = (1, 16, 64)
KINDS = ("bare", "guarded")
UNLIMITED = ("--requests-per-minute", "1000000")
GOALS = {"start_ratio": 1.3, "idle_mb": 300}


def register(app: typer.Typer) -> None:
    """Add the command to `casewright bench`."""
    app.command("mcp")(mcp)


def mcp(
    ctx: typer.Context,
    runs: int = typer.Option(7, min=1, max=50, help="Timed starts of each server."),
    calls: int = typer.Option(600, min=64, max=5_000, help="Timed calls for each number of clients."),
    connections: int = typer.Option(1_000, min=1, max=1_900, help="Clients that are connected and silent."),
) -> None:
    """Measure the MCP servers: start, calls over HTTP with 1, 16 and 64 clients, memory of silent clients."""
    shell: Shell = ctx.obj
    before = machine()
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as folder:
        document = shell.run(_measure(shell, Path(folder) / "home", runs, calls, connections))
    shell.show(document | {"goals": GOALS, "machine": before}, _view)


async def _measure(shell: Shell, home: Path, runs: int, calls: int, connections: int) -> dict[str, Any]:
    with shell.busy("setting up a data folder"):
        await run_command("--home", str(home), "--json", "init")
    variables = environment({"CASEWRIGHT_HOME": str(home)})
    services = await services_of_bench(Settings.load(home=str(home), environment=variables, app_root=app_root()))
    try:
        tokens = {name: token_of_bench(services, f"bench-{name}", server=name) for name in SERVERS}
        with shell.busy("starting servers"):
            start = await starts(tokens, str(home), runs)
        with shell.busy("calling over HTTP"):
            http = await _http(services, variables, calls)
        with shell.busy("connecting silent clients"):
            held = await _idle(tokens["case-facts"], variables, connections)
    finally:
        await services.close()
    return {"runs": runs, "calls": calls, "start": start, "http": http, "idle": held}


async def _http(services: "Services", variables: Mapping[str, str], calls: int) -> dict[str, Any]:
    """Calls a second and 95th percentile for each number of clients, of the same tool bare and guarded."""
    token = token_of_bench(services, "bench-http")
    found: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        clients = {kind: await stack.enter_async_context(_clients(kind, token, variables)) for kind in KINDS}
        for count in CLIENTS:
            works = {kind: [partial(call_tool, client) for client in clients[kind][:count]] for kind in KINDS}
            figures = await under_load(works, calls)
            share = figures["guarded"].calls_per_second / figures["bare"].calls_per_second
            shown = {kind: figures[kind].document() for kind in KINDS}
            found[str(count)] = shown | {"throughput_share": round(share, 3)}
    return found


@asynccontextmanager
async def _clients(kind: str, token: str, variables: Mapping[str, str]) -> AsyncGenerator[list["Client"]]:
    """As many open clients of one server as are ever needed."""
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    from commands.bench_servers import SERVER

    port = free_port()
    command = (sys.executable, "-m", "commands.bench_servers", kind, "http", str(port))
    most = httpx2.Limits(max_connections=max(CLIENTS), max_keepalive_connections=max(CLIENTS))
    headers = {"authorization": f"Bearer {token}"}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listening(port, *command, more=variables))
        http = await stack.enter_async_context(
            httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False, limits=most)
        )
        url = f"http://{HOST}:{port}/{SERVER}/mcp"
        transports = [streamable_http_client(url, http_client=http) for _ in range(max(CLIENTS))]
        yield [await stack.enter_async_context(Client(transport)) for transport in transports]


async def _idle(token: str, variables: Mapping[str, str], connections: int) -> dict[str, Any]:
    """The whole of `casewright serve`, and a bare server."""
    path: ServerName = "case-facts"
    ours, bare = free_port(), free_port()
    serve = (sys.executable, "-m", "casewright.launch", "serve", "--no-worker", "--port", str(ours), *UNLIMITED)
    alone = (sys.executable, "-m", "commands.bench_servers", "bare", "http", str(bare))
    found: dict[str, Any] = {}
    for kind, port, command in (("bare", bare, alone), ("guarded", ours, serve)):
        async with listening(port, *command, more=variables) as process:
            found[kind] = await idle(process, port, f"/{path}/mcp", token, connections)
    return found


def _view(document: dict[str, Any]) -> RenderableType:
    start = new_table(f"Start to tools over stdio, {document['runs']} times", "server", "p50 ms", "of bare")
    for name, figures in document["start"].items():
        start.add_row(name, f"{figures['p50_ms']:.0f}", f"{figures['ratio']:.2f}")
    title = f"Calls over HTTP, {document['calls']} each"
    http = new_table(title, "clients", "bare calls/s", "p95 ms", "guarded calls/s", "p95 ms", "share")
    for count, figures in document["http"].items():
        cells = [f"{figures[kind][name]:.1f}" for kind in KINDS for name in ("calls_per_second", "p95_ms")]
        http.add_row(count, *cells, f"{figures['throughput_share']:.0%}")
    held = new_table("Connected and silent", "server", "connections", "MB before", "MB with them", "KB each")
    for kind, figures in document["idle"].items():
        cells = [f"{figures[name]:.1f}" for name in ("before_mb", "held_mb", "each_kb")]
        held.add_row(kind, str(figures["connections"]), *cells)
    return Group(start, http, held)
