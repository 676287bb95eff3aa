"""`casewright eval run`: suites on the real parts of this checkout, in processes of their own, and the gates over them.

Needs no data folder; it makes one of the sample organisation. Exit code 0: no case is errored and, with `--gate`,
every rule holds; 1: a case is errored, or a rule does not hold.
"""

import asyncio
import datetime as dt
import os
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from casewright.config import app_root, process_environment
from casewright.errors import InputError
from commands.option_groups import taking
from commands.shell import Shell
from commands.tables import listing

if TYPE_CHECKING:
    from casewright.contracts.evaluation import CaseResult, EvalReport, GateVerdict, SuiteResult
    from evals.folder import EvalFolder
    from evals.planning import Planned
    from evals.runner import EvalOrder

_FIGURES = 4
"""Figures of a suite that the table shows besides `passed`."""


def add(app: typer.Typer) -> None:
    """Put the commands into the group."""
    app.command("run")(run)
    app.command("shard", hidden=True)(shard)


@dataclass(frozen=True, kw_only=True)
class EvalOptions:
    """The options of `casewright eval run`."""

    suites: list[str] | None = typer.Argument(None, metavar="[SUITE]...", help="By name; all where none is named.")
    gate: bool = typer.Option(False, "--gate", help="Hold the results against evals/gates.toml; 1 if a rule fails.")
    allow_missing: bool = typer.Option(
        False, "--allow-missing", help="With --gate: leave out what is not on this machine; no release is made of it."
    )
    full: bool = typer.Option(False, "--full", help="Every case, and not the fast selection only.")
    out: Path | None = typer.Option(None, "--out", help="A new folder for results and report.")
    resume: Path | None = typer.Option(None, "--resume", help="The folder of a stopped evaluation, to go on with.")
    installation: Path | None = typer.Option(
        None, "--installation", help="A data folder to try on copies of; without it a fresh one."
    )
    processes: int = typer.Option(os.cpu_count() or 2, "--processes", min=1, max=64, help="At once.")
    option: list[str] = typer.Option([], "-o", "--option", metavar="NAME=VALUE", help="An option of a suite.")
    isolated: bool = typer.Option(False, "--isolated", help="Keep it on this machine, and count what tries to leave.")

    @property
    def asked(self) -> tuple[str, ...]:
        """The suites that were named."""
        return tuple(self.suites or ())

    def folder(self) -> Path | None:
        """The folder that is named for the evaluation; None: one is to be made.

        Raises:
            InputError: it does not fit, or another option does not.
        """
        if self.allow_missing and not self.gate:
            raise InputError("--allow-missing says what the gates may leave out; give it with --gate")
        if self.out is not None and self.resume is not None:
            raise InputError("--out begins an evaluation and --resume goes on with one; give one of them")
        if self.out is not None and self.out.exists() and any(self.out.iterdir()):
            raise InputError(f"{str(self.out)!r} is not empty; name a new folder, or go on with --resume")
        if self.resume is not None and not (self.resume / "plan.json").is_file():
            raise InputError(f"{str(self.resume)!r} holds no evaluation that was begun; name its folder, or use --out")
        return self.resume or self.out


@taking(EvalOptions)
def run(ctx: typer.Context, options: EvalOptions) -> None:
    """Try suites on the real parts: an installation, servers, policies, index and graph of their own; offline."""
    from evals.report.collecting import collected
    from evals.report.writing import write_report

    shell: Shell = ctx.obj
    if options.isolated:
        from commands.eval_isolated import isolate

        isolate(shell.note)
    order = _order(shell, options)
    found = _data_problems(order) if options.gate else {}
    report = asyncio.run(_evaluated(shell, order))
    if options.gate:
        report = report.model_copy(update={"gate": _judged(report, options, found)})
    order.folder.write_report(report)
    write_report(collected(report, order.folder.path), order.folder.path)
    shell.show(document(report, order.folder), view)
    errored = any(one.errored for one in (*report.suites, *report.controls))
    raise typer.Exit(int(errored if report.gate is None else not report.gate.ok))


def shard(ctx: typer.Context) -> None:
    """Try a share of the cases; started by `casewright eval run`, with its order on stdin."""
    import sys

    from evals.shard import ShardOrder, run_order

    run_order(ShardOrder.model_validate_json(sys.stdin.read()))


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise InputError(f"the option {text!r} is not NAME=VALUE")
    return name, value


def _order(shell: Shell, options: EvalOptions) -> "EvalOrder":
    from evals.folder import EvalFolder
    from evals.registry import suites_of
    from evals.runner import EvalOrder

    path = options.folder() or shell.settings.home / "evals" / _new_name()
    return EvalOrder(
        suites=suites_of(options.asked),
        selection="full" if options.full else "fast",
        folder=EvalFolder(path.absolute()),
        installation=options.installation,
        shared=shared_folder(),
        options=dict(_pair(text) for text in options.option),
        processes=options.processes,
    )


def _new_name() -> str:
    return f"eval-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def shared_folder() -> Path | None:
    """The shared corpora: `CASEWRIGHT_SHARED`, else `shared` beside the checkout; None: neither is there."""
    named = process_environment().get("CASEWRIGHT_SHARED")
    folder = Path(named) if named else app_root().parent / "shared"
    return folder.absolute() if folder.is_dir() else None


