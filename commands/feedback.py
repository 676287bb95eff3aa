"""`casewright feedback`: say what is right or wrong with an answer, list it, export it as examples."""

from pathlib import Path
from typing import Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from casewright.clock import iso
from casewright.contracts.feedback import CitationRef, Feedback, FeedbackKind, FeedbackText
from casewright.contracts.recommendation import Citation
from casewright.errors import InputError
from commands.orchestrator import build_records
from commands.permission import TERMINAL
from commands.shell import Shell
from commands.tables import listing, minute, stacked
from graphs.records import RunRow
from servers.readable import GIVE_FEEDBACK, READ, is_permitted_on_run, permit_on_run


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(
        help="Say what is right or wrong with an answer, and export it as examples.", no_args_is_help=True
    )
    app.command("give")(give)
    app.command("list")(list_feedback)
    app.command("export")(export)
    return app


def give(
    ctx: typer.Context,
    run_id: str = typer.Argument(help="Run id."),
    thumb: bool | None = typer.Option(None, "--up/--down", help="The answer is good, or it is not."),
    correction: str = typer.Option("", "--correction", help="What is right instead."),
    wrong_citation: int = typer.Option(0, "--wrong-citation", min=0, help="Which citation is wrong, counted from 1."),
    why: str = typer.Option("", "--why", help="Why, in your words."),
) -> None:
    """Say one thing of a run's answer; the answer, its evidence and its versions are kept with it."""
    shell: Shell = ctx.obj
    kind = _kind(thumb, correction, wrong_citation)
    if kind == "correction" and why:
        raise InputError("--correction says it all; leave --why out")
    document = shell.run(_give(shell, run_id, FeedbackText(kind=kind, text=correction or why), wrong_citation))
    shell.show(document, _given_view)


def _kind(thumb: bool | None, correction: str, wrong_citation: int) -> FeedbackKind:
    asked: tuple[tuple[bool, FeedbackKind], ...] = (
        (thumb is True, "up"),
        (thumb is False, "down"),
        (bool(correction), "correction"),
        (bool(wrong_citation), "wrong_citation"),
    )
    named: list[FeedbackKind] = [kind for given, kind in asked if given]
    if len(named) != 1:
        raise InputError("say exactly one of --up, --down, --correction TEXT and --wrong-citation N")
    return named[0]


async def _give(shell: Shell, run_id: str, said: FeedbackText, number: int) -> dict[str, Any]:
    services, principal = shell.services, shell.principal("review")
    records = build_records(services)
    row = await records.get(principal.tenant, run_id)
    await permit_on_run(services, principal, row, READ, session=TERMINAL)
    await permit_on_run(services, principal, row, GIVE_FEEDBACK, session=TERMINAL)
    if number:
        answered = await records.events(run_id, kind="answered")
        quoted = answered[-1].body["citations"] if answered else _citations(row)
        said = said.model_copy(update={"citation": _numbered(quoted, number, run_id)})
    return _document(await services.feedback.give(principal, run_id, said))


def _citations(row: RunRow) -> list[dict[str, Any]]:
    found = row.report.recommendation if row.report is not None else None
    return [citation.model_dump() for finding in (found.summary if found else ()) for citation in finding.citations]


def _numbered(quoted: list[dict[str, Any]], number: int, run_id: str) -> CitationRef:
    if number > len(quoted):
        raise InputError(f"run {run_id!r} has {len(quoted)} citation(s); `casewright runs show {run_id}` shows them")
    return CitationRef(**{name: quoted[number - 1][name] for name in CitationRef.model_fields})


def list_feedback(
    ctx: typer.Context,
    run_id: str = typer.Option("", "--run", help="Only of this run."),
    case_id: str = typer.Option("", "--case", help="Only of this case."),
) -> None:
    """List the feedback on runs you may read, newest first."""
    shell: Shell = ctx.obj
    found, _ = shell.run(_readable(shell, run_id=run_id, case_id=case_id))
    shell.show({"feedback": [_document(item) for item in found]}, _list_view)


def export(
    ctx: typer.Context, file: Path = typer.Argument(help="Where to write it; an existing file is replaced.")
) -> None:
    """Write the feedback on runs you may read as examples for evaluations, one JSON document per line."""
    from casewright.feedback.export import write_examples
    from casewright.feedback.store import standing

    shell: Shell = ctx.obj
    found, hidden = shell.run(_readable(shell))
    count = write_examples(file, standing(found))
    document = {"examples": count, "not_readable": hidden, "file": str(file)}
    shell.show(document, lambda shown: Text(f"{shown['examples']} example(s) in {shown['file']}", style="green"))


async def _readable(shell: Shell, *, run_id: str = "", case_id: str = "") -> tuple[tuple[Feedback, ...], int]:
    """What the acting person may read, and how many others there are; each run is decided on once."""
    services, principal = shell.services, shell.principal("review")
    found = await services.feedback.list(principal.tenant, run_id=run_id, case_id=case_id)
    records = build_records(services)
    readable: dict[str, bool] = {}
    for name in dict.fromkeys(item.about.run_id for item in found):
        row = await records.get(principal.tenant, name)
        readable[name] = await is_permitted_on_run(services, principal, row, READ, session=TERMINAL)
    shown = tuple(item for item in found if readable[item.about.run_id])
    return shown, len(found) - len(shown)


def _document(given: Feedback) -> dict[str, Any]:
    return given.model_dump(mode="json", exclude={"at_ns"}) | {"at": iso(given.at_ns)}


def _cited(citation: dict[str, Any] | None) -> str:
    return _place(Citation.model_validate(citation)) if citation else ""


def _place(citation: Citation) -> str:
    return f"{citation.document_id} {citation.version} {citation.label}: “{citation.quote}”"


def _given_view(document: dict[str, Any]) -> RenderableType:
    about = document["about"]
    draft = f", draft {about['draft']['draft_id']} version {about['draft']['version']}" if about["draft"] else ""
    return stacked(
        f"{document['feedback_id']}: {document['kind']} on run {about['run_id']}{draft}",
        _cited(document["citation"]),
        document["text"],
        style="bold",
    )


def _list_view(document: dict[str, Any]) -> Table:
    rows: list[tuple[RenderableType, ...]] = [
        (
            stacked(item["feedback_id"], item["about"]["run_id"]),
            stacked(item["kind"], f"by {item['subject']}"),
            stacked(item["text"], _cited(item["citation"])),
            minute(item["at"]),
        )
        for item in document["feedback"]
    ]
    ids = [item["feedback_id"] for item in document["feedback"]]
    return listing("Feedback", ("feedback, run", "what", "words", "when"), rows, ids=ids)
