"""`casewright corpus compare`: the words of one clause that changed between two versions."""

from typing import Any

import typer
from rich.text import Text

from casewright.contracts.clause import ClauseComparison
from casewright.corpus.comparison import aligned_words
from commands.shell import Shell
from commands.tools import own_tools


def compare(
    ctx: typer.Context,
    document_id: str = typer.Argument(help="The document."),
    label: str = typer.Argument(help="The clause, such as '3.2(a)'."),
    from_version: str = typer.Argument(help="The earlier version."),
    to_version: str = typer.Argument(help="The later version."),
) -> None:
    """Show the words of a clause that changed between two versions of its document."""
    shell: Shell = ctx.obj
    arguments = {
        "document_id": document_id,
        "label": label,
        "from_version": from_version,
        "to_version": to_version,
    }
    shell.show(shell.run(_compare(shell, arguments)), comparison_view)


async def _compare(shell: Shell, arguments: dict[str, Any]) -> dict[str, Any]:
    from commands.corpus import new_run

    principal = shell.principal("review")
    async with own_tools(shell.services, principal, "policy-search", run_id=new_run("compare")) as tools:
        found = await tools.call("compare_versions", arguments, ClauseComparison)
    return found.model_dump(mode="json")


def comparison_view(document: dict[str, Any]) -> Text:
    """The later text with what was taken out struck through and what came in underlined, both also in brackets."""
    head = f"{document['document_id']}, {document['label']}: {document['from_version']} to {document['to_version']}\n"
    shown = Text(head, style="bold")
    for side, missing in (("from", "is new in"), ("to", "is no longer in")):
        if document[f"{side}_text"] is None:
            shown.append(f"The clause {missing} version {document['to_version']}.\n", style="yellow")
    if not document["changes"]:
        return shown.append("Not a word changed.")
    for kind, words in aligned_words(document["from_text"] or "", document["to_text"] or ""):
        match kind:
            case "same":
                shown.append(words, style="not bold")
            case "removed":
                shown.append(f"[-{words}-]", style="red strike")
            case "added":
                shown.append(f"{{+{words}+}}", style="green underline")
        shown.append(" ")
    return shown
