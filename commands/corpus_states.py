"""`casewright corpus versions`, `shadow`, `promote` and `rollback`: the kept states of the index."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from casewright.audit.entry import AuditEntry
from casewright.clock import today
from casewright.contracts.clause import SearchFilters
from casewright.corpus.corpus import Corpus
from casewright.corpus.states import ShadowComparison
from casewright.errors import InputError
from commands.corpus_ingest import corpus_of
from commands.permission import permit
from commands.shell import Shell
from commands.tables import new_table
from servers.permission import Deed

MAX_QUESTIONS = 5_000


def versions(ctx: typer.Context) -> None:
    """List the states of the index that are kept; answers name the one they come from."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_versions(shell)), _versions_view)


async def _versions(shell: Shell) -> dict[str, Any]:
    await _permit(shell, "read_manifest")
    return {"versions": [state.model_dump(mode="json") for state in shell.services.corpus.states()]}


def promote(ctx: typer.Context, index_version: str = typer.Argument(help="As `corpus versions` lists it.")) -> None:
    """Make a kept state the one that answers, in running servers too."""
    shell: Shell = ctx.obj
    document = shell.run(_switch(shell, lambda corpus, tenant: corpus.promote(index_version, tenant=tenant)))
    shell.show(document, _switch_view)


def rollback(ctx: typer.Context) -> None:
    """Go back to the state before the active one; once more is forward again."""
    shell: Shell = ctx.obj
    document = shell.run(_switch(shell, lambda corpus, tenant: corpus.roll_back(tenant=tenant)))
    shell.show(document, _switch_view)


async def _switch(shell: Shell, work: Callable[[Corpus, str], str]) -> dict[str, Any]:
    tenant, subject = await _permit(shell, "switch_index")
    corpus = shell.services.corpus
    before = corpus.index_version()
    body = {"before": before, "after": work(corpus, tenant)}
    await shell.services.audit.append(AuditEntry(kind="corpus.switched", tenant=tenant, subject=subject, body=body))
    return body


def shadow(
    ctx: typer.Context,
    index_version: str = typer.Argument(help="The state to compare the active one with."),
    questions: Path = typer.Argument(help="A text file with one question on each line."),
) -> None:
    """Search a question file in both states: common hits, changed ranks, questions that lost their answer."""
    shell: Shell = ctx.obj
    found = shell.run(_shadow(shell, index_version, _questions(questions)))
    shell.show(found.model_dump(mode="json"), _shadow_view)


async def _shadow(shell: Shell, index_version: str, questions: list[str]) -> ShadowComparison:
    tenant, _ = await _permit(shell, "read_manifest")
    labels = shell.principal("authoring").labels
    filters = SearchFilters(tenant=tenant, labels=labels, as_of=today(shell.services.clock))
    return shell.services.corpus.shadow(index_version, questions, filters)


def _questions(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{str(path)!r} cannot be read ({error}); give a text file in UTF-8") from error
    found = [line.strip() for line in lines if line.strip()]
    if len(found) > MAX_QUESTIONS:
        raise InputError(f"{str(path)!r} has {len(found)} questions; give at most {MAX_QUESTIONS}")
    return found


async def _permit(shell: Shell, name: str) -> tuple[str, str]:
    """Tenant and person, if the policy lets them."""
    principal = shell.principal("authoring")
    reading = name == "read_manifest"
    deed = Deed(
        name=name,
        verb="read" if reading else "write",
        risk="low" if reading else "medium",
        resource=corpus_of(principal),
    )
    await permit(shell.services, principal, deed)
    return principal.tenant, principal.id


def _versions_view(document: dict[str, Any]) -> Table:
    table = new_table("Index states", "state", "")
    for state in document["versions"]:
        note = "active" if state["active"] else "rollback goes here" if state["previous"] else ""
        table.add_row(state["index_version"], note)
    return table


def _switch_view(document: dict[str, Any]) -> str:
    return f"The index answers from {document['after']} now; it was {document['before']}."


def _shadow_view(document: dict[str, Any]) -> Table:
    title = f"{document['before']} beside {document['after']}: overlap@10 {document['overlap_at_10']:.3f}"
    title += f" over {document['questions']} questions, {len(document['lost'])} lost their answer"
    table = new_table(title, "question", "overlap", "moved", "answer")
    for shift in document["shifts"]:
        lost = "lost" if shift["lost_answer"] else ""
        table.add_row(shift["question"], f"{shift['overlap']:.2f}", str(shift["moved"]), lost)
    return table
