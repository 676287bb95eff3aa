"""`casewright token`: a token for one server, or for the API, for clients on this machine.

With local identities it is made for the one named; with an issuer, the person's own token is
exchanged for one of minutes, and is itself what the API takes.
"""

from typing import Any, Literal

import typer

from casewright.clock import NANOSECONDS, iso
from casewright.contracts.principal import SERVERS, Actor, ServerName
from casewright.errors import InputError
from casewright.identity.exchange import Exchanged
from commands.corpus import new_run
from commands.shell import Shell

API: Literal["orchestrator"] = "orchestrator"
ONLY = f"Only this one of {', '.join(SERVERS)}; may be repeated."
"""What an option says that `chosen_servers` reads."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("token")(token)


def token(
    ctx: typer.Context,
    server: str = typer.Argument(help=f"One of {', '.join(SERVERS)}, or {API} for the API."),
    case: str = typer.Option("", help="The one case the token may read."),
    minutes: int = typer.Option(60, min=1, max=480, help="How long it lives, with local identities."),
) -> None:
    """Print a token for one server. Whoever holds it acts as you there until it expires."""
    shell: Shell = ctx.obj
    if server == API:
        _show(shell, _for_the_api(shell, case, minutes))
        return
    name = server_name(server)
    if shell.settings.identity.issuer is None:
        actor = Actor(kind="user", run_id=new_run("session"), case_id=case)
        made = shell.services.exchange.personal(shell.principal("review"), actor, name, seconds=minutes * 60)
    else:
        made = shell.run(_exchanged(shell, name, case))
    _show(shell, made)


def _show(shell: Shell, made: Exchanged) -> None:
    expires = iso(shell.services.clock.now_ns() + made.seconds * NANOSECONDS)
    document: dict[str, Any] = {
        "token": made.token,
        "server": made.server,
        "identity": made.principal.id,
        "case_id": made.case_id,
        "expires": expires,
    }
    shell.show(document, lambda shown: str(shown["token"]))


def _for_the_api(shell: Shell, case: str, minutes: int) -> Exchanged:
    if shell.settings.identity.issuer is not None:
        raise InputError("CASEWRIGHT_IDENTITY=oidc: the API takes your own token of the issuer; present that one")
    if case:
        raise InputError(f"--case {case!r}: a token for {API!r} names no case; each request says which it is about")
    principal = shell.principal("review")
    return shell.services.exchange.orchestrator(principal, new_run("session"), seconds=minutes * 60)


async def _exchanged(shell: Shell, name: ServerName, case: str) -> Exchanged:
    from commands.exchange_endpoint import record_exchange
    from commands.serving import refuse_local_identity
    from commands.signing_in import own_token

    refuse_local_identity(shell.settings, shell.options.identity)
    made = await shell.services.person_exchange.exchange(own_token(), name, case_id=case)
    await record_exchange(shell.services, made)
    return made


def server_name(text: str) -> ServerName:
    """A server by name.

    Raises:
        InputError: there is none of that name.
    """
    for name in SERVERS:
        if name == text:
            return name
    raise InputError(f"there is no server {text!r}; choose one of {', '.join(SERVERS)}")


def chosen_servers(names: list[str] | None) -> tuple[ServerName, ...]:
    """The servers of an option that may be repeated, each once; all of them when none is named.

    Raises:
        InputError: there is none of one of these names.
    """
    return tuple(dict.fromkeys(server_name(name) for name in names)) if names else SERVERS
