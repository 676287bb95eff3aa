"""`casewright runs resume`, `cancel`, `pause`, `retry`, `fork` and `answer`: what people ask of a run.

Each commits what is asked, then lets the run go on in this process unless a worker has it.
"""

from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.contracts.question import RunQuestion
from casewright.contracts.run import RunReport
from casewright.errors import InputError
from commands.driving import drive, followed
from commands.orchestrator import build_records
from commands.review import EXIT_CODES, show_report
from commands.run_access import build_requests, permitted_review, shown_to_person
from commands.shell import Shell
from commands.visible import visible_text
from graphs.records import RunRow
from servers.readable import ANSWER, STEER

RUN = typer.Argument(help="Run id.")
WHY = typer.Option("", "--why", help="Why, for the record.")
LATER = typer.Option(True, help="Let it go on at once, unless a worker has it.")


def add(app: typer.Typer) -> None:
    """Add the subcommands."""
    for command in (resume, cancel, pause, retry, fork, answer):
        app.command(command.__name__)(command)


def resume(ctx: typer.Context, run_id: str = RUN) -> None:
    """Wake a run: after a pause, a decision, new information, or a crash."""
    shell: Shell = ctx.obj
    _end(shell, shell.run(_resume(shell, run_id)))


async def _resume(shell: Shell, run_id: str) -> RunReport:
    row = await permitted_review(shell, run_id, STEER)
    if row.status == "paused" or row.wanted == "pause":
        row = await build_requests(shell).resume(shell.acting("review"), run_id)
    elif row.status == "failed":
        row = await build_requests(shell).retry(shell.acting("review"), run_id)
    return await drive(shell, row)


def cancel(ctx: typer.Context, run_id: str = RUN, why: str = WHY) -> None:
    """End a run; what it did stays on record, what it asked to be approved is revoked."""
    shell: Shell = ctx.obj
    show_report(shell, shell.run(_cancel(shell, run_id, why)))


async def _cancel(shell: Shell, run_id: str, why: str) -> RunReport:
    await permitted_review(shell, run_id, STEER)
    return await _stopped(shell, await build_requests(shell).cancel(shell.acting("review"), run_id, why=why))


def pause(ctx: typer.Context, run_id: str = RUN, why: str = WHY) -> None:
    """Let a run rest before its next step, until it is resumed."""
    shell: Shell = ctx.obj
    show_report(shell, shell.run(_pause(shell, run_id, why)))


async def _pause(shell: Shell, run_id: str, why: str) -> RunReport:
    await permitted_review(shell, run_id, STEER)
    return await _stopped(shell, await build_requests(shell).pause(shell.acting("review"), run_id, why=why))


def retry(ctx: typer.Context, run_id: str = RUN, now: bool = LATER) -> None:
    """Let a failed run try its last step again."""
    shell: Shell = ctx.obj
    _go_on(shell, *shell.run(_retry(shell, run_id, now)))


async def _retry(shell: Shell, run_id: str, now: bool) -> "tuple[RunRow, RunReport | None]":
    await permitted_review(shell, run_id, STEER)
    row = await build_requests(shell).retry(shell.acting("review"), run_id)
    return row, await drive(shell, row) if now else None


def fork(
    ctx: typer.Context,
    run_id: str = RUN,
    at: str = typer.Option("", "--at", help="The specialist to begin from, such as policy_researcher."),
    now: bool = LATER,
) -> None:
    """Begin another run where this one stands: its budgets count, its approvals do not."""
    shell: Shell = ctx.obj
    _go_on(shell, *shell.run(_fork(shell, run_id, at, now)))


async def _fork(shell: Shell, run_id: str, at: str, now: bool) -> "tuple[RunRow, RunReport | None]":
    await permitted_review(shell, run_id, STEER)
    row = await build_requests(shell).fork(shell.acting("review"), run_id, at=at)
    return row, await drive(shell, row) if now else None


def answer(
    ctx: typer.Context,
    run_id: str = RUN,
    value: str = typer.Argument("", help="One of the options; without it the question is shown."),
    now: bool = LATER,
) -> None:
    """Answer what a run asks, or see what it asks."""
    shell: Shell = ctx.obj
    question, report = shell.run(_answer(shell, run_id, value, now))
    if report is not None:
        _end(shell, report)
    shell.show(question.model_dump(mode="json"), _question_view)


async def _answer(shell: Shell, run_id: str, value: str, now: bool) -> tuple[RunQuestion, RunReport | None]:
    row = await permitted_review(shell, run_id, ANSWER)
    asked = await shell.services.questions.of_run(row.tenant, run_id)
    if not asked:
        raise InputError(f"run {run_id!r} asks nothing; `casewright runs show {run_id}` says how it stands")
    question = next((item for item in asked if item.state == "open"), asked[-1])
    if not value:
        return question, None
    question = await build_requests(shell).answer(shell.acting("review"), run_id, question.question_id, value)
    return question, await drive(shell, row) if now else None


async def _stopped(shell: Shell, row: RunRow) -> RunReport:
    """The report of a run that was asked to stop; whoever drives it obeys before its next step."""
    if row.wanted:
        shell.note(f"another process works on {row.run_id}; it is told, and stops before its next step")
        report = await followed(shell.services, build_records(shell.services), row)
        return await shown_to_person(shell, row, report)
    if row.report is None:
        raise InputError(f"run {row.run_id!r} is {row.status} and has no report")
    return await shown_to_person(shell, row, row.report)


def _go_on(shell: Shell, row: RunRow, report: RunReport | None) -> None:
    if report is not None:
        _end(shell, report)
    document = {"run_id": row.run_id, "status": row.status, "parent": row.parent, "revision": row.revision}
    shell.show(document, lambda shown: Text(f"run {shown['run_id']} is {shown['status']}; a worker takes it up"))


def _end(shell: Shell, report: RunReport) -> None:
    show_report(shell, report)
    raise typer.Exit(EXIT_CODES[report.status])


def _question_view(document: dict[str, Any]) -> RenderableType:
    parts: list[RenderableType] = [Text(visible_text(document["text"]), style="bold")]
    parts += [Text(f"  {name}: {shown}", style="dim") for name, shown in document["detail"].items()]
    parts += [Text(f"{option['value']}: {option['text']}") for option in document["options"]]
    if document["state"] == "open":
        parts.append(Text(f"casewright runs answer {document['run_id']} VALUE", style="dim"))
    else:
        parts.append(Text(f"{document['state']}: {document['answer']} by {document['answered_by']}", style="dim"))
    return Group(*parts)
