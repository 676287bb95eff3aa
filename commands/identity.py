"""`casewright identity`: check the configured issuer, forget a person, and an issuer for development."""

import json
from typing import Any

import typer

from casewright.errors import InputError
from casewright.identity.settings import is_loopback
from casewright.services import Services
from commands.shell import Shell

BANNER = "DEVELOPMENT ISSUER, NOT FOR PRODUCTION: anybody on this machine can be anybody here"


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Who vouches for people: check the issuer, forget a person, an issuer for development.")
    app.command("check")(check)
    app.command("forget")(forget)
    app.command("dev-issuer")(dev_issuer)
    return app


def check(ctx: typer.Context) -> None:
    """Say who vouches for people here; with an issuer, fetch its keys."""
    shell: Shell = ctx.obj
    detail = shell.run(identity_line(shell.services))
    shell.show({"mode": shell.settings.identity.mode, "detail": detail}, lambda shown: str(shown["detail"]))


async def identity_line(services: Services) -> str:
    """One line on identity; also for `casewright doctor`.

    Raises:
        CasewrightError: the issuer cannot be used.
    """
    issuer = services.settings.identity.issuer
    if issuer is None:
        return "local identities: for development and a single machine; CASEWRIGHT_IDENTITY=oidc asks an issuer"
    keys = await services.people.keys.check()
    return f"{issuer.issuer}: {keys} key(s), {', '.join(issuer.algorithms)}, claims by {issuer.claims}"


def forget(ctx: typer.Context, identity: str = typer.Argument(help="The person's id.")) -> None:
    """Stop believing what a person's last token said: their runs end at the next step."""
    from casewright.identity.standing import KeptStandings

    shell: Shell = ctx.obj
    standings = shell.services.standings
    if not isinstance(standings, KeptStandings):
        raise InputError("with local identities nothing is kept; take the person out of identities.json")
    standings.forget(identity)
    shell.show({"forgotten": identity}, lambda shown: f"forgot {shown['forgotten']}")


def dev_issuer(
    ctx: typer.Context,
    host: str = typer.Option("127.0.0.1", help="Address to listen on; loopback only."),
    port: int = typer.Option(8760, help="Port to listen on."),
) -> None:
    """Run an issuer for development: anybody on this machine may be any local identity. Never for production."""
    import uvicorn

    from casewright.identity.dev_issuer import CLAIMS, NAME, DevelopmentIssuer
    from casewright.identity.local import load_identities
    from commands.dev_issuer import build_app

    shell: Shell = ctx.obj
    if not is_loopback(host):
        raise InputError(f"--host {host!r} is not loopback; the development issuer is for this machine only")
    issuer = DevelopmentIssuer(
        f"http://{host}:{port}/{NAME}", load_identities(shell.settings.identities), shell.services.clock
    )
    claims = shell.settings.home / "development-claims.json"
    claims.write_text(json.dumps(CLAIMS, indent=2) + "\n", encoding="utf-8")
    settings: dict[str, Any] = {
        "CASEWRIGHT_IDENTITY": "oidc",
        "CASEWRIGHT_OIDC_ISSUER": issuer.issuer,
        "CASEWRIGHT_OIDC_CLAIMS": str(claims),
    }
    shell.note(BANNER)
    shell.show(settings, lambda shown: "\n".join(f"export {name}={value}" for name, value in shown.items()))
    uvicorn.run(build_app(issuer), host=host, port=port, log_level="warning", timeout_graceful_shutdown=2)
