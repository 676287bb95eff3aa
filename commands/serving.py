"""`casewright serve`: the MCP servers over Streamable HTTP on this machine, in one process or several."""

import contextlib
import signal
import socket
from collections.abc import Generator
from dataclasses import dataclass
from ipaddress import ip_address

import typer

from casewright.config import Settings
from casewright.contracts.principal import SERVERS, ServerName
from casewright.errors import InputError
from casewright.services import Services
from commands.option_groups import taking
from commands.serving_app import Wire, build_app, public_url
from commands.serving_processes import MOST_PROCESSES, serve_in_processes
from commands.shell import Shell
from commands.worker_processes import WorkerProcesses
from servers.wire import WireLimits


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("serve")(serve)
    app.command("mcp", help="Run one MCP server: casewright mcp NAME [--http]; more with casewright mcp -h.")(mcp)


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    host: str = typer.Option("127.0.0.1", help="Address to listen on.")
    port: int = typer.Option(8750, help="Port to listen on; 0 picks one.", min=0, max=65_535)
    processes: int = typer.Option(1, help="How many processes serve on one socket.", min=1, max=MOST_PROCESSES)
    metrics_port: int = typer.Option(
        -1, min=-1, max=65535, help="Also answer Prometheus on this port of 127.0.0.1; 0 picks one, -1 is none."
    )
    no_worker: bool = typer.Option(False, "--no-worker", help="Drive no reviews here; another worker does.")
    requests: int = typer.Option(
        WireLimits.requests_per_minute,
        "--requests-per-minute",
        help="The most requests of one person in a minute, to each process.",
        min=1,
        max=1_000_000,
    )
    listener: int = typer.Option(-1, hidden=True)
    """The listening socket that the process which keeps several handed over."""


@taking(ServeOptions)
def serve(ctx: typer.Context, options: ServeOptions) -> None:
    """Serve all MCP servers over HTTP: /policy-search/mcp, /case-facts/mcp, /drafting/mcp, /review/mcp."""
    shell: Shell = ctx.obj
    refuse_local_identity(shell.settings, shell.options.identity)
    if options.listener >= 0:
        _serve_beside_others(shell.services, options)
        return
    with _listening(shell.settings, options.host, options.port) as (listener, port):
        base = public_url(shell.services, options.host, port)
        _ = shell.services.database  # a data folder that is not set up stops the start, not the first call
        for name in SERVERS:
            shell.note(f"{base}/{name}/mcp")
        _note_tokens(shell)
        if options.metrics_port >= 0:
            from commands.metrics import ADDRESS, serve_metrics

            shell.note(f"metrics: http://{ADDRESS}:{serve_metrics(shell.services, options.metrics_port)}/metrics")
        drivers = WorkerProcesses(shell.settings.home, 0 if options.no_worker else 1)
        if options.processes == 1:
            wire = Wire(beside=drivers, limits=WireLimits(requests_per_minute=options.requests))
            _serve_on(listener, shell.services, SERVERS, host=options.host, wire=wire)
        else:
            each = ["--host", options.host, "--requests-per-minute", str(options.requests)]
            serve_in_processes(shell.settings.home, listener, options.processes, each, drivers)


def _note_tokens(shell: Shell) -> None:
    issuer = shell.settings.identity.issuer
    if issuer is None:
        shell.note("make a token with: casewright token SERVER --as IDENTITY; stop with Ctrl-C")
    else:
        shell.note(f"tokens are given by {issuer.issuer}; stop with Ctrl-C")


def serve_http(services: Services, names: tuple[ServerName, ...], *, host: str, port: int, workers: int = 0) -> None:
    """Serve until stopped; SIGTERM lets running requests finish. `workers` drive the reviews meanwhile."""
    with _listening(services.settings, host, port) as (listener, _):
        wire = Wire(beside=WorkerProcesses(services.settings.home, workers))
        _serve_on(listener, services, names, host=host, wire=wire)


def _serve_on(
    listener: socket.socket, services: Services, names: tuple[ServerName, ...], *, host: str, wire: Wire
) -> None:
    """Serve on a socket until stopped."""
    from servers.wire_server import wire_server

    port = int(listener.getsockname()[1])
    app = build_app(services, names, host=host, port=port, wire=wire)
    for number in (signal.SIGTERM, signal.SIGINT):  # told once to stop, it stops in order; the server tells us again
        signal.signal(number, lambda _number, _frame: None)
    wire_server(app, wire.draining, wire.limits).run(sockets=[listener])


def _serve_beside_others(services: Services, options: ServeOptions) -> None:
    """Be one of several processes: nothing of a client may live in this one."""
    from servers.wire_server import wire_server

    wire = Wire(sessions=False, limits=WireLimits(requests_per_minute=options.requests))
    app = build_app(services, SERVERS, host=options.host, port=options.port, wire=wire)
    server = wire_server(app, wire.draining, wire.limits)
    server.ends_with_input = True
    server.run(sockets=[socket.socket(fileno=options.listener)])


@contextlib.contextmanager
def _listening(settings: Settings, host: str, port: int) -> Generator[tuple[socket.socket, int]]:
    """A socket that listens there, and its port.

    Raises:
        InputError: local identities would be reached from elsewhere, or the address cannot be listened on.
    """
    from servers.wire_server import listening

    refuse_local_people_elsewhere(settings, host)
    try:
        listener = listening(host, port)
    except OSError as error:
        raise InputError(f"{host!r} port {port} cannot be listened on: {error}; choose another --port") from error
    with listener:
        yield listener, int(listener.getsockname()[1])


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


def refuse_local_people_elsewhere(settings: Settings, host: str) -> None:
    """Local identities are for one machine: whoever reaches its data folder may act as any of them.

    Raises:
        InputError: they are in use, and the address is not of this machine alone.
    """
    if settings.identity.issuer is None and not _is_loopback(host):
        raise InputError(
            f"--host {host!r} can be reached from elsewhere, and the local identities are for this machine; listen on "
            "127.0.0.1, or set CASEWRIGHT_IDENTITY=oidc (docs/identity.md)"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def mcp() -> int:
    """Only listed here: `casewright.launch` sends `mcp` to `commands.mcp_servers` at once."""
    from commands.mcp_servers import run

    return run(["mcp", "-h"])
