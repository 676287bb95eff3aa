"""`casewright mcp NAME`: one server, over stdio or Streamable HTTP.

Over stdio the token comes from CASEWRIGHT_TOKEN, or from a local identity that is named with
`--as` (and `--case`); without either every request is refused. Over HTTP each request brings its
own. This module imports no command-line library: a client waits for the first answer.
"""

import argparse
import sys

from casewright.config import Settings, app_root, process_environment
from casewright.contracts.principal import SERVERS, Actor, ServerName
from casewright.errors import CasewrightError, InputError
from casewright.services import Services

SESSION_SECONDS = 8 * 3600


def run(arguments: list[str]) -> int:
    """Serve until the client goes away; the process's exit code."""
    try:
        options = _parse(arguments[1:])
        settings = Settings.load(home=options.home, environment=process_environment(), app_root=app_root())
        services = Services(settings)
        name: ServerName = options.name
        if options.http:
            from commands.serving import serve_http

            serve_http(services, (name,), host=options.host, port=options.port)
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


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="casewright mcp", description="Run one MCP server.")
    parser.add_argument("name", choices=SERVERS, help="which server")
    parser.add_argument("--http", action="store_true", help="Streamable HTTP instead of stdio")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8750, help="port to listen on (default %(default)s)")
    parser.add_argument("--case", default="", help="with --as: the one case that may be read")
    parser.add_argument("--as", dest="identity", default=None, help="a local identity (development only)")
    parser.add_argument("--home", default=None, help="the data folder (default CASEWRIGHT_HOME)")
    return parser.parse_args(arguments)
