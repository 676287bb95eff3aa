"""`casewright audit`: verify the chain."""

from typing import Any

import typer
from rich.text import Text

from casewright.errors import InputError
from commands.permission import Deed, permit
from commands.shell import Shell


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Verify the audit log.", no_args_is_help=True)
    app.command("verify")(verify)
    app.command("head")(head)
    return app


def verify(
    ctx: typer.Context,
    expected: str = typer.Option("", "--head", help="SEQ:HASH of an earlier head; finds a database put back."),
) -> None:
    """Recompute the whole chain: any changed byte, gap or cut tail is found."""
    shell: Shell = ctx.obj
    document = shell.run(_verify(shell, _head(expected)))
    shell.show(document, _view)
    raise typer.Exit(0 if document["ok"] else 1)


async def _verify(shell: Shell, expected: tuple[int, str] | None) -> dict[str, Any]:
    found = await shell.services.audit.verify(expected_head=expected)
    document = {
        "ok": found.ok,
        "events": found.events,
        "head": f"{found.head[0]}:{found.head[1]}",
        "first_bad": found.first_bad,
        "problem": found.problem,
    }
    if found.ok:  # a broken chain takes no further event, and anybody may learn that it is broken
        await permit(shell.services, shell.principal("audit"), Deed(name="verify_audit", verb="read"))
    return document


def head(ctx: typer.Context) -> None:
    """Print the current head; keep it elsewhere and give it to `verify --head` later."""
    shell: Shell = ctx.obj
    seq, digest = shell.run(shell.services.audit.head())
    shell.show({"head": f"{seq}:{digest}"}, lambda shown: str(shown["head"]))


def _head(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    seq, _, digest = text.partition(":")
    if not seq.isdigit() or len(digest) != 64:
        raise InputError(f"{text!r} is not a head; write SEQ:HASH as `casewright audit head` prints it")
    return int(seq), digest


def _view(document: dict[str, Any]) -> Text:
    if document["ok"]:
        return Text(f"ok: {document['events']} events, head\n{document['head']}", style="green")
    return Text(f"NOT ok: event {document['first_bad']}: {document['problem']}", style="bold red")
