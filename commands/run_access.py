"""Which run a command is about, and whether the acting person may read, steer or answer it."""

from casewright.errors import InputError
from commands.orchestrator import build_records
from commands.permission import TERMINAL, say_watermark
from commands.shell import Shell
from graphs.inquiries import KIND as QUESTION
from graphs.records import RunRow
from graphs.requests import RunRequests
from servers.permission import Deed
from servers.readable import READ, permit_on_run


def build_requests(shell: Shell) -> RunRequests:
    """What people ask of runs, over the shell's stores."""
    services = shell.services
    return RunRequests(services, build_records(services), services.questions)


async def readable_row(shell: Shell, run_id: str) -> RunRow:
    """A run that the acting person may read.

    Raises:
        NotFoundError: there is none with this id.
        DeniedError: they may not read it.
    """
    row = await build_records(shell.services).get(shell.principal("review").tenant, run_id)
    await _permit(shell, row, READ)
    return row


async def permitted_review(shell: Shell, run_id: str, deed: Deed) -> RunRow:
    """A review that the acting person may read, and do `deed` to.

    Raises:
        InputError: there is none with this id, or the run is a question.
        DeniedError: they may not.
    """
    row = await readable_row(shell, run_id)
    if row.kind == QUESTION:
        raise InputError(f"run {row.run_id!r} is a question and has ended; ask again with `casewright ask`")
    await _permit(shell, row, deed)
    return row


async def _permit(shell: Shell, row: RunRow, deed: Deed) -> None:
    say_watermark(await permit_on_run(shell.services, shell.acting("review"), row, deed, session=TERMINAL))
