"""`casewright bench review`: what a whole review costs, apart from a model's own time.

The offline provider answers at once, so what is measured is ours: guards, decisions, audit, stores, graph and
synchronous checkpoints. Beside it, in the same run, LangGraph alone with the same nodes and SQLite, each node answering
with what ours had answered. Cases are copies of a sample case, so each review does everything and executes its effect.
"""

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType

from casewright.config import Settings, app_root
from casewright.errors import CasewrightError
from commands.bench_process import environment, machine, run_command
from commands.bench_timing import percentile
from commands.shell import Shell
from commands.tables import new_table

if TYPE_CHECKING:  # the graph library is imported when reviews run
    from casewright.contracts.case import CaseFile
    from casewright.contracts.run import RunReport
    from casewright.services import Services
    from graphs.runner import ReviewRunner

CASE = "HL-2026-0012"
"""A final credit that one supervisor approves."""
REVIEWER, APPROVER = "rosa", "selma"
GOALS = {"review_ms": 400, "checkpoint_bytes": 100 * 1024, "event_ms": 50}
LONG_NOTE = "The customer described at length what had happened, and why it could not have been them. "


def register(app: typer.Typer) -> None:
    """Add the command to `casewright bench`."""
    app.command("review")(review)


def review(
    ctx: typer.Context,
    reviews: int = typer.Option(20, min=3, max=500, help="Timed reviews, each of a case of its own."),
    events: bool = typer.Option(True, help="Also follow a review over HTTP and time its events."),
) -> None:
    """Measure reviews end to end: to the approval, to the effect, beside LangGraph alone; checkpoints and events."""
    shell: Shell = ctx.obj
    before = machine()
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as folder:
        document = shell.run(_measure(shell, Path(folder), reviews, events=events))
    shell.show(document | {"goals": GOALS, "machine": before}, _view)


@dataclass(frozen=True, kw_only=True)
class _Took:
    """One review, in milliseconds."""

    to_approval: float
    to_effect: float
    """From the vote to the end."""
    inside_nodes: float
    steps: int
    report: "RunReport"

    @property
    def total(self) -> float:
        return self.to_approval + self.to_effect


async def _measure(shell: Shell, folder: Path, reviews: int, *, events: bool) -> dict[str, Any]:
    home = folder / "home"
    with shell.busy("setting up a data folder"):
        await run_command("--home", str(home), "--json", "init")
    settings = Settings.load(home=str(home), environment=environment(), app_root=app_root())
    with shell.busy(f"reviewing {reviews} cases"):
        document = await _reviews(settings, folder, reviews)
    if events:
        from commands.bench_events import event_latencies

        with shell.busy("following reviews over HTTP"):
            document["events"] = await event_latencies(home)
    return document


async def _reviews(settings: Settings, folder: Path, reviews: int) -> dict[str, Any]:
    from casewright.services import Services
    from commands.bench_graphs import bare_milliseconds, recorded_updates
    from commands.orchestrator import build_gateway, build_runner

    services = Services(settings)
    try:
        case_ids = await _import_copies(services, reviews + 2)
        async with build_gateway(services) as gateway:
            runner = build_runner(services, gateway)
            await _review(services, runner, case_ids[0])  # opens the index and the engine
            took = [await _review(services, runner, case_id) for case_id in case_ids[1:-1]]
            long = await _review(services, runner, case_ids[-1])
        updates = await recorded_updates(settings.checkpoints, took[-1].report.run_id)
        bare = await bare_milliseconds(folder / "bare.db", updates, reviews)
    finally:
        await services.close()
    return _document(settings.checkpoints, took, long, bare)


def _document(checkpoints: Path, took: Sequence[_Took], long: _Took, bare: Sequence[float]) -> dict[str, Any]:
    """The figures: whole reviews, the share of the graph, the checkpoints."""
    steps = statistics.median(one.steps for one in took)
    outside = [(one.total - one.inside_nodes) / one.steps for one in took]
    ours, alone = statistics.median(outside), statistics.median(bare) / steps
    sizes = [_stored_bytes(checkpoints, one.report.run_id) for one in took]
    return {
        "reviews": len(took),
        "steps": steps,
        "review_ms": _spread([one.total for one in took]),
        "to_approval_ms": _spread([one.to_approval for one in took]),
        "to_effect_ms": _spread([one.to_effect for one in took]),
        "tool_calls": took[-1].report.budget.spent.tool_calls,
        "framework_ms_per_step": round(ours, 3),
        "bare_langgraph_ms_per_step": round(alone, 3),
        "framework_ratio": round(ours / alone, 2),
        "checkpoint_bytes": {
            "median": int(statistics.median(sizes)),
            "largest": max(sizes),
            "long_documents": _stored_bytes(checkpoints, long.report.run_id),
        },
    }


