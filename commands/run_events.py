"""`casewright runs events`: what a run did, and with --follow what it does, until it rests or ends."""

import sys
from collections.abc import Sequence, Sized
from dataclasses import replace
from typing import Any

import typer
from rich.console import RenderableType
from rich.table import Table

from casewright.clock import iso
from casewright.errors import InputError
from commands.orchestrator import build_records
from commands.run_access import permitted_row
from commands.shell import Shell
from commands.tables import new_table
from commands.visible import visible_text
from graphs.records import ENDED, RunEvent, RunRow
from graphs.watch import DatabaseWatch
from servers.permission import Permission
from servers.shown_records import record_reader

LOOK_SECONDS = 0.5


def add(app: typer.Typer) -> None:
    """Add the subcommand."""
    app.command("events")(events)


def events(
    ctx: typer.Context,
    run_id: str = typer.Argument(help="Run id."),
    after: int = typer.Option(0, "--after", min=0, help="Only what came after this number."),
    follow: bool = typer.Option(False, "--follow", help="Go on until the run has ended; Ctrl-C stops sooner."),
) -> None:
    """List what a run did, in order."""
    shell: Shell = ctx.obj
    if follow and shell.options.as_json:
        raise InputError("--follow prints as it goes and --json one document; choose one")
    if follow:
        shell.run(_follow(shell, run_id, after))
        return
    shell.show(shell.run(_events(shell, run_id, after)), _view)


async def _events(shell: Shell, run_id: str, after: int) -> dict[str, Any]:
    row, permission = await permitted_row(shell, run_id)
    found = await _shown(shell, row, permission, await build_records(shell.services).events(run_id, after=after))
    return {"run_id": run_id, "status": row.status, "events": [_document(event) for event in found]}


async def _follow(shell: Shell, run_id: str, after: int) -> None:
    (row, permission), records = await permitted_row(shell, run_id), build_records(shell.services)
    async with DatabaseWatch(shell.settings.database) as watch:
        while True:
            seen = watch.changes
            row = await records.get(row.tenant, run_id)  # first: an event that comes later is of a later status
            for event in await _shown(shell, row, permission, await records.events(run_id, after=after)):
                sys.stdout.write(visible_text(_line(event)) + "\n")
                after = event.seq
            sys.stdout.flush()
            if row.status in (*ENDED, "failed"):
                return
            await watch.wait(seen, timeout_seconds=LOOK_SECONDS)


async def _shown(
    shell: Shell, row: RunRow, permission: Permission | None, found: Sequence[RunEvent]
) -> Sequence[RunEvent]:
    """The events as the acting person may have them, on the case as it is now."""
    if not found:
        return found
    reader = await record_reader(shell.services, row, shell.acting("review"), permission)
    return [replace(event, body=reader.event(event.kind, event.body)) for event in found]


def _document(event: RunEvent) -> dict[str, Any]:
    return {"seq": event.seq, "at": iso(event.at_ns), "kind": event.kind, "body": event.body}


def _line(event: RunEvent) -> str:
    return f"{event.seq} {iso(event.at_ns)} {event.kind}: {_short(event.body)}"


def _short(body: dict[str, Any]) -> str:
    """The body's plain values; of what is longer only how much there is."""
    words = [f"{name} {value}" for name, value in body.items() if isinstance(value, str | int) and value != ""]
    longer: dict[str, Sized] = {name: value for name, value in body.items() if isinstance(value, list | dict)}
    return ", ".join((*words, *(f"{name} ({len(value)})" for name, value in longer.items() if len(value))))


def _view(document: dict[str, Any]) -> RenderableType:
    table: Table = new_table(f"Events of {document['run_id']}: {document['status']}", "no", "at", "what")
    for event in document["events"]:
        table.add_row(str(event["seq"]), event["at"], f"{event['kind']}: {_short(event['body'])}")
    return table
