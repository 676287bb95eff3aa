"""`casewright bench guard`: what the guard costs, beside a bare MCP server with the same tool in the same run.

Token, decision and audit are the real ones, over a data folder of its own that is thrown away.
`ratio_p50` is the figure to compare between machines.
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
from casewright.errors import CasewrightError
from commands.bench_process import HOST, environment, free_port, listening, machine, run_command
from commands.bench_timing import Timings, Work, measured
from commands.shell import Shell
from commands.tables import new_table

if TYPE_CHECKING:  # the MCP client takes half a second to import
    from mcp import Client
    from mcp.server.mcpserver import MCPServer

    from casewright.contracts.principal import ServerName
    from casewright.services import Services

CASE = "HL-2026-0001"
PERSON = "rosa"
TRANSPORTS = ("memory", "stdio", "http")
ARGUMENTS: dict[str, Any] = {"evidence_id": "EV-1"}
GOALS = {"http_ratio_p50": 1.6, "http_throughput": 0.6, "decision_ms": {"embedded": 1.0, "opa": 2.0}, "audit_ms": 0.5}


def register(app: typer.Typer) -> None:
    """Add the command to `casewright bench`."""
    app.command("guard")(guard)


def guard(
    ctx: typer.Context,
    calls: int = typer.Option(300, min=50, max=2_000, help="Timed calls a server, transport and number of callers."),
) -> None:
    """Measure the guard: the same tool bare and guarded, in memory, over stdio and HTTP, on each policy engine."""
    shell: Shell = ctx.obj
    before = machine()
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as folder:
        document = shell.run(_measure(shell, Path(folder), calls))
    shell.show(document | {"machine": before}, _view)


async def _measure(shell: Shell, folder: Path, calls: int) -> dict[str, Any]:
    from casewright.access.binaries import Absent, find

    home = folder / "home"
    with shell.busy("setting up a data folder"):
        await run_command("--home", str(home), "--json", "init")
    engines: dict[str, Any] = {}
    with shell.busy("measuring the embedded engine"):
        engines["embedded"] = await _engine(folder, home, {}, calls)
    opa = find("opa")
    if isinstance(opa, Absent):
        return {"calls": calls, "engines": engines, "not_measured": {"opa": opa.why}, "goals": GOALS}
    from commands.bench_opa import opa_beside

    with shell.busy("measuring an OPA server"):
        async with opa_beside(opa, shell.settings.policies, folder) as more:
            engines["opa"] = await _engine(folder, home, more, calls)
    return {"calls": calls, "engines": engines, "not_measured": {}, "goals": GOALS}


async def _engine(folder: Path, home: Path, more: Mapping[str, str], calls: int) -> dict[str, Any]:
    """Every transport with one policy engine, and the parts of a call."""
    from commands.bench_parts import parts

    variables = environment({"CASEWRIGHT_HOME": str(home), **more})
    settings = Settings.load(home=str(home), environment=variables, app_root=app_root())
    found: dict[str, Any] = {}
    services = await services_of_bench(settings)
    try:
        for transport in TRANSPORTS:
            token = token_of_bench(services, f"bench-{transport}")
            async with _clients(transport, services, token, variables) as clients:
                works: dict[str, Work] = {name: partial(call_tool, client) for name, client in clients.items()}
                found[transport] = _compared(await measured(works, calls))
        split = await parts(services, token_of_bench(services, "bench-parts"), ARGUMENTS, calls)
    finally:
        await services.close()
    spent = sum(figures["p50_ms"] for figures in split.values())
    memory = found["memory"]
    rest = memory["guarded"]["p50_ms"] - memory["bare"]["p50_ms"] - spent
    return {**found, "parts": split, "rest_p50_ms": round(rest, 3)}


async def services_of_bench(settings: Settings) -> "Services":
    """Services over the data folder, with the budget of people as high as the policy allows."""
    from casewright.controls.reviewed import ReviewedData
    from casewright.services import Services

    services = Services(settings)
    reviewed = ReviewedData.read(settings.policies)
    ceiling = str(reviewed.ceilings["user", "tool_calls"])
    await services.controls.set(
        "limits.user.tool_calls",
        ceiling,
        principal=services.identities.find(PERSON),
        why="so that a measurement ends in no budget",
        reviewed=reviewed,
    )
    return services


def token_of_bench(services: "Services", run_id: str, server: "ServerName" = "case-facts") -> str:
    """A token of the measured person for one server, in a run of its own."""
    from secrets import token_hex

    from casewright.contracts.principal import Actor
    from casewright.identity.tokens import Grant

    actor = Actor(kind="user", run_id=f"{run_id}-{token_hex(4)}", case_id=CASE)
    principal = services.identities.find(PERSON)
    return services.tokens.mint(Grant(principal=principal, actor=actor, server=server, scopes=("*",), seconds=3_600))


async def call_tool(client: "Client") -> None:
    """One call of the measured tool.

    Raises:
        CasewrightError: it was refused.
    """
    from commands.bench_servers import TOOL

    result = await client.call_tool(TOOL, ARGUMENTS)
    if result.is_error:
        raise CasewrightError(f"the measured server refused a call: {result.content}")


@asynccontextmanager
async def _clients(
    transport: str, services: "Services", token: str, variables: Mapping[str, str]
) -> AsyncGenerator[dict[str, "Client"]]:
    """An open client of the bare and one of the guarded server."""
    from commands.bench_servers import SERVER, bare, guarded

    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        clients: dict[str, Client] = {}
        for kind in ("bare", "guarded"):
            if transport == "memory":
                server = bare() if kind == "bare" else guarded(services).build(SERVER, token)
                clients[kind] = await enter(_in_memory(server))
            elif transport == "stdio":
                clients[kind] = await enter(_over_stdio(kind, {**variables, "CASEWRIGHT_TOKEN": token}))
            else:
                clients[kind] = await enter(_over_http(kind, token, variables))
        yield clients


@asynccontextmanager
async def _in_memory(server: "MCPServer[Any]") -> AsyncGenerator["Client"]:
    from mcp import Client

    async with Client(server) as client:
        yield client


@asynccontextmanager
async def _over_stdio(kind: str, variables: Mapping[str, str]) -> AsyncGenerator["Client"]:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    arguments = ["-m", "commands.bench_servers", kind, "stdio"]
    async with Client(StdioServerParameters(command=sys.executable, args=arguments, env=dict(variables))) as client:
        yield client


@asynccontextmanager
async def _over_http(kind: str, token: str, variables: Mapping[str, str]) -> AsyncGenerator["Client"]:
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    from commands.bench_servers import SERVER

    port = free_port()
    command = (sys.executable, "-m", "commands.bench_servers", kind, "http", str(port))
    headers = {"authorization": f"Bearer {token}"}
    async with (
        listening(port, *command, more=variables),
        httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
        Client(streamable_http_client(f"http://{HOST}:{port}/{SERVER}/mcp", http_client=http)) as client,
    ):
        yield client


def _compared(timings: Mapping[str, Timings]) -> dict[str, Any]:
    bare, guarded = timings["bare"], timings["guarded"]
    share = {
        str(callers): round(guarded.calls_per_second[callers] / rate, 3)
        for callers, rate in bare.calls_per_second.items()
    }
    return {
        "bare": bare.document(),
        "guarded": guarded.document(),
        "ratio_p50": round(guarded.p50_ms / bare.p50_ms, 2),
        "added_p50_ms": round(guarded.p50_ms - bare.p50_ms, 3),
        "throughput_share": share,
    }


def _view(document: dict[str, Any]) -> RenderableType:
    title = f"The guard on {document['machine']['cores']} cores, {document['calls']} calls each"
    table = new_table(title, "engine, transport", "bare p50", "guarded p50", "p99", "ratio", "throughput 1 / 16")
    split = new_table("Parts of one call, p50 in ms", "engine", "part", "p50", "p95")
    for engine, figures in document["engines"].items():
        for transport in TRANSPORTS:
            row = figures[transport]
            share = row["throughput_share"]
            table.add_row(
                f"{engine}, {transport}",
                f"{row['bare']['p50_ms']:.2f}",
                f"{row['guarded']['p50_ms']:.2f}",
                f"{row['guarded']['p99_ms']:.2f}",
                f"{row['ratio_p50']:.2f}",
                f"{share['1']:.0%} / {share['16']:.0%}",
            )
        for part, took in figures["parts"].items():
            split.add_row(engine, part, f"{took['p50_ms']:.3f}", f"{took['p95_ms']:.3f}")
        split.add_row(engine, "rest", f"{figures['rest_p50_ms']:.3f}", "")
    notes = [f"not measured: {name}: {why}" for name, why in document["not_measured"].items()]
    return Group(table, split, *notes)
