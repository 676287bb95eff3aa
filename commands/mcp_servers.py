"""`casewright mcp NAME`: one server, over stdio or Streamable HTTP.

Over stdio the token comes from CASEWRIGHT_TOKEN, or from a local identity that is named with
`--as` (and `--case`); without either every request is refused. Over HTTP each request brings its
own. This module imports no command-line library: a client waits for the first answer.
"""

import argparse
import asyncio
import sys

from casewright.config import Settings, app_root, process_environment
from casewright.contracts.principal import SERVERS, Actor, ServerName
from casewright.errors import CasewrightError, InputError
from casewright.services import Services
from casewright.telemetry import configure_plain_logging, secret_values

SESSION_SECONDS = 8 * 3600
_OTHERS = "Also there: casewright mcp install, doctor, bundle (casewright mcp --help lists them) and definitions."


def run(arguments: list[str]) -> int:
    """Serve until the client goes away; the process's exit code."""
    if arguments[1:2] == ["definitions"]:
        from commands import mcp_definitions

        return mcp_definitions.run(arguments[2:])
    configure_plain_logging(secrets=secret_values(process_environment()))
    try:
        options = _parse(arguments[1:])
        settings = Settings.load(home=options.home, environment=process_environment(), app_root=app_root())
        services = Services(settings)
        name: ServerName = options.name
        if options.http:
            from commands.serving import serve_http

            workers = 1 if name == "review" and options.worker else 0
            serve_http(services, (name,), host=options.host, port=options.port, workers=workers)
        elif name == "review":
            asyncio.run(_serve_reviews(services, _token(services, name, options), workers=1 if options.worker else 0))
        else:
            _serve_stdio(services, name, _token(services, name, options))
    except CasewrightError as error:
        sys.stderr.write(f"casewright: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


def _serve_stdio(services: Services, name: ServerName, token: str) -> None:
    from servers.build import ServerFactory

    ServerFactory(services).build(name, token).run("stdio")


async def _serve_reviews(services: Services, token: str, *, workers: int) -> None:
    """The review server over stdio, and what drives its reviews as long as its client is there."""
    from commands.review_requests import ReviewRequests
    from commands.worker_processes import WorkerProcesses
    from servers.build import ServerFactory

    server = ServerFactory(services, reviews=ReviewRequests(services)).build("review", token)
    if not services.settings.database.exists():
        workers = 0  # there is nothing to drive; each call says what is missing
    async with WorkerProcesses(services.settings.home, workers):
        await server.run_stdio_async()


def _token(services: Services, name: ServerName, options: argparse.Namespace) -> str:
    if options.identity is None:
        return process_environment().get("CASEWRIGHT_TOKEN", "")
    if services.settings.identity.issuer is not None:
        raise InputError(
            f"--as {options.identity!r} is for local identities, and CASEWRIGHT_IDENTITY=oidc; put a token for this "
            "server into CASEWRIGHT_TOKEN"
        )
    from secrets import token_hex

    principal = services.identities.find(options.identity)
    actor = Actor(kind="user", run_id=f"session-{token_hex(8)}", case_id=options.case)
    return services.exchange.personal(principal, actor, name, seconds=SESSION_SECONDS).token


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not from 0 to 65535; 0 picks one")
    return number


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="casewright mcp", description="Run one MCP server.", epilog=_OTHERS)
    parser.add_argument("name", choices=SERVERS, help="which server")
    parser.add_argument("--http", action="store_true", help="Streamable HTTP instead of stdio")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=_port, default=8750, help="port to listen on (default %(default)s)")
    parser.add_argument("--case", default="", help="with --as: the one case that may be read")
    parser.add_argument("--as", dest="identity", default=None, help="a local identity (development only)")
    parser.add_argument("--no-worker", dest="worker", action="store_false", help="review: drive no reviews here")
    parser.add_argument("--home", default=None, help="the data folder (default CASEWRIGHT_HOME)")
    return parser.parse_args(arguments)