async def _review(services: "Services", runner: "ReviewRunner", case_id: str) -> _Took:
    """One review from its start to its effect, with the vote in between (not timed).

    Raises:
        CasewrightError: it did not end as this case does, so that its time would mean nothing.
    """
    from graphs.records import RunRecords

    began = time.perf_counter()
    waiting = await runner.start(services.identities.find(REVIEWER), case_id)
    to_approval = (time.perf_counter() - began) * 1000
    if not waiting.pending:
        raise CasewrightError(f"the review of {case_id!r} asks for no approval: {waiting.status}, {waiting.because}")
    approver = services.identities.find(APPROVER)
    await services.approvals.vote(waiting.pending[0].approval_id, voter=approver, approve=True, note="")
    began = time.perf_counter()
    done = await runner.resume(approver.tenant, waiting.run_id)
    to_effect = (time.perf_counter() - began) * 1000
    if done.receipt is None:
        raise CasewrightError(f"the review of {case_id!r} executed nothing: {done.status}, {done.because}")
    steps = await RunRecords(services.database, services.clock).events(done.run_id, kind="step")
    inside = sum(float(event.body["milliseconds"]) for event in steps)
    return _Took(to_approval=to_approval, to_effect=to_effect, inside_nodes=inside, steps=len(done.steps), report=done)


async def _import_copies(services: "Services", count: int) -> list[str]:
    """Copies of the case, the last one with documents a hundred times as long; their ids."""
    importer = services.identities.find(APPROVER)
    cases = [_copy(number, long=number == count) for number in range(1, count + 1)]
    report = await services.cases.import_cases(cases, importer=importer)
    if report.skipped:
        raise CasewrightError(f"a copy of the case was not imported: {report.skipped[0]}")
    return [case.case_id for case in cases]


def _copy(number: int, *, long: bool) -> "CaseFile":
    from casewright.contracts.case import CaseFile

    path = app_root() / "casewright" / "sample" / "harborline" / "cases.json"
    sample = next(item for item in json.loads(path.read_text(encoding="utf-8")) if item["case_id"] == CASE)
    fields: dict[str, Any] = {"case_id": f"HL-2026-{9000 + number}", "assigned_to": [REVIEWER]}
    if long:
        fields["narrative"] = LONG_NOTE * 100
    return CaseFile.model_validate_json(json.dumps(sample | fields))


def _stored_bytes(checkpoints: Path, run_id: str) -> int:
    """What a run left in the checkpoint database."""
    queries = (
        "SELECT coalesce(sum(length(checkpoint) + length(metadata)), 0) FROM checkpoints WHERE thread_id = ?",
        "SELECT coalesce(sum(length(value)), 0) FROM writes WHERE thread_id = ?",
    )
    with sqlite3.connect(checkpoints) as connection:
        return sum(int(connection.execute(query, (run_id,)).fetchone()[0]) for query in queries)


def _spread(samples: Sequence[float]) -> dict[str, float]:
    return {f"p{share}": round(percentile(list(samples), share), 1) for share in (50, 95)}


def _view(document: dict[str, Any]) -> RenderableType:
    cores, calls = document["machine"]["cores"], document["tool_calls"]
    table = new_table(f"{document['reviews']} reviews of {calls} tool calls on {cores} cores", "what", "p50", "p95")
    told = {"review_ms": "a review", "to_approval_ms": "to its approval", "to_effect_ms": "from the vote to its end"}
    for name, what in told.items():
        table.add_row(f"{what}, ms", str(document[name]["p50"]), str(document[name]["p95"]))
    if "events" in document:
        table.add_row("an event to its client, ms", str(document["events"]["p50"]), str(document["events"]["p95"]))
    stored = document["checkpoint_bytes"]
    return Group(
        table,
        f"graph, a step: {document['framework_ms_per_step']} ms; "
        f"LangGraph alone: {document['bare_langgraph_ms_per_step']} ms; ratio {document['framework_ratio']}",
        f"checkpoints, a run: {stored['median']:,} bytes; with long documents: {stored['long_documents']:,}",
    )
