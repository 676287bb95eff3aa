"""Drives a run for a command in this process; if a worker has it, waits for what the worker reports.

The run is driven by the same code in both. A wait is bounded: it ends when nothing more happens to the run.
"""

import contextlib
import time

from casewright.contracts.run import RunReport
from casewright.errors import CasewrightError, UnavailableError
from casewright.services import Services
from commands.orchestrator import build_gateway, build_records, build_runner
from commands.run_access import shown_to_person
from commands.shell import Shell
from graphs.due import is_due
from graphs.lease import HeldElsewhereError
from graphs.records import RunRecords, RunRow
from graphs.watch import DatabaseWatch

LONGEST_SILENCE_SECONDS = 60
"""How long nothing may happen to a run that a worker has, before the wait for it ends."""
_LOOK_SECONDS = 0.5


async def drive(shell: Shell, row: RunRow) -> RunReport:
    """Drive the run until it waits, rests or ends.

    Raises:
        UnavailableError: another process has it and does not get on.
    """
    try:
        return await shown_to_person(shell, row, await _driven(shell, row))
    except Exception:
        await _say_what_comes_next(shell, row)
        raise


async def _driven(shell: Shell, row: RunRow) -> RunReport:
    services = shell.services
    with shell.busy(f"run {row.run_id}"):
        async with build_gateway(services) as gateway:
            await services.outbox.recover()
            try:
                return await build_runner(services, gateway).resume(row.tenant, row.run_id)
            except HeldElsewhereError:
                shell.note(f"another process works on {row.run_id}; waiting for what it reports")
        return await followed(services, build_records(services), row)


async def _say_what_comes_next(shell: Shell, row: RunRow) -> None:
    """Of a run whose step failed, here or elsewhere: whether and when it is tried again, and why it has to be."""
    with contextlib.suppress(CasewrightError):  # what failed is told in any case
        now = await build_records(shell.services).get(row.tenant, row.run_id)
        if now.report is not None and now.status in ("queued", "failed"):
            report = await shown_to_person(shell, now, now.report)
            shell.note(f"run {row.run_id} is {now.status}: {report.because}")


async def followed(services: Services, records: RunRecords, row: RunRow) -> RunReport:
    """The report of a run that another process drives, as soon as nothing can be done for it.

    Raises:
        UnavailableError: nothing happened to it for a while, and it does not rest.
    """
    now, heard, until = row, 0, time.monotonic() + LONGEST_SILENCE_SECONDS
    async with DatabaseWatch(services.settings.database) as watch:
        while time.monotonic() < until:
            seen = watch.changes
            now = await records.get(row.tenant, row.run_id)
            resting = not await is_due(services.database, services.clock.now_ns(), row.run_id)
            if resting and now.report is not None and now.status not in ("queued", "running"):
                return now.report
            events = await records.events(row.run_id, after=heard)
            if events:
                heard, until = events[-1].seq, time.monotonic() + LONGEST_SILENCE_SECONDS
            await watch.wait(seen, timeout_seconds=_LOOK_SECONDS)
    raise UnavailableError(
        f"run {row.run_id!r} is {now.status} and nothing happened to it for {LONGEST_SILENCE_SECONDS} seconds; it goes "
        f"on when a worker gets to it. `casewright runs show {row.run_id}` says how it stands"
    )
