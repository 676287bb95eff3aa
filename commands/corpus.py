"""`casewright corpus`: ingest documents and search them."""

import datetime as dt
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from casewright.contracts.base import Contract
from casewright.contracts.clause import DocumentVersion, SearchResult
from casewright.errors import InputError
from commands.comparison import compare
from commands.corpus_clause import read
from commands.corpus_ingest import Wish, ingested, report_view, watched
from commands.corpus_manifest import approve, manifest, quarantine
from commands.corpus_states import promote, prune, rollback, shadow, versions
from commands.option_groups import taking
from commands.shell import Shell
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
    app.command("read")(read)
    app.command("compare")(compare)
    app.command("manifest")(manifest)
    app.command("approve")(approve)
    app.command("quarantine")(quarantine)
    app.command("versions")(versions)
    app.command("shadow")(shadow)
    app.command("promote")(promote)
    app.command("rollback")(rollback)
    app.command("prune")(prune)
    return app


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """The options of `corpus ingest`."""

    paths: list[Path] = typer.Argument(None, help="Files or folders of documents: Markdown, HTML, DOCX, PDF, text.")
    propose: bool = typer.Option(False, "--propose", help="Leave it to another person to approve what is new.")
    prune: bool = typer.Option(False, "--prune", help="Withdraw versions whose file has gone from the folders.")
    retry: bool = typer.Option(False, "--retry", help="Read the files on the quarantine list again.")
    stage: bool = typer.Option(
        False, "--stage", help="Build a state beside the live one; `corpus promote` makes it live."
    )
    watch: bool = typer.Option(False, "--watch", help="Go on, and ingest again whenever a file changes.")


@taking(IngestOptions)
def ingest(ctx: typer.Context, options: IngestOptions) -> None:
    """Ingest documents into your tenant's corpus; unchanged ones are skipped, broken ones quarantined."""
    shell: Shell = ctx.obj
    named = list(options.paths or [])
    if not named and not options.retry:
        raise InputError("name the files or folders to ingest, or give --retry for those in quarantine")
    wish = Wish(paths=named, prune=options.prune, retry=options.retry, stage=options.stage, propose=options.propose)
    if options.watch:
        shell.run(watched(shell, wish))
        return
    report = shell.run(ingested(shell, wish))
    shell.show(report.model_dump(mode="json"), report_view)
    if report.quarantined and not report.ingested and not report.unchanged:
        raise typer.Exit(InputError.exit_code)


def search(
    ctx: typer.Context,
    text: str = typer.Argument(help="A question or a clause label."),
    as_of: str = typer.Option("", "--as-of", help="Date whose rules apply, YYYY-MM-DD; today when absent."),
    limit: int = typer.Option(10, min=1, max=50, help="Most hits."),
    jurisdiction: list[str] | None = typer.Option(None, help="Only rules that hold there, as US or US-CA; repeatable."),
) -> None:
    """Search the rules in force on a date."""
    shell: Shell = ctx.obj
    result = shell.run(_search(shell, text, as_of, {"limit": limit, "jurisdictions": jurisdiction or []}))
    shell.show(result, _hits_view)


async def _search(shell: Shell, text: str, as_of: str, narrowed: dict[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {"query": text, **narrowed}
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
