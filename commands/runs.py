"""`casewright runs`: list and show; what people ask of runs is in `commands.steering`."""

from typing import Any

import typer
from rich.console import RenderableType
from rich.table import Table

from casewright.clock import iso
from casewright.errors import InputError
from commands import run_events, steering
from commands.ask import QUESTION, answer_view
from commands.explanation import explain
from commands.orchestrator import build_records
from commands.permission import TERMINAL
from commands.review import report_document, report_document_view
from commands.run_access import readable_row
from commands.runs_replay import replay
from commands.shell import Shell, View
from commands.tables import listing, minute, stacked
from graphs.records import RunRow
from servers.readable import READ, is_permitted_on_run


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="See, steer and explain runs.", no_args_is_help=True)
    app.command("list")(list_runs)
    app.command("show")(show)
    steering.add(app)
    run_events.add(app)
    app.command("explain")(explain)
    app.command("replay")(replay)
    return app


def list_runs(ctx: typer.Context) -> None:
    """List the runs you may read, newest first."""
    shell: Shell = ctx.obj
    document = shell.run(_list(shell))
    shell.show(document, _list_view)


async def _list(shell: Shell) -> dict[str, Any]:
    principal = shell.principal("review")
    rows = await build_records(shell.services).list(principal.tenant)
    readable = [row for row in rows if await _readable(shell, row)]
    return {"runs": [_row(row) for row in readable]}


def show(ctx: typer.Context, run_id: str = typer.Argument(help="Run id.")) -> None:
    """Show the report of a run."""
    shell: Shell = ctx.obj
    document, view = shell.run(_show(shell, run_id))
    shell.show(document, view)


async def _show(shell: Shell, run_id: str) -> tuple[dict[str, Any], View]:
    row = await readable_row(shell, run_id)
    if row.kind == QUESTION:
        records = build_records(shell.services)
        answered = await records.events(run_id, kind="answered")
        if not answered:
            why = (await records.events(run_id, kind="status"))[-1].body["because"]
            told = f"{row.status}: {why}" if why else row.status
            raise InputError(f"question {run_id!r} was not answered ({told}); ask it again")
        return answered[-1].body, answer_view
    if row.report is None:
        raise InputError(f"run {run_id!r} is {row.status} and has no report yet; `casewright runs resume` takes it up")
    return report_document(row.report), report_document_view


async def _readable(shell: Shell, row: RunRow) -> bool:
    return await is_permitted_on_run(shell.services, shell.acting("review"), row, READ, session=TERMINAL)


def _row(row: RunRow) -> dict[str, Any]:
    return {
        "run_id": row.run_id,
        "kind": row.kind,
        "case_id": row.case_id,
        "subject": row.subject,
        "status": row.status,
        "created": iso(row.created_ns),
        "updated": iso(row.updated_ns),
    }


def _list_view(document: dict[str, Any]) -> Table:
    rows: list[tuple[RenderableType, ...]] = [
        (
            row["run_id"],
            row["case_id"] or row["kind"],
            stacked(row["status"], f"for {row['subject']}"),
            minute(row["updated"]),
        )
        for row in document["runs"]
    ]
    return listing("Runs", ("run", "case", "status", "updated"), rows, ids=[row["run_id"] for row in document["runs"]])
