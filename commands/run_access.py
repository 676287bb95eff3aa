"""Which run a command is about, and whether the acting person may read, steer or answer it."""

from dataclasses import replace

from casewright.contracts.run import RunReport
from casewright.errors import InputError
from commands.orchestrator import build_records
from commands.permission import TERMINAL, say_watermark
from commands.shell import Shell
from graphs.inquiries import KIND as QUESTION
from graphs.records import RunRow
from graphs.requests import RunRequests
from servers.permission import Deed, Permission
from servers.readable import READ, permit_on_run
from servers.shown import shown_report


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
    return (await permitted_row(shell, run_id))[0]


async def permitted_row(shell: Shell, run_id: str) -> tuple[RunRow, Permission | None]:
    """The same with the permission to read its case; None: it is a question, which is about no case.

    Raises:
        NotFoundError: there is none with this id.
        DeniedError: they may not read it.
    """
    row = await build_records(shell.services).get(shell.principal("review").tenant, run_id)
    permission = await _permit(shell, row, READ)
    if row.report is None or permission is None:
        return row, permission
    report = await shown_report(shell.services, row.report, permission, own=is_own(shell, row))
    return replace(row, report=report), permission


async def shown_to_person(shell: Shell, row: RunRow, report: RunReport) -> RunReport:
    """A report of the run as the acting person may read it.

    Raises:
        DeniedError: they may not read it.
    """
    permission = await permit_on_run(shell.services, shell.acting("review"), row, READ, session=TERMINAL)
    if permission is None:
        return report
    return await shown_report(shell.services, report, permission, own=is_own(shell, row))


def is_own(shell: Shell, row: RunRow) -> bool:
    """Whether the run was the acting person's."""
    return row.subject == shell.acting("review").id


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


async def _permit(shell: Shell, row: RunRow, deed: Deed) -> Permission | None:
    permission = await permit_on_run(shell.services, shell.acting("review"), row, deed, session=TERMINAL)
    say_watermark(permission.duties.watermark if permission is not None else "")
    return permission
