"""`casewright eval inspect`: one suite under Inspect AI, for its log viewer and its static report. It decides nothing.

Inspect is not beside the product: `scripts/get-evals` brings it to an environment of its own, and a process of that
environment goes through the cases. Needs no data folder; it makes one of the sample organisation.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import typer
from rich.console import RenderableType

from casewright.config import app_root
from casewright.errors import CasewrightError, InputError, UnavailableError
from commands.shell import Shell
from commands.tables import stacked

_INIT_SECONDS = 180
_SECONDS = 3_600


def add(app: typer.Typer) -> None:
    """Put the command into the group."""
    app.command("inspect")(inspect)


def inspect(
    ctx: typer.Context,
    suite: str = typer.Argument(help="A suite by name."),
    out: Path = typer.Option(..., "--out", help="A new folder for log and report."),
    full: bool = typer.Option(False, "--full", help="Every case, and not the fast selection only."),
    control: bool = typer.Option(False, "--control", help="Without enforcement, of a suite that has this."),
    option: list[str] = typer.Option([], "-o", "--option", metavar="NAME=VALUE", help="An option of the suite."),
) -> None:
    """Go through one suite under Inspect AI: a log for `inspect view`, and a static report for any web server."""
    from evals.registry import suite_of

    shell: Shell = ctx.obj
    if control and not suite_of(suite).has_control:
        raise InputError(f"the suite {suite!r} has no run without enforcement; leave out --control")
    folder = _new_folder(out, suite_of(suite).name)
    switches = [*(["--full"] if full else []), *(["--control"] if control else [])]
    document = asyncio.run(_inspected(suite, folder, [*switches, "--options", json.dumps(_options(option))]))
    shell.show(document, view)


def view(document: dict[str, Any]) -> RenderableType:
    """Where to look."""
    return stacked(
        f"log: {document['log']}",
        f"report: {document['report']} (serve it: python -m http.server -d {document['report']})",
    )


def _new_folder(out: Path, suite: str) -> Path:
    folder = out.absolute()
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{str(out)!r} is not empty; name a new folder for {suite!r}")
    (folder / "work").mkdir(parents=True)
    return folder


def _options(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    wrong = next((name for name, sign, _ in pairs if not name or not sign), None)
    if wrong is not None:
        raise InputError(f"the option {wrong!r} is not NAME=VALUE")
    return {name: value for name, _, value in pairs}


async def _inspected(suite: str, folder: Path, switches: list[str]) -> dict[str, Any]:
    from commands.eval_run import shared_folder
    from evals.agentdojo.bench import default_environment, python_of

    python = python_of(default_environment())
    installation = folder / "installation"
    await _said(
        [sys.executable, "-m", "casewright.launch", "init", "--home", str(installation), "--json"], _INIT_SECONDS
    )
    shared = shared_folder()
    places = ["--installation", str(installation), "--work", str(folder / "work"), "--out", str(folder)]
    named = ["--shared", str(shared)] if shared else []
    said = await _said([str(python), "-m", "evals.inspecting", suite, *places, *named, *switches], _SECONDS)
    document: dict[str, Any] = json.loads(said.splitlines()[-1])
    if document.get("problem"):
        raise UnavailableError(str(document["problem"]))
    return document


async def _said(command: list[str], seconds: float) -> str:
    """What a process printed; it sees no key and no setting of the one at hand."""
    from evals.processes import environment

    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=app_root(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=environment(os.environ) | {"INSPECT_DISPLAY": "none"},
    )
    try:
        out, words = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError as error:
        raise UnavailableError(f"{command[2]!r} was not done after {seconds:g} seconds; name fewer cases") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = out.decode(errors="replace")
    if process.returncode != 0 and '"problem"' not in text:
        raise CasewrightError(
            f"{command[2]!r} ended with {process.returncode}: {words.decode(errors='replace')[-500:]}"
        )
    return text
