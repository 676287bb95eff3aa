"""`casewright mcp doctor`: starts every configured server as its client would, and says what is wrong."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from casewright.clients.configuring import configured
from casewright.clients.files import read_configuration
from casewright.clients.places import CLIENTS, ClientName
from casewright.clients.references import MissingError, is_ours, resolve
from casewright.config import process_environment
from casewright.errors import CasewrightError, InputError
from commands.client_files import client_path
from commands.mcp_install import known_client
from commands.mcp_probe import Found, probe
from commands.shell import Shell
from commands.tables import new_table, stacked

INCOMPLETE = 5


def doctor(
    ctx: typer.Context,
    client: str = typer.Argument("", help=f"Only this one of {', '.join(CLIENTS)}."),
    seconds: float = typer.Option(20.0, min=1.0, max=300.0, help="How long one server may take."),
) -> None:
    """Start each configured server as the client would, list its tools, and say what to mend."""
    shell: Shell = ctx.obj
    chosen = (known_client(client),) if client else CLIENTS
    logging.getLogger("mcp").setLevel(logging.CRITICAL)  # what a broken server prints is the finding, said once
    results = shell.run(_examine(chosen, seconds))
    if not results:
        raise InputError(
            f"no server of ours is configured in {', '.join(chosen)}; `casewright mcp install CLIENT` does it"
        )
    states = {result["state"] for result in results}
    shell.show({"ok": "mend" not in states, "servers": results}, doctor_view)
    raise typer.Exit(1 if "mend" in states else INCOMPLETE if "unchecked" in states else 0)


async def _examine(clients: tuple[ClientName, ...], seconds: float) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    for client in clients:
        path = client_path(client, process_environment())
        try:
            entries = list(_ours(client, path))
        except CasewrightError as error:
            found = Found(state="mend", problem=str(error), way_out="mend the file; until then the client ignores it")
            results.append(_result(client, path, "", {}, found))
            continue
        for name, entry in entries:
            results.append(_result(client, path, name, entry, await _found(client, entry, seconds)))
    return results


def _ours(client: ClientName, path: Path) -> Iterator[tuple[str, Any]]:
    servers = configured(read_configuration(path) or "", client, path=str(path))
    return ((name, entry) for name, entry in servers.items() if is_ours(name, entry))


async def _found(client: ClientName, entry: Any, seconds: float) -> Found:
    try:
        return await probe(resolve(client, entry, process_environment()), seconds=seconds)
    except MissingError as error:
        if not error.name:
            return Found(state="unchecked", problem=f"{error.reference} is known inside the client alone")
        said = f"{client} fills in {error.reference} when it starts the server"
        return Found(
            state="unchecked", problem=said, way_out=f"set {error.name} for this command to try it with a value"
        )
    except ValueError as error:
        return Found(state="mend", problem=str(error), way_out="run `casewright mcp install` again")


def _result(client: ClientName, path: Path, name: str, entry: Any, found: Found) -> dict[str, Any]:
    address = isinstance(entry, Mapping) and "url" in entry
    return {
        "client": client,
        "path": str(path),
        "name": name,
        "transport": "http" if address else "stdio",
        "state": found.state,
        "era": found.era,
        "tools": list(found.tools),
        "ms": found.milliseconds,
        "problem": found.problem,
        "way_out": found.way_out,
    }


def doctor_view(document: dict[str, Any]) -> Table:
    """One line per server: what it answered, or what is wrong and what to do."""
    table = new_table("Servers as their clients start them", "client, server", "", "what came of it")
    styles = {"ok": "green", "mend": "bold red", "unchecked": "yellow"}
    for result in document["servers"]:
        good = f"{len(result['tools'])} tools, revision {result['era']}, {result['ms']} ms"
        told = stacked(good if result["state"] == "ok" else result["problem"], result["way_out"])
        who = stacked(result["client"], result["name"] or result["path"])
        table.add_row(who, Text(result["state"], style=styles[result["state"]]), told)
    return table
