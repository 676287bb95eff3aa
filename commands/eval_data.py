"""`casewright eval list`, `lock` and `accept`: which suites there are, the lock on their data, the accepted figures."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from casewright.errors import InputError
from commands.eval_run import shared_folder
from commands.shell import Shell
from commands.tables import listing

if TYPE_CHECKING:
    from evals.suite import Materials


def add(app: typer.Typer) -> None:
    """Put the commands into the group."""
    app.command("list")(list_suites)
    app.command("lock")(lock)
    app.command("accept")(accept)


def list_suites(ctx: typer.Context) -> None:
    """List the suites with their cases and data; tries none."""
    from evals.lock import problems, read_lock
    from evals.registry import suites_of

    shell: Shell = ctx.obj
    known = read_lock()
    found = [
        {
            "name": suite.name,
            "title": suite.title,
            "cases": known.suites[suite.name].cases if suite.name in known.suites else None,
            "fast_cases": suite.fast_cases,
            "control": suite.has_control,
            "files": {name: known.files[name].version if name in known.files else 0 for name in suite.files},
            "problems": list(problems(known, suite)),
        }
        for suite in suites_of(())
    ]
    shell.show({"suites": found}, _list_view)


def lock(
    ctx: typer.Context,
    check: bool = typer.Option(False, "--check", help="Write nothing; 1 if the data differ from their lock."),
) -> None:
    """Lock the data sets as they are; a changed file gets the next version."""
    from evals.lock import LOCK, lock_text, read_lock, renewed
    from evals.registry import suites_of

    shell: Shell = ctx.obj
    known = read_lock()
    with tempfile.TemporaryDirectory() as folder:
        new = renewed(known, suites_of(()), _materials(Path(folder)))
    changed = sorted(name for name in {*known.files, *new.files} if known.files.get(name) != new.files.get(name))
    counted = sorted(name for name in {*known.suites, *new.suites} if known.suites.get(name) != new.suites.get(name))
    if not check:
        _write(LOCK, lock_text(new))
    shell.show({"changed": changed, "suites": counted, "files": len(new.files)}, _lock_view)
    raise typer.Exit(1 if check and (changed or counted) else 0)


def accept(
    ctx: typer.Context,
    evaluation: Path = typer.Argument(help="Folder or report of an evaluation."),
) -> None:
    """Accept the figures of an evaluation: later ones of the same selection are compared with them."""
    from evals.baseline import BASELINE, accepted, baseline_text, read_baseline
    from evals.report.record import read_report

    shell: Shell = ctx.obj
    report = read_report(evaluation)
    errored = [one.name for one in report.suites if one.status == "ran" and one.errored]
    if errored:
        raise InputError(f"nothing is accepted: {', '.join(errored)} have cases that are errored; run them again")
    known = read_baseline(BASELINE)
    _write(BASELINE, baseline_text(accepted(known, report)))
    ran = [one.name for one in report.suites if one.status == "ran"]
    left = sorted(name for name in known.selections if name != report.selection)
    shown = {"eval_id": report.eval_id, "selection": report.selection, "suites": ran, "left": left}
    shell.show(shown, _accept_view)


def _materials(work: Path) -> "Materials":
    from evals.suite import Materials

    return Materials(installation=work, work=work, shared=shared_folder())


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}; do this in a checkout") from error


def _list_view(shown: dict[str, Any]) -> RenderableType:
    rows: list[tuple[RenderableType, ...]] = [
        (
            one["name"],
            one["title"],
            "not locked" if one["cases"] is None else str(one["cases"]),
            str(one["fast_cases"] or "all"),
            "yes" if one["control"] else "",
            Text("\n".join(one["problems"] or [f"{name} v{number}" for name, number in one["files"].items()])),
        )
        for one in shown["suites"]
    ]
    columns = ("suite", "shows", "cases", "fast", "control", "data")
    return listing("Suites", columns, rows, ids=[one["name"] for one in shown["suites"]])


def _lock_view(shown: dict[str, Any]) -> str:
    changed = [*shown["changed"], *(f"the cases of {name}" for name in shown["suites"])]
    return f"{', '.join(changed) if changed else 'nothing'} changed; {shown['files']} files are locked"


def _accept_view(shown: dict[str, Any]) -> str:
    suites = ", ".join(shown["suites"]) or "nothing"
    took = f"accepted the {shown['selection']} selection of {shown['eval_id']}: {suites}"
    return took + "".join(f"; the {name} one stays as it was" for name in shown["left"])