async def _evaluated(shell: Shell, order: "EvalOrder") -> "EvalReport":
    from evals.runner import evaluate

    shell.note(f"evaluating in {order.folder.path}; stop it with Ctrl-C, go on with --resume {order.folder.path}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shell.messages) as bars:
        return await evaluate(order, shown_on(bars))


def shown_on(bars: Progress) -> Any:
    """A listener that draws a bar for each suite."""
    from evals.runner import Listener

    class Bars(Listener):
        def __init__(self) -> None:
            self._tasks: dict[tuple[str, bool], TaskID] = {}

        def planned(self, plans: "Sequence[Planned]") -> None:
            for plan in plans:
                name = plan.suite if plan.enforced else f"{plan.suite} (control)"
                self._tasks[plan.suite, plan.enforced] = bars.add_task(name, total=len(plan.cases))

        def result(self, plan: "Planned", result: "CaseResult") -> None:
            bars.advance(self._tasks[plan.suite, plan.enforced])

    return Bars()


def _data_problems(order: "EvalOrder") -> dict[str, tuple[str, ...]]:
    """By suite, where its data and cases differ from their lock: as they are before anything is tried."""
    from evals.lock import problems, read_lock
    from evals.suite import Materials

    lock = read_lock()
    with tempfile.TemporaryDirectory() as folder:
        materials = Materials(installation=Path(folder), work=Path(folder), shared=order.shared, options=order.options)
        return {suite.name: problems(lock, suite, materials) for suite in order.suites}


def _judged(report: "EvalReport", options: EvalOptions, found: dict[str, tuple[str, ...]]) -> "GateVerdict":
    from evals.baseline import read_baseline
    from evals.gates import Measure, judged, read_gates
    from evals.lock import read_lock

    return judged(
        report,
        Measure(
            gates=read_gates(),
            lock=read_lock(),
            data_problems=found,
            baseline=read_baseline(),
            asked=options.asked,
            missing_allowed=options.allow_missing,
        ),
    )


def document(report: "EvalReport", folder: "EvalFolder") -> dict[str, Any]:
    """What the command prints; the cases behind it are in the report."""
    gate = None if report.gate is None else report.gate.model_dump(mode="json")
    return {
        "eval_id": report.eval_id,
        "selection": report.selection,
        "suites": [_suite(one) for one in report.suites],
        "controls": [_suite(one) for one in report.controls],
        "gate": gate,
        "versions": report.versions.model_dump(mode="json"),
        "folder": str(folder.path),
        "report": str(folder.path / "report.html"),
        "machine": report.machine,
        "seconds": report.seconds,
    }


def _suite(result: "SuiteResult") -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "status": result.status,
        "because": result.because,
        "planned": result.planned,
        "cases": result.cases,
        "passed": result.passed,
        "failed": result.failed,
        "errored": result.errored,
        "metrics": {name: metric.model_dump(mode="json") for name, metric in result.metrics.items()},
        "failures": list(result.failures[:20]),
        "seconds": result.seconds,
    }


def view(shown: dict[str, Any]) -> RenderableType:
    """Suites as a table, then what the gates say."""
    rows = [
        _row(one, control=control) for control, key in ((False, "suites"), (True, "controls")) for one in shown[key]
    ]
    columns = ("suite", "cases", "passed", "failed", "errored", "figures", "seconds")
    ids = [one["name"] for one in shown["suites"]]
    table = listing(f"{shown['eval_id']} ({shown['selection']} selection)", columns, rows, ids=ids)
    said = f"{shown['seconds']:.0f} s on {shown['machine']}; the report is {shown['report']}"
    return Group(table, *_gate_lines(shown["gate"]), Text(said))


def _row(one: dict[str, Any], *, control: bool) -> tuple[RenderableType, ...]:
    name = f"{one['name']} (control)" if control else one["name"]
    if one["status"] != "ran":
        return (name, "-", "-", "-", "-", Text(one["because"], style="yellow"), "-")
    bad = "bold red" if not control and (one["failed"] or one["errored"]) else ""
    counts = [str(one["cases"]), str(one["passed"]), Text(str(one["failed"]), style=bad), str(one["errored"])]
    figures = [(name, metric) for name, metric in one["metrics"].items() if name != "passed"][:_FIGURES]
    words = "\n".join(f"{name} {metric['value']:.4g}" for name, metric in figures)
    return (name, *counts, words, f"{one['seconds']:.1f}")


def _gate_lines(gate: dict[str, Any] | None) -> list[Text]:
    if gate is None:
        return []
    lines = [Text(f"note: {note}", style="dim") for note in gate["notes"]]
    for finding in gate["failed"]:
        lines.append(Text(f"{finding['suite']}: {finding['rule']}", style="bold red"))
        lines.append(Text(f"  expected {finding['expected']}; happened: {finding['happened']}"))
        for case in finding["cases"]:
            lines += _case_lines(case)
    verdict = f"gate: {gate['checked']} rules hold" if gate["ok"] else f"gate: {len(gate['failed'])} rules do not hold"
    return [*lines, Text(verdict, style="bold green" if gate["ok"] else "bold red")]


def _case_lines(case: dict[str, Any]) -> list[Text]:
    lines = [Text(f"  {case['case_id']}: expected {case['expected']}; happened: {case['happened']}")]
    if case["diagnosis"]:
        lines.append(Text(f"    {case['stage']}: {case['diagnosis']}"))
    if case["trace"]:
        lines.append(Text(f"    open: {case['trace']}", style="dim"))
    return lines
