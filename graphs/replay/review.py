"""Replays a review: the graph over what is on record of it, held against the record step by step.

Graph, nodes, router, agents, prompts, redaction, checks and repair are those of the present code; every tool result,
model reply, answer of a person, time and the waking are those of the record. The checkpoints of the replay stay in
memory. What people did to the run from outside (cancel, pause) ended it then, and ends the replay at the same place.
"""

import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, cast

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from casewright.config import Budgets
from casewright.contracts.approval import Approval, GatedResult
from casewright.contracts.question import RunQuestion
from casewright.contracts.recommendation import CaseAssessment, Recommendation
from casewright.contracts.run import BudgetLimits, RunReport
from casewright.models.prompts import PromptLibrary
from casewright.models.replaying import ReplayedCall, Replayer
from casewright.replay.made_call import MadeCall
from graphs.budget import Recorded
from graphs.desk import Desk
from graphs.records import RunRow
from graphs.replay.models import RecordedModels
from graphs.replay.parting import PartedError, Parting, UnknownError, first_difference
from graphs.replay.playback import Playback
from graphs.replay.record import UNCOUNTED, RecordedRun
from graphs.replay.states import state_values
from graphs.report import Findings, composed
from graphs.review import ReviewGraphs
from graphs.state import ReviewState
from graphs.wakeup import config_of, standing_of

_ENDED_BY_PEOPLE = ("cancelled", "paused", "failed", "queued", "running")
"""How the runner, not the graph, left a run; the graph's part is replayed up to there."""


@dataclass(frozen=True, kw_only=True)
class ReplayedReview:
    """What came of a replay."""

    steps: int
    """Steps on record."""
    same: int
    """Steps that went as recorded, to the byte."""
    nodes: tuple[str, ...]
    tool_calls: int
    models: tuple[ReplayedCall, ...]
    parting: Parting | None
    """The first difference; None: there is none."""
    unknown: str
    """Why the replay could not go on; empty: it did."""
    report: str
    """`same`, or why the report was not compared."""


@dataclass(frozen=True, kw_only=True)
class ReplayMeans:
    """What a replay works with."""

    prompts: PromptLibrary
    replayer: Replayer
    budgets: Budgets
    questions: tuple[RunQuestion, ...] = ()


def recorded_budgets(row: RunRow, present: Budgets) -> Budgets:
    """The limits that a run's report names; of an older report those of the present."""
    if row.report is None:
        return present
    limits = row.report.budget.limits
    named = {name: value for name, value in limits.model_dump().items() if value}
    return replace(present, **named) if len(named) == len(BudgetLimits.model_fields) else present


async def replay_review(run: RecordedRun, means: ReplayMeans) -> ReplayedReview:
    """The whole run again. Nothing is sent, and nothing is written."""
    playback = Playback(run, means.questions)
    models = RecordedModels(run.models, means.prompts, means.replayer)
    models.parted, models.times = playback.parted, run.model_times
    models.since_ns = lambda: playback.present.after_ns
    parting, unknown, report = None, "", ""
    try:
        values = await _driven(playback, models, means)
        _check_all_asked(run, models)
        report = _reported(run, playback, values, means)
    except PartedError as error:
        parting = error.parting
    except UnknownError as error:
        unknown = str(error)
    return ReplayedReview(
        steps=len(run.steps),
        same=playback.done - (1 if parting is not None and parting.what == "state" else 0),
        nodes=tuple(step.node for step in run.steps),
        tool_calls=len(playback.made),
        models=tuple(models.replayed),
        parting=parting,
        unknown=unknown,
        report=report,
    )


async def _driven(playback: Playback, models: RecordedModels, means: ReplayMeans) -> "_Rest":
    """Drive the graph to where the record ends."""
    desk = Desk(
        connections=playback,
        gateway=models,
        recorder=playback,
        wishes=playback,
        questions=playback,
        spending=playback,
        people=playback,
        budgets=means.budgets,
        clock=playback,
        inspection=playback,
    )
    run, saver, graphs = playback.run, InMemorySaver(), ReviewGraphs(desk)
    config = config_of(run.row.run_id)
    playback.forget = lambda: graphs.over(saver, run_id=run.row.run_id)
    graph = graphs.over(saver, run_id=run.row.run_id)
    wake: Any = dict(run.initial)
    while True:
        stream = graph.astream(wake, config, stream_mode="values", durability="sync")  # pyright: ignore[reportUnknownMemberType]
        async with aclosing(cast(Any, stream)) as emitted:
            async for values in emitted:
                reached = _compared(playback, state_values(values))
                if reached == len(run.states) and run.row.status in _ENDED_BY_PEOPLE:
                    return _Rest(values=state_values(values), waits=False)
        snapshot = await graph.aget_state(config)
        values = state_values(cast("dict[str, Any]", snapshot.values))
        place = len(values.get("trail", []))
        if not snapshot.interrupts or place == len(run.states):
            return _Rest(values=values, waits=bool(snapshot.interrupts), snapshot=snapshot)
        name = snapshot.next[0]
        if run.trail[place] != name:
            raise playback.parted("step", "node", json.dumps(run.trail[place]), json.dumps(name))
        wake = Command(resume={snapshot.interrupts[0].id: "woken"})


