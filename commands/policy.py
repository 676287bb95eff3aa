"""`casewright policy`: check the Rego files, run their tests, explain one decision."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.access.authoring import check as check_folder
from casewright.access.authoring import explain, run_tests
from casewright.contracts.decision import Allowed
from casewright.errors import InputError
from commands.shell import Shell
from commands.tables import new_table


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Check and test the access policies.", no_args_is_help=True)
    app.command("check")(check)
    app.command("test")(test)
    app.command("explain")(explain_decision)
    return app


FOLDER = typer.Option(None, "--policies", help="The Rego folder; the one in force when absent.")


def check(ctx: typer.Context, policies: Path | None = FOLDER) -> None:
    """Load the policies as a server would: syntax, allowed builtins, total decisions, recursion."""
    shell: Shell = ctx.obj
    report = check_folder(_folder(shell, policies))
    document: dict[str, Any] = {
        "ok": report.ok,
        "passed": int(report.ok),
        "failed": len(report.problems),
        "problems": [asdict(problem) for problem in report.problems],
        "revision": report.revision,
    }
    shell.show(document, _check_view)
    raise typer.Exit(0 if report.ok else 1)


def test(
    ctx: typer.Context,
    policies: Path | None = FOLDER,
    name: str = typer.Option("", help="Only tests whose name contains this."),
) -> None:
    """Run the policies' own tests on the embedded engine, with line coverage."""
    shell: Shell = ctx.obj
    with shell.busy("testing the policies"):
        report = run_tests(_folder(shell, policies), name_contains=name)
    document: dict[str, Any] = {
        "passed": report.passed,
        "failed": [asdict(failure) for failure in report.failed],
        "coverage": dict(report.coverage),
        "uncovered": {path: list(lines) for path, lines in report.uncovered.items()},
    }
    shell.show(document, _test_view)
    raise typer.Exit(1 if report.failed or not report.passed else 0)


def explain_decision(
    ctx: typer.Context, file: Path = typer.Argument(help="A decision input (input/v1) as JSON.")
) -> None:
    """Explain one decision rule by rule."""
    shell: Shell = ctx.obj
    document = _explain(shell, file)
    shell.show(document, _explain_view)


def _explain(shell: Shell, file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{str(file)!r} cannot be read as JSON: {error}; write one input/v1 document into it"
        ) from error
    if not isinstance(value, dict):
        raise InputError(f"{str(file)!r} holds no object; write one input/v1 document into it")
    found = explain(shell.services.engine, value)  # pyright: ignore[reportUnknownArgumentType]
    allowed = isinstance(found.verdict, Allowed)
    return {
        "allow": allowed,
        "effect": found.verdict.decision.effect if isinstance(found.verdict, Allowed) else "deny",
        "allowing": [reason.model_dump(mode="json") for reason in found.allowing],
        "denying": [reason.model_dump(mode="json") for reason in found.denying],
        "problems": list(found.problems),
        "revision": shell.services.engine.revision,
    }


def _folder(shell: Shell, given: Path | None) -> Path:
    if given is not None and not given.is_dir():
        raise InputError(f"{str(given)!r} is not a folder; name one that holds .rego files with --policies")
    return given or shell.settings.policies


def _check_view(document: dict[str, Any]) -> RenderableType:
    if document["ok"]:
        return Text(f"ok: revision {document['revision']}", style="green")
    table = new_table("Problems", "where", "problem")
    for problem in document["problems"]:
        table.add_row(f"{problem['path']}:{problem['line']}", problem["message"])
    return table


def _test_view(document: dict[str, Any]) -> RenderableType:
    table = new_table("Coverage", "file", "lines")
    table.columns[1].justify = "right"
    for path, percent in document["coverage"].items():
        table.add_row(path, Text(f"{percent:.1f} %", style="green" if percent == 100 else "red"))
    failures = [
        Text(f"failed: {item['path']}:{item['line']} {item['name']}: {item['message']}", style="red")
        for item in document["failed"]
    ]
    return Group(table, *failures, Text(f"{document['passed']} passed, {len(document['failed'])} failed"))


def _explain_view(document: dict[str, Any]) -> RenderableType:
    lines = [Text(f"{document['effect']} under revision {document['revision'][:12]}", style="bold")]
    lines += [Text(f"  allows: {item['code']}: {item['message']}", style="green") for item in document["allowing"]]
    lines += [Text(f"  denies: {item['code']}: {item['message']}", style="red") for item in document["denying"]]
    lines += [Text(f"  malformed: {problem}", style="red") for problem in document["problems"]]
    return Group(*lines)
