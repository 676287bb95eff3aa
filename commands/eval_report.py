"""`casewright eval report` and `show`: an evaluation that was made before, for people or in the terminal."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from casewright.errors import InputError
from commands.eval_run import document, view
from commands.shell import Shell

if TYPE_CHECKING:
    from casewright.contracts.evaluation import EvalReport

EVALUATION = typer.Argument(None, help="Folder or report of an evaluation; without it the newest of the data folder.")


def add(app: typer.Typer) -> None:
    """Put the commands into the group."""
    app.command("report")(report)
    app.command("show")(show)


def report(
    ctx: typer.Context,
    evaluation: Path | None = EVALUATION,
    out: Path | None = typer.Option(None, "--out", help="A folder for the two files; without it beside the report."),
) -> None:
    """Write the HTML and Markdown of an evaluation, with its course over the evaluations beside it."""
    from evals.report.collecting import collected
    from evals.report.record import for_elsewhere
    from evals.report.wording import headline
    from evals.report.writing import write_report

    shell: Shell = ctx.obj
    found, folder = _found(shell, evaluation)
    record = collected(found, folder)
    if out is not None:
        record = replace(record, report=for_elsewhere(found, folder))
    page, text = write_report(record, out or folder)
    said = {"eval_id": found.eval_id, "verdict": headline(found), "html": str(page), "markdown": str(text)}
    shell.show(said, lambda shown: f"{shown['verdict']}; see {shown['html']} and {shown['markdown']}")


def show(ctx: typer.Context, evaluation: Path | None = EVALUATION) -> None:
    """Show the suites of an evaluation and what its gates said."""
    from evals.folder import EvalFolder

    shell: Shell = ctx.obj
    found, folder = _found(shell, evaluation)
    shell.show(document(found, EvalFolder(folder)), view)


def _found(shell: Shell, evaluation: Path | None) -> "tuple[EvalReport, Path]":
    """A report and the folder that it stands in."""
    from evals.report.record import read_report

    path = (evaluation or _newest(shell)).absolute()
    return read_report(path), path if path.is_dir() else path.parent


def _newest(shell: Shell) -> Path:
    from evals.report.record import REPORT, read_report

    folder = shell.settings.home / "evals"
    reports: dict[str, Path] = {}
    for path in folder.glob(f"*/{REPORT}"):
        with contextlib.suppress(InputError):  # of another version; it can be named, and then says so
            reports[read_report(path).at] = path.parent
    if not reports:
        raise InputError(f"there is no evaluation in {str(folder)!r}; make one with `casewright eval run`, or name one")
    return reports[max(reports)]
