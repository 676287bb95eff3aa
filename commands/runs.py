"""`casewright runs`: list, show, resume, cancel and explain."""

from typing import Any

import typer
from rich.console import RenderableType
from rich.table import Table

from casewright.clock import iso
from casewright.contracts.run import RunReport
from casewright.errors import DeniedError, InputError
from commands.ask import QUESTION, answer_view
from commands.explanation import explain
from commands.orchestrator import build_gateway, build_records, build_runner
from commands.permission import permit
from commands.review import EXIT_CODES, report_document, report_document_view, show_report
from commands.shell import Shell, View
from commands.tables import listing, minute, stacked
from graphs.records import RunRow
from servers.permission import Deed
from servers.resources import load_case


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="See, wake and explain runs.", no_args_is_help=True)
    for name, command in (
        ("list", list_runs),
        ("show", show),
        ("resume", resume),
        ("cancel", cancel),
        ("explain", explain),
    ):
        app.command(name)(command)
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
    row = await _row_of(shell, run_id)
    if row.kind == QUESTION:
        answered = await build_records(shell.services).events(run_id, kind="answered")
        if not answered:
            raise InputError(f"question {run_id!r} was not answered ({row.status}); ask it again")
        return answered[-1].body, answer_view
    if row.report is None:
        raise InputError(f"run {run_id!r} is {row.status} and has no report yet; `casewright runs resume` takes it up")
    return report_document(row.report), report_document_view


def resume(ctx: typer.Context, run_id: str = typer.Argument(help="Run id.")) -> None:
    """Wake a run: after a decision, after new information, or after a crash."""
    shell: Shell = ctx.obj
    report = shell.run(_resume(shell, run_id))
    show_report(shell, report)
    raise typer.Exit(EXIT_CODES[report.status])


async def _resume(shell: Shell, run_id: str) -> RunReport:
    row = await _row_of(shell, run_id)
    await _permit_steering(shell, row)
    async with build_gateway(shell.services) as gateway:
        await shell.services.outbox.recover()
        return await build_runner(shell.services, gateway).resume(row.tenant, run_id)


def cancel(ctx: typer.Context, run_id: str = typer.Argument(help="Run id.")) -> None:
    """End a run that waits or was interrupted; what it did stays on record."""
    shell: Shell = ctx.obj
    report = shell.run(_cancel(shell, run_id))
    show_report(shell, report)


async def _cancel(shell: Shell, run_id: str) -> RunReport:
    row = await _row_of(shell, run_id)
    await _permit_steering(shell, row)
    async with build_gateway(shell.services) as gateway:
        by = shell.principal("review").id
        return await build_runner(shell.services, gateway).cancel(row.tenant, run_id, by=by)


async def _row_of(shell: Shell, run_id: str) -> RunRow:
    row = await build_records(shell.services).get(shell.principal("review").tenant, run_id)
    await _check_readable(shell, row)
    return row


async def _check_readable(shell: Shell, row: RunRow) -> None:
    principal = shell.acting("review")
    if not row.case_id:  # a question is its asker's, and the auditor's
        if principal.id != row.subject and "auditor" not in principal.roles:
            raise DeniedError(f"run {row.run_id!r} is another person's question", code="not_own_question")
        return
    case = await load_case(shell.services, row.tenant, row.case_id)
    await permit(shell.services, principal, Deed(name="read_run", verb="read", resource=case, case_id=row.case_id))


async def _readable(shell: Shell, row: RunRow) -> bool:
    try:
        await _check_readable(shell, row)
    except DeniedError:
        return False
    return True


async def _permit_steering(shell: Shell, row: RunRow) -> None:
    if row.kind == QUESTION:
        raise InputError(f"run {row.run_id!r} is a question and has ended; ask again with `casewright ask`")
    principal = shell.acting("review")
    case = await load_case(shell.services, row.tenant, row.case_id)
    deed = Deed(name="start_review", verb="write", risk="medium", resource=case, case_id=row.case_id)
    await permit(shell.services, principal, deed)


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
