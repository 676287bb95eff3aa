"""`casewright audit`: verify the chain, export it, and name its head."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.progress import Progress
from rich.text import Text

from casewright.errors import InputError
from commands.permission import permit
from commands.shell import Shell
from servers.permission import Deed

if TYPE_CHECKING:
    from collections.abc import Callable

    from casewright.audit.chain import AuditVerification
    from casewright.audit.signing import Verifier


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Verify and export the audit log.", no_args_is_help=True)
    app.command("verify")(verify)
    app.command("head")(head)
    app.command("export")(export)
    return app


def verify(
    ctx: typer.Context,
    expected: str = typer.Option("", "--head", help="SEQ:HASH of an earlier head; finds a database put back."),
    file: Path | None = typer.Option(None, "--file", help="Check this exported file instead, without the database."),
    public_key: Path | None = typer.Option(
        None, "--public-key", help="With --file: the key to check with, instead of the data folder's."
    ),
) -> None:
    """Recompute the whole chain: any changed byte, gap or cut tail is found."""
    shell: Shell = ctx.obj
    kept = _head(expected)
    if file is not None:
        document = _verify_file(shell, file, public_key, kept)
    elif public_key is not None:
        raise InputError("--public-key is for an exported file; add --file, or leave it out")
    else:
        document = shell.run(_verify(shell, kept))
    shell.show(document, _view)
    raise typer.Exit(0 if document["ok"] else 1)


async def _verify(shell: Shell, expected: tuple[int, str] | None) -> dict[str, Any]:
    audit = shell.services.audit
    seq, _ = await audit.head()
    with _progress(shell, "checking events", seq) as advance:
        found = await audit.verify(expected_head=expected, progress=advance)
    if found.ok:  # a broken chain takes no further event, and anybody may learn that it is broken
        await permit(shell.services, shell.principal("audit"), Deed(name="verify_audit", verb="read"))
    return _document(found)


def _verify_file(shell: Shell, file: Path, key: Path | None, expected: tuple[int, str] | None) -> dict[str, Any]:
    from casewright.audit.export import verify_export
    from casewright.identity.public_key import PublicKey

    verifier: Verifier = shell.services.signing_key if key is None else PublicKey.load(key)
    with shell.busy(f"checking {file}"):
        return _document(verify_export(file, verifier, expected_head=expected))


def head(ctx: typer.Context) -> None:
    """Print the current head; keep it elsewhere and give it to `verify --head` later."""
    shell: Shell = ctx.obj
    seq, digest = shell.run(shell.services.audit.head())
    shell.show({"head": f"{seq}:{digest}", "seq": seq, "hash": digest}, lambda shown: str(shown["head"]))


def export(
    ctx: typer.Context,
    file: Path = typer.Argument(help="Where to write it; an existing file is replaced."),
    public_key: Path | None = typer.Option(None, "--public-key", help="Write the key to check it with here, too."),
) -> None:
    """Write the events of all tenants and the signed head to a file that can be checked offline."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_export(shell, file, public_key)), _export_view)


async def _export(shell: Shell, file: Path, public_key: Path | None) -> dict[str, Any]:
    from casewright.audit.export import export as write
    from casewright.identity.public_key import PublicKey

    services = shell.services
    await permit(services, shell.principal("audit"), Deed(name="export_audit", verb="read", risk="medium"))
    seq, _ = await services.audit.head()
    with _progress(shell, "writing events", seq) as advance:
        last, hash_ = await write(services.database, file, progress=advance)
    if public_key is not None:
        PublicKey(services.signing_key.public_key).save(public_key)
    return {"events": last, "head": f"{last}:{hash_}", "file": str(file)}


@contextmanager
def _progress(shell: Shell, what: str, total: int) -> "Generator[Callable[[int], None]]":
    with Progress(console=shell.messages, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def _document(found: "AuditVerification") -> dict[str, Any]:
    return {
        "ok": found.ok,
        "events": found.events,
        "head": f"{found.head[0]}:{found.head[1]}",
        "first_bad": found.first_bad,
        "problem": found.problem,
    }


def _head(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    seq, _, digest = text.partition(":")
    if not (seq.isascii() and seq.isdigit()) or len(digest) != 64:
        raise InputError(f"{text!r} is not a head; write SEQ:HASH as `casewright audit head` prints it")
    return int(seq), digest


def _view(document: dict[str, Any]) -> Text:
    if document["ok"]:
        return Text(f"ok: {document['events']} events, head\n{document['head']}", style="green")
    return Text(f"NOT ok: event {document['first_bad']}: {document['problem']}", style="bold red")


def _export_view(document: dict[str, Any]) -> Text:
    return Text(f"{document['events']} events in {document['file']}, head\n{document['head']}", style="green")
