"""`casewright policy data`: kill switches and budgets that take effect with the next call everywhere.

`commands.policy` adds it. It changes live controls only; what is reviewed and shipped stays in the
policy folder, and those of the person's own tenant. Showing and changing them stays possible while
everything is switched off.
"""

import json
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from casewright.clock import iso
from casewright.contracts.controls import Controls
from casewright.contracts.principal import Principal
from casewright.controls.paths import LIMITS, PATHS
from casewright.controls.reviewed import ReviewedData
from commands.permission import permit
from commands.shell import Shell
from commands.tables import minute, new_table
from servers.permission import Deed

SETTING = "set_policy_data"
READING = "read_policy_data"
SET_HELP = (
    "Set one control: switches.everything true|false, switches.tools|agents|models|tenants a,b or +a or -a, "
    "limits.agent|user.tool_calls|steps NUMBER|default."
)


def register(policy: typer.Typer) -> None:
    """Add `data` to `casewright policy`."""
    app = typer.Typer(help="Show and change kill switches and budgets, at once in every process.", no_args_is_help=True)
    app.command("show")(show)
    # `-entry` is a value here, not an option
    app.command("set", help=SET_HELP, context_settings={"ignore_unknown_options": True})(set_value)
    app.command("history")(history)
    policy.add_typer(app, name="data")


def show(ctx: typer.Context) -> None:
    """Show the controls in force for your tenant beside the reviewed budgets and their ceilings."""
    shell: Shell = ctx.obj
    principal = shell.principal("authoring")
    shell.show(shell.run(_show(shell, principal)), _show_view)


async def _show(shell: Shell, principal: Principal) -> dict[str, Any]:
    await permit(shell.services, principal, Deed(name=READING, verb="read"))
    controls = await shell.services.controls.current(principal.tenant)
    return _document(controls, ReviewedData.read(shell.services.release.current().policies))


def set_value(
    ctx: typer.Context,
    path: str = typer.Argument(help=f"One of {', '.join(PATHS)}."),
    value: str = typer.Argument(help="What to set; for lists also +entry and -entry."),
    why: str = typer.Option(..., "--why", help="Why, for the record."),
) -> None:
    """Set one control and record who and why."""
    shell: Shell = ctx.obj
    principal = shell.principal("authoring")
    document = shell.run(_set(shell, principal, path, value, why))
    shell.show(document, _set_view)


async def _set(shell: Shell, principal: Principal, path: str, value: str, why: str) -> dict[str, Any]:
    deed = Deed(name=SETTING, verb="write", risk="high", arguments={"path": path[:200], "value": value[:1_000]})
    await permit(shell.services, principal, deed)
    reviewed = ReviewedData.read(shell.services.release.current().policies)
    change = await shell.services.controls.set(path, value, principal=principal, why=why, reviewed=reviewed)
    changed = {"path": change.path, "old": change.old, "new": change.new, "by": principal.id, "why": why}
    return {"changed": changed} | _document(change.controls, reviewed)


def history(
    ctx: typer.Context, limit: int = typer.Option(50, min=1, max=1_000, help="How many of the latest changes.")
) -> None:
    """List who changed which control when and why, newest first."""
    shell: Shell = ctx.obj
    principal = shell.principal("authoring")
    shell.show(shell.run(_history(shell, principal, limit)), _history_view)


async def _history(shell: Shell, principal: Principal, limit: int) -> dict[str, Any]:
    await permit(shell.services, principal, Deed(name=READING, verb="read"))
    found = await shell.services.controls.history(principal.tenant, limit=limit)
    return {
        "changes": [
            {
                "version": record.version,
                "at": iso(record.at_ns),
                "by": record.subject,
                "path": record.path,
                "value": json.loads(record.value),
                "why": record.why,
            }
            for record in found
        ]
    }


def _document(controls: Controls, reviewed: ReviewedData) -> dict[str, Any]:
    limits = {
        path: {
            "reviewed": reviewed.limits[key],
            "ceiling": reviewed.ceilings[key],
            "in_force": min(controls.limits.get(key[0], {}).get(key[1], reviewed.limits[key]), reviewed.ceilings[key]),
        }
        for path, key in LIMITS.items()
    }
    return {"version": controls.version, "switches": controls.switches.model_dump(mode="json"), "limits": limits}


def _show_view(document: dict[str, Any]) -> RenderableType:
    switches = document["switches"]
    off = new_table(f"Controls, version {document['version']}", "switched off", "")
    off.add_row("everything", "yes" if switches["everything"] else "no")
    for name in ("tools", "agents", "models", "tenants"):
        off.add_row(name, ", ".join(switches[name]) or "none")
    return Group(off, _limits_table(document["limits"]))


def _limits_table(limits: dict[str, Any]) -> Table:
    table = new_table("Budgets", "limit", "in force", "reviewed", "ceiling")
    for path, figures in limits.items():
        table.add_row(path, *(str(figures[name]) for name in ("in_force", "reviewed", "ceiling")))
    return table


def _set_view(document: dict[str, Any]) -> RenderableType:
    changed = document["changed"]
    told = (
        f"{changed['path']}: {json.dumps(changed['old'])} -> {json.dumps(changed['new'])}; in force with the next call"
    )
    return Group(Text(told, style="bold"), _show_view(document))


def _history_view(document: dict[str, Any]) -> RenderableType:
    table = new_table("Changes of controls", "version", "at", "by", "set", "why")
    for change in document["changes"]:
        told = f"{change['path']} = {json.dumps(change['value'], ensure_ascii=False)}"
        table.add_row(str(change["version"]), minute(change["at"]), change["by"], told, change["why"])
    return table
