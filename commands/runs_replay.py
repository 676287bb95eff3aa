"""`casewright runs replay`: the model calls of a run again, from what was recorded of them, without any model.

Every call is asked anew with its recorded input by the present prompts, redaction, validation and repair, and answered
from its recording; the answers are compared byte for byte. Tools and the graph are not replayed. Exit code 0: every
call is the same; 1: one differs, or its recording is not there.
"""

from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.config import app_root
from commands.orchestrator import build_protection
from commands.run_access import readable_row
from commands.shell import Shell
from commands.tables import listing, stacked

if TYPE_CHECKING:
    from casewright.models.replaying import ReplayedCall

_STYLES = {"same": "green", "differs": "bold red", "missing": "yellow"}


def replay(ctx: typer.Context, run_id: str = typer.Argument(help="Run id.")) -> None:
    """Replay the model calls of a run from their recordings and compare the answers byte for byte; 1 if any differs."""
    shell: Shell = ctx.obj
    document = shell.run(_replay(shell, run_id))
    shell.show(document, _view)
    raise typer.Exit(0 if document["same"] else 1)


async def _replay(shell: Shell, run_id: str) -> dict[str, Any]:
    from casewright.models.kept_calls import KeptCalls
    from casewright.models.prompts import PromptLibrary
    from casewright.models.replaying import Replayer

    row = await readable_row(shell, run_id)
    services = shell.services
    calls = await KeptCalls(services.database, services.contents).of_run(row.tenant, row.run_id)
    replayer = Replayer(PromptLibrary(app_root() / "agents" / "prompts"), [build_protection(services)])
    replayed = [await replayer.replay(call) for call in calls]
    return {
        "run_id": row.run_id,
        "same": all(one.verdict == "same" for one in replayed),
        "calls": [_call(one) for one in replayed],
    }


def _call(call: "ReplayedCall") -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "task": call.task,
        "agent": call.agent,
        "exchanges": call.exchanges,
        "verdict": call.verdict,
        "where": call.where,
    }


def _view(document: dict[str, Any]) -> RenderableType:
    calls = document["calls"]
    if not calls:
        return Text(f"run {document['run_id']} called no model")
    rows: list[tuple[RenderableType, ...]] = [
        (
            call["call_id"] or "not recorded",
            stacked(call["task"], call["agent"]),
            str(call["exchanges"]),
            stacked(call["verdict"], call["where"], style=_STYLES[call["verdict"]]),
        )
        for call in calls
    ]
    table = listing(
        f"Model calls of {document['run_id']}",
        ("call", "task", "exchanges", "replayed"),
        rows,
        ids=[call["call_id"] for call in calls],
    )
    same = sum(call["verdict"] == "same" for call in calls)
    return Group(table, Text(f"{same} of {len(calls)} calls give the same answer, byte for byte"))
