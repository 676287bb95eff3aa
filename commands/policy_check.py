"""`casewright policy check`: would a server take this folder, and what do OPA and Regal say of it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from commands.policy_folder import FOLDER, policy_folder
from commands.shell import Shell
from commands.tables import new_table


def check(ctx: typer.Context, policies: Path | None = FOLDER) -> None:
    """Load the policies as a server would, then ask OPA and Regal where they are installed."""
    from casewright.access.checking import check as check_folder

    shell: Shell = ctx.obj
    with shell.busy("checking the policies"):
        report = check_folder(policy_folder(shell, policies))
    document: dict[str, Any] = {
        "ok": report.ok,
        "passed": int(report.ok),
        "failed": len(report.problems),
        "problems": [asdict(problem) for problem in report.problems],
        "revision": report.revision,
        "engines": [asdict(engine) for engine in report.engines],
    }
    shell.show(document, _view)
    raise typer.Exit(0 if report.ok else 1)


def _view(document: dict[str, Any]) -> RenderableType:
    rows: list[RenderableType] = [_engine(engine) for engine in document["engines"]]
    if document["ok"]:
        return Group(*rows, Text(f"ok: revision {document['revision']}", style="green"))
    table = new_table("Problems", "where", "problem")
    for problem in document["problems"]:
        table.add_row(f"{problem['path']}:{problem['line']}", problem["message"])
    return Group(*rows, table)


def _engine(engine: dict[str, Any]) -> Text:
    name = f"{engine['engine']} {engine['version']}".rstrip()
    if not engine["ran"]:
        return Text(f"not run: {name}: {engine['why_not']}", style="yellow")
    count = len(engine["problems"])
    said = f"{count} problem{'' if count == 1 else 's'}" if count else "nothing to object"
    return Text(f"{name}: {said}", style="red" if count else "")
