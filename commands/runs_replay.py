"""`casewright runs replay`: a run again, from what was recorded of it: without any model, server or effect.

The graph and its agents run over recorded tool results, model replies, answers of people and times; trail, states,
drafts, what was asked to be approved and the report are compared byte for byte. Beside it every model call is asked
anew by itself. With a candidate it says instead what other policies, prompts, models or another index would
change. Exit code 0: all is the same; 1: something differs, or its recording is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.errors import InputError
from commands.candidate_replay import Candidate, candidate_in, candidate_replay, candidate_view
from commands.option_groups import taking
from commands.orchestrator import build_protection
from commands.run_access import permitted_row
from commands.shell import Shell
from commands.tables import listing, stacked
from commands.whole_replay import whole_replay, whole_view

if TYPE_CHECKING:
    from casewright.models.replaying import ReplayedCall

_STYLES = {"same": "green", "differs": "bold red", "missing": "yellow"}


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """What was asked for."""

    run_id: str = typer.Argument(help="Run id.")
    with_candidate: Path | None = typer.Option(
        None, "--with-candidate", help="A folder with what may change: policies/, prompts/, models.toml, index.txt."
    )
    policies: Path | None = typer.Option(None, "--policies", help="Other policies, beside or instead of the folder's.")
    prompts: Path | None = typer.Option(None, "--prompts", help="Other prompts.")
    index: str = typer.Option("", "--index", help="Another kept state of the index; see `casewright corpus versions`.")

    @property
    def candidate(self) -> Candidate:
        """What would be changed.

        Raises:
            InputError: a folder or file is not there, or the folder holds nothing that could be tried.
        """
        found = candidate_in(self.with_candidate) if self.with_candidate is not None else Candidate()
        for given in (self.policies, self.prompts):
            if given is not None and not given.is_dir():
                raise InputError(f"{str(given)!r} is not a folder; name the changed one")
        return Candidate(
            policies=self.policies or found.policies,
            prompts=self.prompts or found.prompts,
            models=found.models,
            index=self.index or found.index,
        )


@taking(ReplayOptions)
def replay(ctx: typer.Context, options: ReplayOptions) -> None:
    """Replay a run from its recordings, without a model or an effect, and compare byte for byte; 1 if it differs."""
    shell: Shell = ctx.obj
    candidate = options.candidate
    if candidate != Candidate():
        changed = shell.run(candidate_replay(shell, options.run_id, candidate))
        shell.show(changed, candidate_view)
        raise typer.Exit(0 if changed["stays"] else 1)
    document = shell.run(_replay(shell, options.run_id))
    shell.show(document, _view)
    raise typer.Exit(0 if document["same"] else 1)


async def _replay(shell: Shell, run_id: str) -> dict[str, Any]:
    from casewright.models.kept_calls import KeptCalls
    from casewright.models.prompts import PromptLibrary
    from casewright.models.replaying import Replayer

    row, permission = await permitted_row(shell, run_id)
    services = shell.services
    calls = await KeptCalls(services.database, services.contents).of_run(row.tenant, row.run_id)
    replayer = Replayer(PromptLibrary(services.release.current().prompts), [build_protection(services)])
    replayed = [await replayer.replay(call) for call in calls]
    whole = await whole_replay(shell, row, permission)
    return {
        "run_id": row.run_id,
        "same": agrees(whole, replayed),
        "whole": whole,
        "calls": [_call(one) for one in replayed],
    }


def agrees(whole: dict[str, Any], calls: "Sequence[ReplayedCall]") -> bool:
    """Everything that was replayed is the same, and something was."""
    if not whole["replayed"] and not calls:
        return False
    return all(one.verdict == "same" for one in calls) and whole["same"] is not False


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
