"""`casewright token`: a token of a local identity for one server, for MCP clients on this machine."""

import typer

from casewright.clock import NANOSECONDS, iso
from casewright.contracts.principal import SERVERS, Actor, ServerName
from casewright.errors import InputError
from casewright.identity.tokens import Grant
from commands.corpus import new_run
from commands.shell import Shell


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("token")(token)


def token(
    ctx: typer.Context,
    server: str = typer.Argument(help=f"One of {', '.join(SERVERS)}."),
    case: str = typer.Option("", help="The one case the token may read."),
    minutes: int = typer.Option(60, min=1, max=480, help="How long it lives."),
) -> None:
    """Print a token for one server. Whoever holds it acts as you there until it expires."""
    shell: Shell = ctx.obj
    principal = shell.principal("review")
    name = server_name(server)
    actor = Actor(kind="user", run_id=new_run("session"), case_id=case)
    grant = Grant(principal=principal, actor=actor, server=name, scopes=("*",), seconds=minutes * 60)
    value = shell.services.tokens.mint(grant)
    expires = iso(shell.services.clock.now_ns() + minutes * 60 * NANOSECONDS)
    document = {"token": value, "server": name, "identity": principal.id, "case_id": case, "expires": expires}
    shell.show(document, lambda shown: str(shown["token"]))


def server_name(text: str) -> ServerName:
    """A server by name.

    Raises:
        InputError: there is none of that name.
    """
    for name in SERVERS:
        if name == text:
            return name
    raise InputError(f"there is no server {text!r}; choose one of {', '.join(SERVERS)}")
