"""`casewright corpus versions`, `shadow`, `promote`, `rollback` and `prune`: the kept states of the index."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from casewright.audit.entry import AuditEntry
from casewright.clock import NANOSECONDS
from casewright.corpus.corpus import Corpus
from casewright.corpus.states import ShadowComparison
from casewright.corpus.table import KEPT_STATES
from casewright.drafts.pinned import pinned_states
from casewright.errors import InputError
from commands.corpus_ingest import corpus_of, note_release
from commands.corpus_questions import MAX_QUESTIONS, Questions, questions_in, recorded_questions
from commands.permission import permit
from commands.shell import Shell
from commands.tables import new_table
from servers.permission import Deed


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
    note_release(shell)
    return body


def shadow(
    ctx: typer.Context,
    index_version: str = typer.Argument(help="The state to compare the active one with."),
    questions: Path | None = typer.Argument(None, help="A text file with one question on each line."),
    recorded: bool = typer.Option(False, "--recorded", help="Compare with the questions that were really asked."),
    since: str = typer.Option("", help="With --recorded: only those asked from this day on, YYYY-MM-DD."),
    limit: int = typer.Option(1_000, min=1, max=MAX_QUESTIONS, help="With --recorded: at most so many, the newest."),
) -> None:
    """Search questions in both states: common hits, changed ranks, questions that lost their answer."""
    shell: Shell = ctx.obj
    if recorded == (questions is not None):
        raise InputError("name a file of questions or give --recorded, one of the two")
    asked = (
        questions_in(shell, questions)
        if questions is not None
        else shell.run(recorded_questions(shell, since_ns=_from_day(since), limit=limit))
    )
    found = shell.run(_shadow(shell, index_version, asked))
    shell.show(found.model_dump(mode="json") | {"skipped": asked.skipped}, _shadow_view)


async def _shadow(shell: Shell, index_version: str, questions: Questions) -> ShadowComparison:
    await _permit(shell, "read_manifest")
    with shell.busy(f"searching {len(questions.asked)} questions in both states"):
        return shell.services.corpus.shadow(index_version, questions.asked)


def _from_day(text: str) -> int:
    """The beginning of a day in nanoseconds since the epoch; 0 for no day."""
    from commands.corpus import parse_date

    if not text:
        return 0
    return int(dt.datetime.combine(parse_date(text), dt.time(), dt.UTC).timestamp()) * NANOSECONDS


def prune(
    ctx: typer.Context,
    keep: int = typer.Option(3, min=1, max=KEPT_STATES, help="So many of the newest states stay in any case."),
) -> None:
    """Drop old index states and give back their room; never the active one, the one before, or one a run needs."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_prune(shell, keep)), _prune_view)


async def _prune(shell: Shell, keep: int) -> dict[str, Any]:
    tenant, subject = await _permit(shell, "switch_index")
    pinned = await pinned_states(shell.services.database)
    report = shell.services.corpus.prune(keep=keep, pinned=pinned).model_dump(mode="json")
    entry = AuditEntry(kind="corpus.pruned", tenant=tenant, subject=subject, body=report)
    await shell.services.audit.append(entry)
    return report


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


def _prune_view(document: dict[str, Any]) -> Table:
    reclaimed = (document["bytes_before"] - document["bytes_after"]) / 1_000_000
    table = new_table(f"{len(document['dropped'])} states dropped, {reclaimed:.1f} MB reclaimed", "state", "")
    reasons = {"active": "active", "previous": "rollback goes here", "pinned": "an open run needs it"}
    reasons |= {"released": "a release names it", "newest": "new"}
    for state in document["kept"]:
        table.add_row(state["index_version"], f"kept: {reasons[state['because']]}")
    for name in document["dropped"]:
        table.add_row(name, "dropped")
    return table


def _shadow_view(document: dict[str, Any]) -> Table:
    title = f"{document['before']} beside {document['after']}: overlap@10 {document['overlap_at_10']:.3f}"
    title += f" over {document['questions']} questions, {len(document['lost'])} lost their answer"
    title += f"; {document['skipped']} recorded ones are not whole" if document["skipped"] else ""
    table = new_table(title, "question", "overlap", "moved", "answer")
    for shift in document["shifts"]:
        lost = "lost" if shift["lost_answer"] else ""
        table.add_row(shift["question"], f"{shift['overlap']:.2f}", str(shift["moved"]), lost)
    return table
