"""`casewright models prune`: removes old recordings of model calls and of what tools answered.

The audit keeps that the calls were made and what they cost; a run whose recordings were pruned cannot be replayed.
"""

from typing import Any

import typer
from rich.text import Text

from casewright.clock import NANOSECONDS, iso
from commands.permission import permit
from commands.shell import Shell
from servers.permission import Deed

_DAY_NS = 24 * 3600 * NANOSECONDS


def add(app: typer.Typer) -> None:
    """Add the command to `casewright models`."""
    app.command("prune")(prune)


def prune(
    ctx: typer.Context,
    older_than: int = typer.Option(
        ..., "--older-than", min=0, max=36_500, help="In days; 0: all of them. For supervisors."
    ),
) -> None:
    """Remove what is recorded of model and tool calls longer ago than that, and answers kept since then; audited."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_prune(shell, older_than)), _view)


async def _prune(shell: Shell, days: int) -> dict[str, Any]:
    from casewright.audit.entry import AuditEntry
    from casewright.models.kept_calls import KeptCalls
    from casewright.replay.kept_steps import KeptSteps

    services, principal = shell.services, shell.principal("audit")
    await permit(services, principal, Deed(name="prune_recordings", verb="write", risk="high"))
    before_ns = services.clock.now_ns() - days * _DAY_NS
    kept = KeptCalls(services.database, services.contents)
    recorded = KeptSteps(services.database, services.contents)
    async with services.database.write() as connection:
        removed = await kept.remove_before(principal.tenant, before_ns, connection=connection)
        steps = await recorded.remove_before(principal.tenant, before_ns, connection=connection)
        counts = {
            "calls": removed.calls,
            "exchanges": removed.exchanges,
            "texts": removed.contents,
            "answers": removed.answers,
            "steps": steps,
        }
        body = {**counts, "older_than_days": days, "before": iso(before_ns)}
        entry = AuditEntry(kind="models.pruned", tenant=principal.tenant, subject=principal.id, body=body)
        await services.audit.append(entry, connection=connection)
    return {"tenant": principal.tenant, **body}


def _view(document: dict[str, Any]) -> Text:
    return Text(
        f"removed what was kept of {document['calls']} calls of {document['tenant']} before {document['before']}: "
        f"{document['exchanges']} exchanges, {document['texts']} texts, {document['answers']} kept answers, "
        f"{document['steps']} steps of runs"
    )
