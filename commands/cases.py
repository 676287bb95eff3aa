"""`casewright cases`: import, list and show."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel, ConfigDict
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from casewright.audit.entry import AuditEntry
from casewright.cases.importing import read_cases
from casewright.cases.records import ImportReport, ImportRow
from casewright.contracts.principal import Principal
from casewright.errors import DeniedError, InputError, NotFoundError
from casewright.services import Services
from commands.corpus import new_run
from commands.permission import permit
from commands.shell import Shell
from commands.tables import listing, money, new_table, stacked
from commands.tools import own_tools
from servers.permission import Deed


class Document(BaseModel):
    """A tool's result, passed on as it is."""

    model_config = ConfigDict(extra="allow", frozen=True)


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Import, list and show cases.", no_args_is_help=True)
    app.command("import")(import_cases)
    app.command("list")(list_cases)
    app.command("show")(show)
    return app


def import_cases(ctx: typer.Context, file: Path = typer.Argument(help="JSON or CSV.")) -> None:
    """Import cases or complaints; good rows land together, bad ones are reported with their reason."""
    shell: Shell = ctx.obj
    document = shell.run(_import(shell, file))
    shell.show(document, _import_view)
    if document["skipped"] and not any(document[name] for name in ("imported", "revised", "unchanged")):
        raise typer.Exit(InputError.exit_code)


async def _import(shell: Shell, file: Path) -> dict[str, Any]:
    principal = shell.principal("review")
    rows = read_cases(file)
    deed = Deed(name="import_cases", verb="write", risk="medium", arguments={"rows": len(rows)})
    await permit(shell.services, principal, deed)
    with shell.busy(f"importing {len(rows)} rows"):
        report = await import_audited(shell.services, rows, principal, source=file.name)
    return report.model_dump(mode="json")


async def import_audited(
    services: Services, rows: Sequence[ImportRow], importer: Principal, *, source: str
) -> ImportReport:
    """Import rows and record it, in one transaction."""
    async with services.database.write() as connection:
        report = await services.cases.import_within(connection, rows, importer=importer)
        body = {
            "source": source,
            "imported": len(report.imported),
            "revised": [item.model_dump(mode="json") for item in report.revised],
            "unchanged": len(report.unchanged),
            "skipped": len(report.skipped),
            "relabelled": len(report.relabelled),
        }
        entry = AuditEntry(kind="cases.imported", tenant=importer.tenant, subject=importer.id, body=body)
        await services.audit.append(entry, connection=connection)
    return report


def list_cases(ctx: typer.Context) -> None:
    """List the cases you may see."""
    shell: Shell = ctx.obj
    document = shell.run(_tool(shell, "list_cases", ""))
    shell.show(document, _list_view)


def show(ctx: typer.Context, case_id: str = typer.Argument(help="Case id.")) -> None:
    """Show one case: header, transactions, evidence and what the rules make of it."""
    shell: Shell = ctx.obj
    document = shell.run(_show(shell, case_id))
    shell.show(document, _case_view)


async def _tool(shell: Shell, tool: str, case_id: str) -> dict[str, Any]:
    principal = shell.principal("review")
    async with own_tools(shell.services, principal, "case-facts", run_id=new_run("case"), case_id=case_id) as tools:
        return (await tools.call(tool, {}, Document)).model_dump(mode="json")


async def _show(shell: Shell, case_id: str) -> dict[str, Any]:
    principal = shell.principal("review")
    document: dict[str, Any] = {}
    async with own_tools(shell.services, principal, "case-facts", run_id=new_run("case"), case_id=case_id) as tools:
        try:
            await tools.call("get_case", {}, Document)
        except DeniedError as error:
            raise no_such_case(principal, case_id) from error
        names = ("get_case", "list_transactions", "list_communications", "list_evidence", "get_timeline", "assess_case")
        for name in names:
            found = (await tools.call(name, {}, Document)).model_dump(mode="json")
            origins = {**document.get("provenance", {}), **found.pop("provenance", {})}
            document |= {"assessment": found} if name == "assess_case" else found
            document["provenance"] = origins
    return document


def no_such_case(principal: Principal, case_id: str) -> NotFoundError:
    """One answer for a case that is not there and one that this person may not see."""
    return NotFoundError(
        f"there is no case {case_id!r} that {principal.id!r} may see; `casewright cases list` shows those there are"
    )


def _import_view(document: dict[str, Any]) -> Table:
    counts = ", ".join(f"{len(document[name])} {name}" for name in ("imported", "revised", "unchanged", "skipped"))
    table = new_table(counts, "row", "why it was skipped")
    table.show_header = bool(document["skipped"])
    for row in document["skipped"]:
        table.add_row(str(row["row"]), row["reason"])
    return table


def _list_view(document: dict[str, Any]) -> Table:
    rows: list[tuple[RenderableType, ...]] = [
        (
            stacked(case["case_id"], case["state"]),
            stacked(case["received_on"], case["case_type"]),
            case["title"],
        )
        for case in document["cases"]
    ]
    return listing("Cases", ("case", "received", "title"), rows, ids=[case["case_id"] for case in document["cases"]])


def _case_view(document: dict[str, Any]) -> RenderableType:
    head = stacked(
        f"{document['case_id']}: {document['title']}",
        f"{document['case_type']}, {document['state']}, received {document['received_on']}, "
        f"{document['classification']}",
        style="bold",
    )
    moved = new_table("Transactions", "id", "posted", "amount", "how", "disputed")
    for item in document["transactions"]:
        place = " ".join(part for part in (item["channel"], item["country"]) if part)
        cells = (item["transaction_id"], item["posted_on"] or "", money(item["amount_minor"], item["currency"]))
        moved.add_row(*cells, stacked(place, item.get("description") or ""), "yes" if item["disputed"] else "")
    return Group(head, moved, evidence_table(document["assessment"]["evidence"]))


def evidence_table(report: dict[str, Any]) -> Table:
    """The evidence checklist, for people."""
    title = f"Evidence: {'complete' if report['complete'] else 'not complete'}"
    table = new_table(title, "item", "status", "why and where it says so")
    for item in report["items"]:
        if item["status"] == "not_applicable":
            continue
        style = {"missing": "red", "contradicted": "yellow"}.get(item["status"], "green")
        clause = f"{item['clause']['document_id']} {item['clause']['label']}"
        table.add_row(item["title"], Text(item["status"], style=style), stacked(item["why"], clause))
    return table
