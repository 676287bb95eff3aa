"""`casewright policy mutate`: are the policies' tests good enough to notice a wrong rule?"""

from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from commands.policy_folder import FOLDER, policy_folder
from commands.shell import Shell
from commands.tables import new_table

GOAL_PERCENT = 95.0


def register(app: typer.Typer) -> None:
    """Add the command to `casewright policy`."""
    app.command("mutate")(mutate_policies)


def mutate_policies(
    ctx: typer.Context,
    policies: Path | None = FOLDER,
    package: str = typer.Option("", help="Only this package, for example casewright.access."),
    sample: int = typer.Option(0, min=0, help="Only so many mutants, always the same ones; 0: all."),
    goal: float = typer.Option(GOAL_PERCENT, min=0, max=100, help="Fail when less than this percent are noticed."),
) -> None:
    """Make one small mistake at a time in the rules and see whether the Rego tests notice it."""
    from casewright.access.mutation import mutate

    shell: Shell = ctx.obj
    with shell.busy("making mistakes in the policies"):
        report = mutate(policy_folder(shell, policies), package=package, sample=sample)
    document: dict[str, Any] = {
        "ok": report.percent >= goal and not report.stale,
        "percent": report.percent,
        "goal": goal,
        "tried": report.total,
        "killed": report.killed,
        "equivalent": report.equivalent,
        "unusable": report.unusable,
        "seconds": report.seconds,
        "packages": {name: {"noticed": noticed, "tried": tried} for name, (noticed, tried) in report.packages.items()},
        "survivors": [
            {
                "path": mutant.path,
                "line": mutant.line,
                "rule": mutant.rule,
                "operator": mutant.operator,
                "before": mutant.before,
                "after": mutant.after,
            }
            for mutant in report.survivors
        ],
        "stale": list(report.stale),
    }
    shell.show(document, _view)
    raise typer.Exit(0 if document["ok"] else 1)


def _view(document: dict[str, Any]) -> RenderableType:
    table = new_table("Mutants that no test notices", "where", "change")
    for mutant in document["survivors"]:
        change = f"{mutant['operator']}: {mutant['before']}"
        table.add_row(
            f"{mutant['path']}:{mutant['line']}", f"{change} -> {mutant['after']}" if mutant["after"] else change
        )
    stale = [Text(f"no survivor any more, take it off the list: {entry}", style="red") for entry in document["stale"]]
    said = (
        f"{document['killed']} of {document['tried'] - document['equivalent']} mutants noticed "
        f"({document['percent']:.1f} %, goal {document['goal']:.0f} %), {document['equivalent']} equivalent, "
        f"{document['unusable']} unusable, {document['seconds']:.0f} s"
    )
    shown = [table] if document["survivors"] else []
    return Group(*shown, *stale, Text(said, style="green" if document["ok"] else "red"))
