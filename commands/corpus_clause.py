"""`casewright corpus read`: one clause with what stands around it, what its words mean and where it leads."""

from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from casewright.contracts.clause import ClauseInContext
from commands.shell import Shell
from commands.tables import keep_whole, new_table
from commands.tools import own_tools


def read(
    ctx: typer.Context,
    document_id: str = typer.Argument(help="The document."),
    label: str = typer.Argument(help="The clause, such as '3.2(a)'."),
    as_of: str = typer.Option("", "--as-of", help="Date whose rules apply, YYYY-MM-DD; today when absent."),
    version: str = typer.Option("", "--version", help="A version by name, whatever its status."),
) -> None:
    """Read a clause with the clauses around it, the definitions of its terms and the clauses it refers to."""
    from commands.corpus import parse_date

    shell: Shell = ctx.obj
    arguments = {"document_id": document_id, "label": label, "version": version}
    if as_of:
        arguments["as_of"] = parse_date(as_of).isoformat()
    shell.show(shell.run(_read(shell, arguments)), _view)


async def _read(shell: Shell, arguments: dict[str, Any]) -> dict[str, Any]:
    from commands.corpus import new_run

    principal = shell.principal("review")
    async with own_tools(shell.services, principal, "policy-search", run_id=new_run("read")) as tools:
        found = await tools.call("get_clause", arguments, ClauseInContext)
    return found.model_dump(mode="json")


def _view(document: dict[str, Any]) -> RenderableType:
    clause = document["clause"]
    until = clause["effective_to"] or "further notice"
    head = f"{clause['document_id']} {clause['version']}, {clause['heading']}\n"
    shown = Text(head, style="bold").append(f"in force from {clause['effective_from']} to {until}\n", style="dim")
    for parent in document["parents"]:
        shown.append(f"\n{parent['label']} ", style="bold").append(parent["text"], style="not bold dim")
    shown.append(f"\n{clause['label']} ", style="bold").append(clause["text"], style="not bold")
    for child in document["children"]:
        shown.append(f"\n{child['label']} ", style="bold").append(child["text"], style="not bold")
    return Group(shown.append("\n"), *_tables(document))


def _tables(document: dict[str, Any]) -> Iterator[Table]:
    definitions, references = document["definitions"], document["references"]
    if definitions:
        table = new_table("Terms", "term", "definition")
        for each in definitions:
            found = each["definition"]
            table.add_row(each["term"], Text(f"{found['label']}: ", style="bold").append(found["text"], "not bold"))
        yield table
    if references:
        table = new_table("Refers to", "reference", "clause")
        keep_whole(table, 0, [each["text"] for each in references])
        for each in references:
            named = f"{each['text']} of {each['document']}" if each["document"] else each["text"]
            leads = f"{each['document_id']}, {each['label']}" if each["clause_id"] else "leads to nothing in force here"
            table.add_row(named, leads)
        yield table
