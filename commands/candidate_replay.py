"""`casewright runs replay --with-candidate`: what other policies, prompts, models or another index change in a run.

It reads; nothing is put in force, asked of a model or written. Having recorded decisions decided again takes the
permission for that, beside the one to read the run; searches are made under the labels of who asks.
"""

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from casewright.clock import NANOSECONDS
from casewright.contracts.clause import SearchFilters
from casewright.errors import CasewrightError, InputError
from commands.orchestrator import build_protection, build_records
from commands.recorded_decisions import REPLAY, Selection, replayable, selected_records
from commands.run_access import permitted_row
from commands.shell import Shell
from commands.tables import new_table
from commands.whole_replay import sees_case
from graphs.inquiries import KIND as QUESTION

if TYPE_CHECKING:
    from casewright.contracts.recommendation import CaseAssessment
    from graphs.records import RunRow
    from graphs.replay.candidate import Place, Touched

_STYLES = {"stays": "green", "changes": "bold red", "unknown": "yellow"}
_MOST_DECISIONS = 2_000


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What would be changed; None and empty: as it is."""

    policies: Path | None = None
    prompts: Path | None = None
    models: Path | None = None
    index: str = ""


def candidate_in(folder: Path) -> Candidate:
    """What a folder holds of a candidate.

    Raises:
        InputError: it is no folder, or holds nothing that could be tried.
    """
    index = folder / "index.txt"
    try:
        found = Candidate(
            policies=folder / "policies" if (folder / "policies").is_dir() else None,
            prompts=folder / "prompts" if (folder / "prompts").is_dir() else None,
            models=folder / "models.toml" if (folder / "models.toml").is_file() else None,
            index=index.read_text(encoding="utf-8").strip() if index.is_file() else "",
        )
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the candidate {str(folder)!r} cannot be read: {error}; mend it") from error
    if found == Candidate():
        raise InputError(
            f"{str(folder)!r} holds no candidate; put policies/, prompts/, models.toml or index.txt (a state of "
            "`casewright corpus versions`) into it"
        )
    return found


async def candidate_replay(shell: Shell, run_id: str, candidate: Candidate) -> dict[str, Any]:
    """What becomes of every step of a run."""
    from graphs.replay.candidate import of_records, told_by_step

    row, permission = await permitted_row(shell, run_id)
    places = await _places(shell, row)
    touched: list[Touched] = of_records(places) if candidate.policies is not None or candidate.index else []
    if candidate.policies is not None:
        touched += await _policies(shell, row, candidate.policies, places)
        shows = await sees_case(shell, row, permission)
        touched += await _rules(shell, row, (candidate.policies, shows), places)
    if candidate.index:
        touched += _index(shell, row, candidate.index, places)
    if candidate.prompts is not None:
        touched += await _prompts(shell, row, candidate.prompts, places)
    if candidate.models is not None:
        touched += await _models(shell, row, candidate.models, places)
    told = told_by_step(places, touched)
    return {
        "run_id": row.run_id,
        "stays": not touched,
        "newly_permitted": sum(one.permissive for one in touched),
        "steps": [
            {"step": place.step, "node": place.node, "verdict": verdict, "because": because}
            for place, verdict, because in told
        ],
        "touched": [
            {"step": one.step, "node": one.node, "by": one.by, "verdict": one.verdict, "what": one.what}
            for one in touched
        ],
    }


async def _places(shell: Shell, row: "RunRow") -> "tuple[Place, ...]":
    from casewright.replay.kept_steps import PlayedStep
    from graphs.replay.candidate import Place
    from graphs.replay.question import recorded_question
    from graphs.replay.record import recorded_run

    services, records = shell.services, build_records(shell.services)
    if row.kind == QUESTION:
        kept = (await recorded_question(services, records, row)).tools
        calls, lacks = (kept.calls, "") if isinstance(kept, PlayedStep) else ((), kept.problem)
        return (Place(step=1, node="answerer", ended_ns=row.updated_ns, calls=calls, lacks=lacks),)
    run = await recorded_run(services, records, row)
    places: list[Place] = []
    for step in run.steps:
        kept, lacks = run.tools.get(step.before), run.lacks(step)
        calls = kept.calls if isinstance(kept, PlayedStep) and not lacks else ()
        places.append(Place(step=step.number, node=step.node, ended_ns=step.ended.at_ns, calls=calls, lacks=lacks))
    return tuple(places)


async def _policies(shell: Shell, row: "RunRow", folder: Path, places: "Sequence[Place]") -> "list[Touched]":
    from casewright.access.replay import replay
    from casewright.models.kept_calls import KeptCalls
    from graphs.replay.candidate import of_decisions, of_egress

    selection = Selection(tool="", since_ns=0, limit=_MOST_DECISIONS + 1, opened=True, deed=REPLAY, run_id=row.run_id)
    records = await selected_records(shell, selection)
    if len(records) > _MOST_DECISIONS:
        raise InputError(
            f"run {row.run_id!r} has more than {_MOST_DECISIONS} recorded decisions; use `casewright policy replay`"
        )
    times = {record.decision_id: record.at_ns for record in records}
    in_force, services = shell.services.release.current().policies, shell.services
    with shell.busy(f"deciding {len(records)} decisions again"):
        report = replay(in_force, folder, [replayable(record) for record in records])
    found = of_decisions(report, times, places)
    if _egress(in_force) != _egress(folder):
        kept = KeptCalls(services.database, services.contents)
        found += of_egress(places, await kept.times_of_run(row.tenant, row.run_id))
    return found


def _egress(policies: Path) -> dict[str, bytes]:
    """Rules and data by which it is decided what may leave for a model; they are no recorded decisions of a tool."""
    files = [*(policies / "casewright" / "egress").glob("*.rego"), *(policies / "data" / "egress").glob("*")]
    return {
        path.relative_to(policies).as_posix(): path.read_bytes()
        for path in files
        if path.is_file() and not path.name.endswith("_test.rego")
    }


async def _rules(
    shell: Shell, row: "RunRow", candidate: tuple[Path, bool], places: "Sequence[Place]"
) -> "list[Touched]":
    """The assessment of the case by both, on the day on which it was assessed last.

    Args:
        candidate: the other policies, and whether the reader may see all of the case: rules of their own could say it.
    """
    from casewright.access.embedded import EmbeddedEngine
    from casewright.cases.assessment import assess
    from graphs.replay.candidate import of_rules

    folder, shows = candidate
    stored = await shell.services.cases.load(row.tenant, row.case_id) if row.case_id and shows else None
    days = [place.ended_ns for place in places if any(call.tool == "assess_case" for call in place.calls)]
    if not days or stored is None:
        return of_rules(places, None, None)
    day = dt.datetime.fromtimestamp(days[-1] // NANOSECONDS, tz=dt.UTC).date()
    said: list[CaseAssessment | None] = []
    with tempfile.TemporaryDirectory() as vetted:
        for policies in (shell.services.release.current().policies, folder):
            engine = EmbeddedEngine.load(policies, cache=Path(vetted))
            try:
                said.append(assess(stored.case, engine=engine, today=day))
            except CasewrightError:
                said.append(None)
            finally:
                engine.close()
    return of_rules(places, said[0], said[1])


def _index(shell: Shell, row: "RunRow", version: str, places: "Sequence[Place]") -> "list[Touched]":
    from graphs.replay.candidate import of_searches

    corpus, principal = shell.services.corpus, shell.acting("review")
    own = str(row.pins.get("index_version", "")) or corpus.index_version()
    filters = SearchFilters(
        tenant=row.tenant,
        labels=principal.labels,
        as_of=dt.datetime.fromtimestamp(row.created_ns // NANOSECONDS, tz=dt.UTC).date(),
    )
    return of_searches(places, (corpus.at(own), corpus.at(version)), filters)


async def _prompts(shell: Shell, row: "RunRow", folder: Path, places: "Sequence[Place]") -> "list[Touched]":
    from casewright.models.kept_calls import KeptCalls
    from casewright.models.prompts import PromptLibrary
    from casewright.models.replaying import Replayer
    from casewright.models.tasks import TASKS
    from graphs.replay.candidate import of_prompts

    services = shell.services
    kept = KeptCalls(services.database, services.contents)
    calls = await kept.of_run(row.tenant, row.run_id)
    library = PromptLibrary(folder)
    for task in TASKS.values():
        library.for_task(task)  # a prompt that fits no task is no candidate
    replayer = Replayer(library, [build_protection(services)])
    return await of_prompts(places, calls, await kept.times_of_run(row.tenant, row.run_id), replayer)


async def _models(shell: Shell, row: "RunRow", file: Path, places: "Sequence[Place]") -> "list[Touched]":
    """Tasks of the run that would be asked of another model first."""
    from casewright.models.configured import Configured
    from casewright.models.kept_calls import KeptCalls
    from casewright.models.model_settings import read_model_settings
    from graphs.replay.candidate import Touched, place_at

    services = shell.services
    other = read_model_settings(_text(file), str(file))
    before, after = (Configured(settings=services.settings, models=one) for one in (services.models, other))
    kept = KeptCalls(services.database, services.contents)
    times = await kept.times_of_run(row.tenant, row.run_id)
    found: list[Touched] = []
    for call in await kept.of_run(row.tenant, row.run_id):
        record = call.record
        was, now = before.first(record.risk), after.first(record.risk)
        if was != now:
            place = place_at(places, times.get(record.call_id, 0))
            what = f"{record.task} would be asked of {now!r} first, not of {was!r}; the answer is unknown from here"
            found.append(Touched(step=place.step, node=place.node, by="model", verdict="unknown", what=what))
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the models file {str(file)!r} cannot be read: {error}; mend it") from error


def candidate_view(document: dict[str, Any]) -> RenderableType:
    """Each step with what becomes of it, and everything that is touched."""
    table = new_table(f"{document['run_id']} with the candidate", "step", "what becomes of it", "because")
    for one in document["steps"]:
        verdict = Text(one["verdict"], style=_STYLES[one["verdict"]])
        table.add_row(f"{one['step']} {one['node']}", verdict, Text(one["because"]))
    rows: list[RenderableType] = [table]
    rows += [Text(f"{one['by']}, step {one['step']}: {one['what']}") for one in document["touched"]]
    counts = [f"{sum(one['verdict'] == name for one in document['steps'])} {name}" for name in _STYLES]
    permitted = document["newly_permitted"]
    rows.append(Text(f"steps: {', '.join(counts)}; {permitted} decision(s) let through more", style="bold"))
    return Group(*rows)
