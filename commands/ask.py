"""`casewright ask`: a question about the rules, answered with verified quotes or not at all.

With its model switched off it is refused with exit code 3, as everything that policy data denies.
"""

import sys
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from agents.answerer import Asked, answer
from agents.sentences import ShownSentence
from agents.toolbox import ToolBudget
from casewright.clock import today
from casewright.contracts.run import RunStatus
from casewright.errors import InputError
from casewright.models.layer import CallContext
from casewright.replay.recording import ToolRecorder
from commands.corpus import new_run, parse_date
from commands.orchestrator import build_gateway, build_records
from commands.shell import Shell
from commands.tools import CALLS_PER_COMMAND, own_tools
from commands.visible import visible_text
from graphs.answering import answer_document, question_step
from graphs.budget import whole_allowance
from graphs.sentences import NOT_ANSWERED, SentenceEvents

QUESTION = "ask"
"""The kind of run that a question is."""
LONGEST_QUESTION = 2_000
"""As long as the API and the review server take one."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("ask")(ask)


def ask(
    ctx: typer.Context,
    question: str = typer.Argument(help="What you want to know about the rules."),
    as_of: str = typer.Option("", "--as-of", help="Date whose rules apply, YYYY-MM-DD; today when absent."),
    stream: bool = typer.Option(False, "--stream", help="Print each sentence as soon as its quotes are verified."),
) -> None:
    """Answer a question from the rules in force, every sentence with its quote; or say what is missing."""
    shell: Shell = ctx.obj
    if stream and shell.options.as_json:
        raise InputError("--stream prints as it goes and --json one document; choose one")
    if not question.strip() or len(question) > LONGEST_QUESTION:
        raise InputError(
            f"the question is empty or longer than {LONGEST_QUESTION:,} characters; ask in a sentence or two"
        )
    date = parse_date(as_of).isoformat() if as_of else today(shell.services.clock).isoformat()
    document = shell.run(_ask(shell, question, date, stream=stream))
    shell.show(document, answer_view)


async def _ask(shell: Shell, question: str, as_of: str, *, stream: bool) -> dict[str, Any]:
    services, principal = shell.services, shell.principal("review")
    run_id = new_run("ask")
    records = build_records(services)
    await records.begin(run_id, principal, "", kind=QUESTION)
    told = SentenceEvents(services.database, records, tenant=principal.tenant, run_id=run_id)
    allowance = whole_allowance(services.settings.budgets)
    context = CallContext(run_id=run_id, case_id="", tenant=principal.tenant, agent="answerer", allowance=allowance)
    budget = ToolBudget(limit=CALLS_PER_COMMAND, spent=0)
    release = services.release.current().release_id
    status: RunStatus = "failed"
    try:
        async with (
            build_gateway(services) as gateway,
            own_tools(services, principal, "policy-search", run_id=run_id, budget=budget) as tools,
        ):
            outlet = Printing(told) if stream else told
            found = await answer(tools, gateway, context, Asked(question=question, as_of=as_of, outlet=outlet))
        document = answer_document(found, run_id, as_of, release=release)
        recorder = ToolRecorder(services.contents, services.clock)
        kept = recorder.rows(question_step(principal.tenant, run_id), budget.made)
        await records.step(run_id, "answered", {**document, "question": question[:2000]}, beside=kept)
        status = "completed"
    finally:
        if status == "failed":
            async with services.database.write() as connection:
                await told.withdraw_standing(NOT_ANSWERED, connection=connection)
        await records.mark(run_id, status)
    return document


class Printing:
    """Prints sentences as they are told, and what is taken back."""

    def __init__(self, told: SentenceEvents) -> None:
        self._told = told

    async def show(self, number: int, sentence: ShownSentence) -> None:
        await self._told.show(number, sentence)
        self._print(f"{number}. {sentence.text}")

    async def withdraw(self, first: int, because: str) -> None:
        await self._told.withdraw(first, because)
        self._print(f"withdrawn from {first} on: {because}")

    def _print(self, line: str) -> None:
        sys.stdout.write(visible_text(line) + "\n")
        sys.stdout.flush()


def answer_view(document: dict[str, Any]) -> RenderableType:
    """An answer with its quotes, or the abstention with its reason."""
    if document["abstained"]:
        return Panel(Text(f"No answer: {document['reason']}"), title=Text("abstained"), border_style="yellow")
    quotes = [
        Text(f"  {item['document_id']} {item['version']}, {item['label']}: “{item['quote']}”", style="dim")
        for item in document["citations"]
    ]
    foot = Text(
        f"as of {document['as_of']}, index {document['index_version']}, model {document['model']}, "
        f"{document['release'] or 'no release'}, run {document['run_id']}",
        style="dim",
    )
    return Group(Panel(Text(document["answer"]), title=Text("answer"), border_style="green"), *quotes, foot)