def _check_all_asked(run: RecordedRun, models: RecordedModels) -> None:
    """No recorded model call of a step was left out; those of attempts that failed or died are of no step."""
    for call in models.left:
        at_ns = run.model_times.get(call.record.call_id, 0)
        for step in run.steps:
            if step.after_ns < at_ns <= step.ended.at_ns:
                place = f"{call.record.task} would not be asked"
                raise PartedError(Parting(step=step.number, node=step.node, what="model", place=place))


@dataclass(frozen=True, kw_only=True)
class _Rest:
    """Where the graph came to rest."""

    values: Mapping[str, Any]
    waits: bool
    snapshot: Any = None


def _compared(playback: Playback, values: Mapping[str, Any]) -> int:
    """Hold a state against the recorded one at the same place of the trail; the place."""
    place = len(values.get("trail", []))
    states = playback.run.states
    if not place:
        return 0
    if place > len(states):
        raise playback.parted("step", f"it would go on with {values['trail'][-1]}, and the record ends here")
    found = first_difference(state_values(states[place - 1]), dict(values))
    if found is not None:
        node = str(values["trail"][-1])
        number = sum(name not in UNCOUNTED for name in values["trail"])
        raise PartedError(Parting(step=number, node=node, what="state", place=found[0], was=found[1], now=found[2]))
    return place


def _reported(run: RecordedRun, playback: Playback, rest: _Rest, means: ReplayMeans) -> str:
    """Compose the report anew and hold it against the last one that was kept."""
    kept = run.row.report
    if len(rest.values.get("trail", [])) < len(run.states):
        raise playback.parted("step", "it would end here, and the record goes on")
    if kept is None or rest.snapshot is None or run.row.status in _ENDED_BY_PEOPLE:
        return f"not compared: whoever drove the run left it {run.row.status}"
    if run.failed_attempts:
        return "not compared: what failed attempts spent stands in it"
    state = cast(ReviewState, dict(rest.values))
    stands = standing_of(state, rest.snapshot)
    release = str(run.row.pins.get("release", ""))
    findings = replace(_findings(playback, state, means), release=release)
    now = composed(state, findings, stands.status, stands.because)
    found = first_difference(_plain(kept), _plain(now))
    if found is not None:
        raise PartedError(Parting(step=0, node="", what="report", place=found[0], was=found[1], now=found[2]))
    return "same"


def _findings(playback: Playback, state: ReviewState, means: ReplayMeans) -> Findings:
    """What a report has from the stores, from what the replay saw instead."""
    assessed = [body for kind, body in playback.events if kind == "assessed"]
    saved = [call for call in playback.made if call.tool == "save_draft" and call.result and call.result["ok"]]
    gated = [GatedResult.model_validate_json(json.dumps(call.result)) for call in playback.made if _is_gated(call)]
    draft = saved[-1].arguments["recommendation"] if saved and state.get("draft_id") else None
    return Findings(
        recommendation=None if draft is None else Recommendation.model_validate_json(json.dumps(draft)),
        assessment=CaseAssessment.model_validate_json(json.dumps(assessed[-1])) if assessed else None,
        approval=_open_approval(gated),
        receipt=next((one.receipt for one in reversed(gated) if one.receipt is not None), None),
        asked=next((one for one in means.questions if one.state == "open"), None),
        spent=Recorded(calls=0, tokens=0, cost_micro=0, failed_steps=0, failed_ms=0),
        budgets=means.budgets,
    )


def _is_gated(call: MadeCall) -> bool:
    return call.tool in ("submit_action", "execute_action") and call.ending == "answered"


def _open_approval(gated: list[GatedResult]) -> Approval | None:
    """The approval that the run waits for: the last answer says so."""
    if not gated or gated[-1].status not in ("approval_required", "approved"):
        return None
    return gated[-1].approval


def _plain(report: RunReport) -> dict[str, Any]:
    return report.model_dump(mode="json")
