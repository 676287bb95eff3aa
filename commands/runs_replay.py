"""`casewright runs replay`: a run again, from what was recorded of it: without any model, server or effect.

The graph and its agents run over recorded tool results, model replies, answers of people and times; trail, states,
drafts, what was asked to be approved and the report are compared byte for byte. Beside it every model call is asked
anew by itself. Exit code 0: all is the same; 1: something differs, or its recording is not there.
"""

from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.config import app_root
from commands.orchestrator import build_protection
from commands.run_access import permitted_row
from commands.shell import Shell
from commands.tables import listing, stacked
from commands.whole_replay import whole_replay, whole_view

if TYPE_CHECKING:
    from casewright.models.replaying import ReplayedCall

_STYLES = {"same": "green", "differs": "bold red", "missing": "yellow"}


def replay(ctx: typer.Context, run_id: str = typer.Argument(help="Run id.")) -> None:
    """Replay a run from its recordings, without a model or an effect, and compare byte for byte; 1 if it differs."""
    shell: Shell = ctx.obj
    document = shell.run(_replay(shell, run_id))
    shell.show(document, _view)
    raise typer.Exit(0 if document["same"] else 1)


async def _replay(shell: Shell, run_id: str) -> dict[str, Any]:
    from casewright.models.kept_calls import KeptCalls
    from casewright.models.prompts import PromptLibrary
    from casewright.models.replaying import Replayer

    row, permission = await permitted_row(shell, run_id)
    services = shell.services
    calls = await KeptCalls(services.database, services.contents).of_run(row.tenant, row.run_id)
    replayer = Replayer(PromptLibrary(app_root() / "agents" / "prompts"), [build_protection(services)])
    replayed = [await replayer.replay(call) for call in calls]
    whole = await whole_replay(shell, row, permission)
    return {
        "run_id": row.run_id,
        "same": all(one.verdict == "same" for one in replayed) and whole["same"] is not False,
        "whole": whole,
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
    whole = whole_view(document["whole"])
    if not calls:
        return Group(whole, Text(f"run {document['run_id']} called no model"))
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
    return Group(whole, table, Text(f"{same} of {len(calls)} calls give the same answer, byte for byte"))
