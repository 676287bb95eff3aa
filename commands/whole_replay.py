"""A whole run again, for `casewright runs replay`: the record is read, replayed and told as a document.

What a reader may not see of a case is not told: then a difference has its place alone.
"""

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from casewright.services import Services
from commands.orchestrator import build_protection, build_records
from commands.run_access import is_own
from commands.shell import Shell
from graphs.inquiries import KIND as QUESTION
from graphs.records import RunRow
from servers.permission import Permission

if TYPE_CHECKING:
    from graphs.replay.parting import Parting
    from graphs.replay.review import ReplayMeans

_SHOWN = 400


async def whole_replay(shell: Shell, row: RunRow, permission: Permission | None) -> dict[str, Any]:
    """Replay everything of a run; `replayed` is False where its record does not hold enough, with the reason."""
    from graphs.replay.record import NotRecordedError

    kept = await build_records(shell.services).get(row.tenant, row.run_id)  # as it is, not as it may be shown
    shows = await _sees_all(shell, row, permission)
    try:
        found = await (_question(shell, kept) if row.kind == QUESTION else _review(shell, kept))
    except NotRecordedError as error:
        return {"replayed": False, "because": str(error), "same": None}
    parting = found.pop("parting")
    same = parting is None and not found["unknown"]
    return {"replayed": True, "same": same, **found, "difference": _difference(parting, shows=shows)}


async def replay_means(services: Services, row: RunRow) -> "ReplayMeans":
    """Present prompts and redaction, and the limits that the run had."""
    from casewright.models.prompts import PromptLibrary
    from casewright.models.replaying import Replayer
    from graphs.replay.review import ReplayMeans, recorded_budgets

    prompts = PromptLibrary(services.release.current().prompts)
    return ReplayMeans(
        prompts=prompts,
        replayer=Replayer(prompts, [build_protection(services)]),
        budgets=recorded_budgets(row, services.settings.budgets),
        questions=await services.questions.of_run(row.tenant, row.run_id),
    )


async def _review(shell: Shell, row: RunRow) -> dict[str, Any]:
    from graphs.replay.record import recorded_run
    from graphs.replay.review import replay_review

    services = shell.services
    run = await recorded_run(services, build_records(services), row)
    found = await replay_review(run, await replay_means(services, row))
    return {
        "steps": found.steps,
        "steps_same": found.same,
        "tool_calls": found.tool_calls,
        "model_calls": len(found.models),
        "unknown": found.unknown,
        "report": found.report,
        "parting": found.parting,
    }


async def _question(shell: Shell, row: RunRow) -> dict[str, Any]:
    from graphs.replay.question import recorded_question, replay_question

    services = shell.services
    question = await recorded_question(services, build_records(services), row)
    found = await replay_question(question, await replay_means(services, row))
    same = found.parting is None and not found.unknown
    return {
        "steps": 1,
        "steps_same": int(same),
        "tool_calls": found.tool_calls,
        "model_calls": len(found.models),
        "unknown": found.unknown,
        "report": "same" if same else "",
        "parting": found.parting,
    }


async def _sees_all(shell: Shell, row: RunRow, permission: Permission | None) -> bool:
    """Whether nothing that the run was shown is withheld from the reader; a question is about no case."""
    if permission is None or (permission.duties.redact_above is None and permission.decision.filters.sealed is True):
        return True
    return is_own(shell, row) and await sees_case(shell, row, permission)


async def sees_case(shell: Shell, row: RunRow, permission: Permission | None) -> bool:
    """Whether nothing of the run's case as it is now is withheld from the reader; False: it is gone."""
    from casewright.cases.views import view

    stored = await shell.services.cases.load(row.tenant, row.case_id) if row.case_id else None
    if stored is None or permission is None:
        return False
    filters, above = permission.decision.filters, permission.duties.redact_above
    return view(stored.case, filters=filters, above=above) == stored.case


def _difference(parting: "Parting | None", *, shows: bool) -> dict[str, Any] | None:
    if parting is None:
        return None
    told = {"step": parting.step, "node": parting.node, "what": parting.what, "place": parting.place}
    values = {"was": parting.was[:_SHOWN], "now": parting.now[:_SHOWN]} if shows else {"was": "", "now": ""}
    return told | values | {"withheld": not shows and bool(parting.was or parting.now)}


def whole_view(whole: dict[str, Any]) -> RenderableType:
    """What came of it, for people."""
    if not whole["replayed"]:
        return Text(whole["because"], style="yellow")
    counted = f"{whole['tool_calls']} tool calls, {whole['model_calls']} model calls, report: {whole['report'] or '—'}"
    if whole["same"]:
        return Text(f"the whole run again, {whole['steps']} steps, byte for byte the same; {counted}", style="green")
    parts: list[RenderableType] = [Text(f"{whole['steps_same']} of {whole['steps']} steps are the same; {counted}")]
    if whole["unknown"]:
        parts.append(Text(f"what comes then cannot be known: {whole['unknown']}", style="yellow"))
    if (parting := whole["difference"]) is not None:
        where = f"step {parting['step']} ({parting['node']})" if parting["step"] else "the whole"
        parts.append(Text(f"{where} differs: {parting['what']} {parting['place']}", style="bold red"))
        if parting["was"] or parting["now"]:
            parts += [Text(f"  was {parting['was']}"), Text(f"  is  {parting['now']}")]
        elif parting["withheld"]:
            parts.append(Text("  (you may not see the values)", style="dim"))
    return Group(*parts)
