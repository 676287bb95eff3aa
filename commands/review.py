"""`casewright review`: one case through the graph, until it ends or waits for people."""

from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from casewright.contracts.run import RunReport, RunStatus
from casewright.errors import DeniedError
from commands.cases import evidence_table, no_such_case
from commands.driving import drive
from commands.permission import permit
from commands.run_access import build_requests
from commands.shell import Shell
from commands.tables import money, new_table, stacked
from servers.permission import Deed
from servers.resources import load_case

EXIT_CODES: dict[RunStatus, int] = {
    "completed": 0,
    "waiting_approval": 4,
    "waiting_information": 4,
    "waiting_answer": 4,
    "paused": 4,
    "incomplete": 5,
    "failed": 1,
    "cancelled": 0,
    "queued": 1,
    "running": 1,
}


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("review")(review)


def review(
    ctx: typer.Context,
    case_id: str = typer.Argument(help="Case id."),
    fresh: bool = typer.Option(False, "--new", help="Start anew even if a run of this case is still open."),
) -> None:
    """Review a case: find the rules, check the evidence, draft, and ask for what needs approval."""
    shell: Shell = ctx.obj
    report = shell.run(start(shell, case_id, fresh=fresh))
    show_report(shell, report)
    raise typer.Exit(EXIT_CODES[report.status])


async def start(shell: Shell, case_id: str, *, fresh: bool = False) -> RunReport:
    """Start or continue the review of a case as the acting identity."""
    services, principal = shell.services, shell.principal("review")
    case = await load_case(services, principal.tenant, case_id)
    try:
        await permit(services, principal, Deed(name="read_run", verb="read", resource=case, case_id=case_id))
    except DeniedError as error:
        raise no_such_case(principal, case_id) from error
    deed = Deed(name="start_review", verb="write", risk="medium", resource=case, case_id=case_id)
    await permit(services, principal, deed)
    services.corpus.index_version()  # without an index no run is begun, let alone ended as incomplete
    row = await build_requests(shell).start(principal, case_id, fresh=fresh)
    return await drive(shell, row)


def show_report(shell: Shell, report: RunReport) -> None:
    """A run's report as JSON or for people."""
    shell.show(report_document(report), report_document_view)


def report_document(report: RunReport) -> dict[str, Any]:
    """The report as JSON, which `RunReport` reads back; what is missing stands beside the whole checklist."""
    document = report.model_dump(mode="json")
    if report.evidence is not None:
        document["evidence"]["missing"] = [item.model_dump(mode="json") for item in report.evidence.missing]
    return document


def report_document_view(document: dict[str, Any]) -> RenderableType:
    """`report_view` of a report as JSON, hidden characters made visible on the way."""
    return report_view(RunReport.model_validate(document))


def report_view(report: RunReport) -> RenderableType:
    """The report for people: findings with their quotes, evidence, deadlines, what is waited for."""
    spent = report.budget.spent
    foot = Text(
        f"run {report.run_id}: {' → '.join(report.steps)}; {spent.steps} steps, {spent.tool_calls} tool calls, "
        f"{spent.wall_clock_ms} ms; model {report.model}; {report.release or 'no release'}",
        style="dim",
    )
    parts: list[RenderableType] = [Text(f"{report.case_id}: {report.status} — {report.because}", style="bold")]
    if report.recommendation is not None:
        parts += _recommendation_view(report)
    if report.evidence is not None:
        parts.append(evidence_table(report.evidence.model_dump(mode="json")))
    if report.deadlines:
        parts.append(_deadlines(report))
    parts += [_pending(item) for item in report.pending]
    if report.receipt is not None:
        parts.append(_receipt(report.receipt))
    return Group(*parts, foot)


def _recommendation_view(report: RunReport) -> list[RenderableType]:
    recommendation = report.recommendation
    if recommendation is None:
        return []
    lines: list[RenderableType] = []
    for number, finding in enumerate(recommendation.summary, start=1):
        lines.append(Text(f"{number}. {finding.claim}"))
        lines += [
            Text(f"   {item.document_id} {item.version}, {item.label}: “{item.quote}”", style="cyan")
            for item in finding.citations
        ]
        lines += [Text(f"   fact {fact.path} = {fact.value}", style="dim") for fact in finding.facts]
    action = recommendation.action
    amount = f" of {money(action.amount_minor, action.currency)}" if action.amount_minor else ""
    lines.append(Text(f"→ {action.kind}{amount} (risk {recommendation.risk}): {action.reason}", style="bold"))
    lines += [Text(f"? {question}", style="yellow") for question in recommendation.open_questions]
    origin = f"draft {report.draft_id}, rules of {recommendation.as_of}, index {recommendation.index_version}"
    lines.append(Text(origin, style="dim"))
    return [Panel(Group(*lines), title=Text("recommendation"), border_style="green")]


def _deadlines(report: RunReport) -> Table:
    table = new_table("Deadlines", "due", "what", "counted")
    for item in report.deadlines:
        counted = f"{item.count} {item.unit.replace('_', ' ')} from {item.starts_on}"
        clause = f"{item.clause.document_id} {item.clause.label}"
        table.add_row(item.due_on.isoformat(), stacked(item.title, item.because), stacked(counted, clause))
    return table


def _pending(item: Any) -> Panel:
    text = (
        f"{item.action} of {money(item.amount_minor, item.currency)}\n"
        f"needs {item.quorum} approval(s) by {' or '.join(item.roles)}, not by the requester\n"
        f"casewright approvals approve {item.approval_id} --as NAME\n"
        f"digest\n{item.digest}"
    )
    return Panel(Text(text, overflow="fold"), title=Text(f"waits for approval: {item.state}"), border_style="yellow")


def _receipt(receipt: dict[str, Any]) -> Panel:
    text = (
        f"{receipt['action']} of {money(receipt['amount_minor'], receipt['currency'])} was executed once\n"
        f"effect {receipt['effect_id']}, approval {receipt['approval_id']}"
    )
    return Panel(Text(text), title=Text("receipt"), border_style="green")
