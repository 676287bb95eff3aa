"""`casewright release shadow`: a release beside what is in force, on the same cases, in copies of the data folder.

Both sides review each case anew as it is now; nothing that either does leaves its copy, so there are no effects. What
they come to is compared when both have ended. A model service is asked for real where one is configured.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.canonical import digest
from casewright.contracts.run import RunReport
from casewright.errors import CasewrightError, DeniedError, InputError
from casewright.releases.scratch import scratch
from casewright.services import Services
from commands.option_groups import taking
from commands.orchestrator import build_gateway, build_records, build_runner
from commands.permission import permit
from commands.release_trial import SWITCH, tried
from commands.run_access import readable_row
from commands.shell import Shell
from commands.tables import new_table, stacked
from graphs.records import RunRow
from graphs.requests import KIND
from servers.permission import Deed

_SEEN = 500
_NOT_REVIEWED = "not reviewed"


@dataclass(frozen=True, kw_only=True)
class ShadowOptions:
    """Which release, and on what."""

    release_id: str = typer.Argument(help="The release to try beside what is in force.")
    runs: list[str] = typer.Option([], "--run", help="A review whose case is tried; may be given more than once.")
    last: int = typer.Option(10, "--last", min=1, max=200, help="Without --run: the cases of so many last reviews.")
    out: Path | None = typer.Option(None, "--out", help="Write the comparison into this new file, too.")


@taking(ShadowOptions)
def shadow(ctx: typer.Context, options: ShadowOptions) -> None:
    """Review the same cases with a release and with what is in force, in copies without effects, and compare."""
    shell: Shell = ctx.obj
    document = shell.run(_shadow(shell, options))
    if options.out is not None:
        _write(options.out, document)
    shell.show(document, _view)


async def _shadow(shell: Shell, options: ShadowOptions) -> dict[str, Any]:
    services, principal = shell.services, shell.principal("authoring")
    await permit(services, principal, Deed(name=SWITCH, verb="write", risk="high", arguments={"shadow": True}))
    release = await services.releases.get(options.release_id)
    await tried(shell, release, principal)
    rows = await _rows(shell, principal.tenant, options)
    now = services.release.current().release_id
    with shell.busy(f"reviewing {len(rows)} cases twice"):
        before = await _reviewed(services, now, rows)
        after = await _reviewed(services, release.release_id, rows)
    cases = [_compared(row, before[row.case_id], after[row.case_id]) for row in rows]
    move = await services.releases.move()
    document = {
        "release": release.release_id,
        "beside": now,
        "active": move.active,
        "previous": move.previous,
        "cases": cases,
        "differ": sum(bool(one["differences"]) for one in cases),
    }
    body = {name: document[name] for name in ("release", "beside", "differ")} | _spent(
        [*before.values(), *after.values()]
    )
    told = {**body, "cases": len(cases), "comparison": digest(json.loads(json.dumps(cases, default=str)))}
    await services.releases.note("release.shadowed", principal, told)
    return document


async def _rows(shell: Shell, tenant: str, options: ShadowOptions) -> list[RunRow]:
    """One review of each case, the newest, of those that the acting person may read."""
    records = build_records(shell.services)
    if options.runs:
        named = [await readable_row(shell, run_id) for run_id in options.runs]
    else:
        named = [row for row in await records.list(tenant, limit=_SEEN) if row.kind == KIND]
    found: dict[str, RunRow] = {}
    for row in named:
        if (
            row.kind == KIND
            and row.case_id not in found
            and len(found) < (len(named) if options.runs else options.last)
        ):
            try:
                found[row.case_id] = row if options.runs else await readable_row(shell, row.run_id)
            except DeniedError:  # a case that this person may not see is not compared for them
                continue
    if not found:
        raise InputError("there is no review that you may read to compare with; review a case, or name one with --run")
    return list(found.values())


async def _reviewed(services: Services, release_id: str, rows: Sequence[RunRow]) -> dict[str, dict[str, Any]]:
    """What each case comes to where this release is in force, by case."""
    with scratch(services.settings, release_id) as home:
        beside = Services(replace(services.settings, home=home), services.clock)
        try:
            async with build_gateway(beside) as gateway:
                runner = build_runner(beside, gateway)
                return {row.case_id: await _one(beside, runner, row) for row in rows}
        finally:
            await beside.close()


async def _one(services: Services, runner: Any, row: RunRow) -> dict[str, Any]:
    try:
        report = await runner.start(services.standings.find(row.subject), row.case_id, fresh=True)
    except CasewrightError as error:
        return {"status": _NOT_REVIEWED, "because": str(error)}
    return outcome(report)


def outcome(report: RunReport) -> dict[str, Any]:
    """What counts of a review: how it ended, what it proposes, on which clauses, for how much, in which time."""
    found, spent = report.recommendation, report.budget.spent
    cited = {
        f"{one.document_id} {one.version} {one.label}"
        for finding in (found.summary if found else ())
        for one in finding.citations
    }
    action = found.action if found else None
    return {
        "status": report.status,
        "action": f"{action.kind} {action.amount_minor} {action.currency}".strip() if action else "",
        "risk": found.risk if found else "",
        "citations": sorted(cited),
        "cost_micro": spent.cost_micro,
        "tokens": spent.tokens,
        "wall_clock_ms": spent.wall_clock_ms,
        "because": report.because,
        "release": report.release,
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Where two outcomes differ in what counts; cost and time are shown, and are no difference."""
    return [name for name in ("status", "action", "risk", "citations") if before.get(name) != after.get(name)]


def _spent(outcomes: Sequence[dict[str, Any]]) -> dict[str, int]:
    """What both sides spent on models; the accounts of the copies are gone with them."""
    return {name: sum(one.get(name, 0) for one in outcomes) for name in ("cost_micro", "tokens")}


def _compared(row: RunRow, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {
        "case_id": row.case_id,
        "run_id": row.run_id,
        "differences": differences(before, after),
        "before": before,
        "after": after,
    }


def _write(file: Path, document: dict[str, Any]) -> None:
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise InputError(f"{str(file)!r} cannot be written: {error.strerror}; name a new file") from error


def _view(document: dict[str, Any]) -> RenderableType:
    table = new_table(f"{document['release']} beside {document['beside'] or 'no release'}", "case", "now", "then", "")
    for one in document["cases"]:
        told = ", ".join(one["differences"]) or "the same"
        table.add_row(one["case_id"], _cell(one["before"]), _cell(one["after"]), told)
    return Group(table, Text(f"{document['differ']} of {len(document['cases'])} cases differ", style="bold"))


def _cell(side: dict[str, Any]) -> Text:
    if side["status"] == _NOT_REVIEWED:
        return stacked(side["status"], side["because"], style="red")
    spent = f"{side['wall_clock_ms']} ms, {side['tokens']} tokens, {side['cost_micro']} micro"
    return stacked(side["status"], side["action"], f"{len(side['citations'])} citations", spent)
