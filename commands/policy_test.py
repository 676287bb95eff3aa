"""`casewright policy test`: the policies' own tests, with coverage, once or on every change."""

import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.errors import InputError, PolicyError
from commands.option_groups import taking
from commands.policy_folder import FOLDER, policy_folder
from commands.shell import Shell
from commands.tables import new_table

if TYPE_CHECKING:
    from casewright.access.testing import Engines, TestReport

_DEBOUNCE_MILLISECONDS = 200
"""Changes that follow each other within this time are one change: editors write in several steps."""

_LOOK_UP_MILLISECONDS = 500


@dataclass(frozen=True, kw_only=True)
class TestOptions:
    """What was asked for."""

    __test__ = False  # for pytest, which takes the name for its own

    policies: Path | None = FOLDER
    name: str = typer.Option("", help="Only tests whose package.name contains this, or matches it when it has a '*'.")
    engine: str = typer.Option("embedded", help="embedded, opa or both; both compares verdict by verdict.")
    junit: Path | None = typer.Option(None, help="Write the outcome as JUnit XML into this file.")
    coverage: float = typer.Option(0.0, min=0, max=100, help="Fail when less than this percent of lines are tested.")
    watch: bool = typer.Option(False, "--watch", help="Test again on every change of the folder, until Ctrl-C.")


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What was asked for, checked."""

    folder: Path
    name: str
    engines: "Engines"
    junit: Path | None
    minimum: float


@taking(TestOptions)
def test(ctx: typer.Context, options: TestOptions) -> None:
    """Run the policies' own tests, with line coverage and what they print."""
    shell: Shell = ctx.obj
    engine = options.engine
    if engine not in ("embedded", "opa", "both"):
        raise InputError(f"{engine!r} is no engine; write --engine embedded, opa or both")
    if options.coverage and engine == "opa":
        raise InputError("--coverage is measured on the embedded engine; use --engine both or embedded with it")
    plan = _Plan(
        folder=policy_folder(shell, options.policies),
        name=options.name,
        engines=engine,
        junit=options.junit,
        minimum=options.coverage,
    )
    if options.watch:
        if shell.options.as_json:
            raise InputError("--watch shows one result after another and has no single document; leave out --json")
        _watch(shell, plan)
    raise typer.Exit(0 if _once(shell, plan) else 1)


def _once(shell: Shell, plan: _Plan) -> bool:
    """Run, show, write; True when nothing failed and enough is covered."""
    from casewright.access.junit import junit_xml
    from casewright.access.testing import run_tests

    with shell.busy("testing the policies"):
        report = run_tests(plan.folder, name_contains=plan.name, engines=plan.engines)
    if plan.junit is not None:
        _write(plan.junit, junit_xml(report))
    covered = plan.engines == "opa" or report.total_coverage >= plan.minimum
    shell.show(_document(report, plan, covered), _view)
    return covered and not report.failed and report.passed > 0


def _watch(shell: Shell, plan: _Plan) -> None:
    """Until Ctrl-C; a folder that does not parse is said and waited out."""
    from watchfiles import watch

    def matters(_change: object, path: str) -> bool:
        return path.endswith((".rego", "data.json"))

    # The first, empty answer says that watching has begun: no change during the first run is lost.
    begun = False
    with contextlib.suppress(KeyboardInterrupt):
        for found in watch(
            plan.folder,
            watch_filter=matters,
            debounce=_DEBOUNCE_MILLISECONDS,
            rust_timeout=_LOOK_UP_MILLISECONDS,
            yield_on_timeout=True,
        ):
            if found:
                shell.note(f"changed: {', '.join(sorted({Path(path).name for _, path in found}))}")
            if found or not begun:
                begun = True
                _tell(shell, plan)
    raise typer.Exit(0)


def _tell(shell: Shell, plan: _Plan) -> None:
    try:
        _once(shell, plan)
    except PolicyError as error:
        shell.note(f"not tested: {error}")
    shell.note("waiting for a change; stop with Ctrl-C")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{str(file)!r} cannot be written: {error.strerror}; name another file with --junit"
        ) from error


def _document(report: "TestReport", plan: _Plan, covered: bool) -> dict[str, Any]:
    return {
        "passed": report.passed,
        "failed": [asdict(failure) for failure in report.failed],
        "coverage": dict(report.coverage),
        "uncovered": {path: list(lines) for path, lines in report.uncovered.items()},
        "total_coverage": report.total_coverage,
        "minimum_coverage": plan.minimum,
        "enough_coverage": covered,
        "engines": {name: dict(counts) for name, counts in report.engines.items()},
    }


def _view(document: dict[str, Any]) -> RenderableType:
    rows: list[RenderableType] = [_coverage(document)] if document["coverage"] else []
    for item in document["failed"]:
        rows.append(Text(f"failed: {item['path']}:{item['line']} {item['name']}: {item['message']}", style="red"))
        rows += [Text(f"    printed {line}", style="dim") for line in item["printed"]]
    if not document["enough_coverage"]:
        text = f"{document['total_coverage']:.1f} % of lines are tested, {document['minimum_coverage']:g} % are wanted"
        rows.append(Text(text, style="red"))
    for name, counts in document["engines"].items():
        rows.append(Text(f"{name}: {counts['passed']} passed, {counts['failed']} failed"))
    rows.append(Text(f"{document['passed']} passed, {len(document['failed'])} failed", style="bold"))
    return Group(*rows)


def _coverage(document: dict[str, Any]) -> RenderableType:
    table = new_table("Coverage", "file", "lines", "not tested")
    table.columns[1].justify = "right"
    for path, percent in document["coverage"].items():
        missed = ", ".join(_ranges(document["uncovered"].get(path, [])))
        table.add_row(path, Text(f"{percent:.1f} %", style="green" if percent == 100 else "red"), missed)
    return table


def _ranges(lines: list[int]) -> list[str]:
    """`[1, 2, 3, 7]` as `1-3`, `7`."""
    found: list[tuple[int, int]] = []
    for line in lines:
        if found and line == found[-1][1] + 1:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]
