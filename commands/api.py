"""`casewright api`: the HTTP API of this machine, with a worker beside it.

The API only begins, answers and shows; the worker drives. It is a process of its own, begun again
when it dies, and ended together with the API.
"""

import contextlib
import signal
import socket
from collections.abc import Generator
from dataclasses import dataclass

import typer

from casewright.errors import InputError
from commands.option_groups import taking
from commands.serving import refuse_local_identity, refuse_local_people_elsewhere
from commands.shell import Shell
from commands.worker_processes import MOST_WORKERS, WorkerProcesses

DRAIN_SECONDS = 10
LARGEST_HEAD = 64 * 1024
"""What the HTTP parser takes in; the application refuses less than that with a problem document."""
ADDRESS_FACTOR = 5
"""How many times as much as one person all clients behind one address may ask."""


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    host: str = typer.Option("127.0.0.1", help="Address to listen on.")
    port: int = typer.Option(8760, help="Port to listen on; 0 picks one.", min=0, max=65_535)
    no_worker: bool = typer.Option(False, "--no-worker", help="Start no worker; run `casewright worker` yourself.")
    workers: int = typer.Option(1, "--workers", help="How many workers to start.", min=1, max=MOST_WORKERS)
    requests: int = typer.Option(
        600, "--requests-per-minute", help="The most requests of one person in a minute.", min=1, max=1_000_000
    )


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("api")(api)


@taking(ApiOptions)
def api(ctx: typer.Context, options: ApiOptions) -> None:
    """Serve the HTTP API under /v1, with a worker that drives the runs; see docs/api.md."""
    shell: Shell = ctx.obj
    refuse_local_identity(shell.settings, shell.options.identity)
    refuse_local_people_elsewhere(shell.settings, options.host)
    _ = shell.services.database  # a data folder that is not set up stops the start, not the first request
    with listening(options.host, options.port) as found:
        port = int(found.getsockname()[1])
        base_url = shell.settings.identity.public_url or f"http://{_shown(options.host)}:{port}"
        shell.note(f"{base_url}/v1 (its document: {base_url}/openapi.json)")
        if shell.settings.identity.issuer is None:
            shell.note("make a token with: casewright token orchestrator --as IDENTITY; stop with Ctrl-C")
        else:
            shell.note(f"tokens are given by {shell.settings.identity.issuer.issuer}; stop with Ctrl-C")
        serve_api(shell, options, base_url, found)


def serve_api(shell: Shell, options: ApiOptions, base_url: str, found: socket.socket) -> None:
    """Serve on a socket until stopped; SIGTERM and Ctrl-C let requests and workers finish."""
    import uvicorn  # imported here: other commands need no server

    from api.app import create_app
    from api.limits import ApiLimits

    limits = ApiLimits(
        requests_per_minute=options.requests, requests_per_minute_of_an_address=options.requests * ADDRESS_FACTOR
    )
    workers = WorkerProcesses(shell.settings.home, 0 if options.no_worker else options.workers)
    app = create_app(shell.services, limits=limits, base_url=base_url, beside=lambda: workers)
    config = uvicorn.Config(
        app,
        log_level="warning",
        log_config=None,  # the log of the house, with request ids and without secrets
        access_log=False,
        proxy_headers=False,  # or a client could say from which address it comes
        server_header=False,
        ws="none",
        http="h11",
        h11_max_incomplete_event_size=LARGEST_HEAD,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    for number in (signal.SIGTERM, signal.SIGINT):  # told once to stop, it stops in order; the server tells us again
        signal.signal(number, lambda _number, _frame: None)
    uvicorn.Server(config).run(sockets=[found])


@contextlib.contextmanager
def listening(host: str, port: int) -> Generator[socket.socket]:
    """A socket that listens there.

    Raises:
        InputError: the address is not ours, or somebody else listens there.
    """
    from servers.wire_server import listening as listening_socket

    try:
        found = listening_socket(host, port)
    except OSError as error:
        raise InputError(f"{host!r} port {port} cannot be listened on: {error}; choose another --port") from error
    with found:
        yield found


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
