"""`casewright corpus`: ingest documents and search them."""

import datetime as dt
import secrets
from pathlib import Path
from typing import Any

import typer
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from casewright.audit.entry import AuditEntry
from casewright.contracts.base import Contract
from casewright.contracts.clause import DocumentVersion, SearchResult
from casewright.contracts.decision import ResourceInput
from casewright.corpus.corpus import IngestProgress, IngestReport
from casewright.errors import InputError
from commands.permission import Deed, permit
from commands.shell import Shell, stopping_at_once
from commands.tables import keep_whole, listing, new_table, stacked
from commands.tools import own_tools


class DocumentList(Contract):
    documents: tuple[DocumentVersion, ...]


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Ingest policy documents and search them.", no_args_is_help=True)
    app.command("ingest")(ingest)
    app.command("search")(search)
    app.command("documents")(documents)
    return app


def ingest(ctx: typer.Context, paths: list[Path] = typer.Argument(help="Files or folders of Markdown.")) -> None:
    """Ingest documents into your tenant's corpus; unchanged ones are skipped, broken ones quarantined."""
    shell: Shell = ctx.obj
    report = shell.run(_ingest(shell, paths))
    shell.show(report.model_dump(mode="json"), _report_view)
    if report.quarantined and not report.ingested and not report.unchanged:
        raise typer.Exit(InputError.exit_code)


async def _ingest(shell: Shell, paths: list[Path]) -> IngestReport:
    principal = shell.principal("authoring")
    corpus = ResourceInput(kind="corpus", exists=True, tenant=principal.tenant, classification="public")
    deed = Deed(name="ingest_corpus", verb="write", risk="medium", resource=corpus, arguments={"paths": len(paths)})
    await permit(shell.services, principal, deed)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shell.messages, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def progress(step: IngestProgress) -> None:
            bar.update(task, description=step.stage, completed=step.done, total=step.total)

        with stopping_at_once():
            report = shell.services.corpus.ingest(paths, tenant=principal.tenant, progress=progress)
    body = {
        "ingested": report.ingested,
        "unchanged": report.unchanged,
        "quarantined": len(report.quarantined),
        "clauses": report.clauses,
        "index_version": report.index_version,
    }
    entry = AuditEntry(kind="corpus.ingested", tenant=principal.tenant, subject=principal.id, body=body)
    await shell.services.audit.append(entry)
    return report


def search(
    ctx: typer.Context,
    text: str = typer.Argument(help="A question or a clause label."),
    as_of: str = typer.Option("", "--as-of", help="Date whose rules apply, YYYY-MM-DD; today when absent."),
    limit: int = typer.Option(10, min=1, max=50, help="Most hits."),
) -> None:
    """Search the rules in force on a date."""
    shell: Shell = ctx.obj
    result = shell.run(_search(shell, text, as_of, limit))
    shell.show(result, _hits_view)


async def _search(shell: Shell, text: str, as_of: str, limit: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {"query": text, "limit": limit}
    async with own_tools(shell.services, shell.principal("review"), "policy-search", run_id=new_run("search")) as tools:
        found = await tools.call("search_policies", arguments | _date(as_of), SearchResult)
    return found.model_dump(mode="json")


def documents(
    ctx: typer.Context,
    as_of: str = typer.Option("", "--as-of", help="Date, YYYY-MM-DD; today when absent."),
    all_versions: bool = typer.Option(False, "--all", help="Also superseded, future, draft and withdrawn versions."),
) -> None:
    """List the documents you may read."""
    shell: Shell = ctx.obj
    result = shell.run(_documents(shell, as_of, all_versions))
    shell.show(result, _documents_view)


async def _documents(shell: Shell, as_of: str, all_versions: bool) -> dict[str, Any]:
    arguments: dict[str, Any] = {"all_versions": all_versions}
    async with own_tools(shell.services, shell.principal("review"), "policy-search", run_id=new_run("list")) as tools:
        found = await tools.call("list_documents", arguments | _date(as_of), DocumentList)
    return found.model_dump(mode="json")


def new_run(kind: str) -> str:
    """An id for what one command does, so that its retrievals and events belong together."""
    return f"{kind}-{secrets.token_hex(8)}"


def _date(as_of: str) -> dict[str, str]:
    return {"as_of": parse_date(as_of).isoformat()} if as_of else {}


def parse_date(text: str) -> dt.date:
    """A calendar date.

    Raises:
        InputError: it is none.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a date; write it as YYYY-MM-DD, for example 2026-03-31") from error


def _report_view(report: dict[str, Any]) -> Table:
    counts = f"{report['ingested']} ingested, {report['unchanged']} unchanged, {len(report['quarantined'])} quarantined"
    table = new_table(counts, "quarantined file", "reason")
    for item in report["quarantined"]:
        table.add_row(Text(item["path"], style="red"), item["reason"])
    table.show_header = bool(report["quarantined"])
    table.caption = f"{report['clauses']} clauses in {report['seconds']:.1f} s, index {report['index_version']}"
    table.caption_justify = "left"
    return table


def _hits_view(result: dict[str, Any]) -> Table:
    enough = "" if result["sufficient"] else f" — not sufficient: {result['missing']}"
    table = new_table(f"As of {result['as_of']}, index {result['index_version']}{enough}", "#", "clause")
    keep_whole(table, 0, [str(hit["rank"]) for hit in result["hits"]])
    for hit in result["hits"]:
        head = Text(f"{hit['document_id']} {hit['version']}, {hit['label']}\n", style="bold")
        text = " ".join(part for part in (hit["lead_in"], hit["text"]) if part)
        table.add_row(str(hit["rank"]), head.append(text, style="not bold"))
    return table


def _documents_view(result: dict[str, Any]) -> Table:
    rows: list[tuple[RenderableType, ...]] = [
        (
            stacked(item["document_id"], item["title"]),
            stacked(item["version"], item["status"]),
            stacked(item["effective_from"], f"to {item['effective_to']}" if item["effective_to"] else ""),
            str(item["clauses"]),
        )
        for item in result["documents"]
    ]
    ids = [item["document_id"] for item in result["documents"]]
    return listing("Documents", ("document", "version", "in force from", "clauses"), rows, ids=ids)
