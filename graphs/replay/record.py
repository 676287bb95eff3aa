"""What is on record of a review: its steps with their events, states, tool answers and model calls, as one value.

The graph's own events are told apart from those of whoever drove it. A step that failed or was repeated after a crash
has no part in the state that came of the run; only the attempt that the state stands on is replayed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from casewright.clock import NANOSECONDS
from casewright.errors import ConflictError
from casewright.models.kept_calls import KeptCall, KeptCalls, LostCall
from casewright.replay.kept_steps import KeptSteps, LostStep, PlayedStep
from casewright.services import Services
from graphs.records import RunEvent, RunRecords, RunRow
from graphs.replay.states import recorded_states
from graphs.spending import FAILED_STEP
from graphs.versions import GRAPH_VERSION, STATE_VERSION

UNCOUNTED = ("gate", "ask", "ask_person", "wrap")
"""Nodes that leave a place in the trail and no event."""
_OF_THE_GRAPH = (
    "suspected",
    "assessed",
    "researched",
    "drafted",
    "proposed",
    "executed",
    "asked",
    "heeded",
    "step",
)
_MS = NANOSECONDS // 1000


@dataclass(frozen=True, kw_only=True)
class RecordedStep:
    """One step that the run's state stands on."""

    number: int
    """Counted from 1, in the order of the trail."""
    node: str
    events: tuple[RunEvent, ...]
    """The last one is the step's own."""
    state: Mapping[str, Any]
    """After it."""
    before: int
    """Steps of the run before it, failed ones included; what its recording is kept under."""
    after_ns: int = 0
    """When what came before it had ended: the step before, or an attempt that failed or died."""

    @property
    def ended(self) -> RunEvent:
        return self.events[-1]

    @property
    def milliseconds(self) -> int:
        return int(self.ended.body["milliseconds"])

    @property
    def begun_ns(self) -> int:
        """As far as the record tells: the end less the whole milliseconds that it took."""
        return self.ended.at_ns - (self.milliseconds + 1) * _MS


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """A review as it was."""

    row: RunRow
    initial: Mapping[str, Any]
    states: tuple[Mapping[str, Any], ...]
    """After each place of the trail; those of nodes that only wait included."""
    steps: tuple[RecordedStep, ...]
    tools: Mapping[int, PlayedStep | LostStep]
    """By the steps of the run before it."""
    models: tuple[KeptCall | LostCall, ...]
    model_times: Mapping[str, int]
    """By call, when it was recorded, in nanoseconds since the epoch."""
    failed_attempts: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def trail(self) -> tuple[str, ...]:
        return tuple(self.states[-1]["trail"]) if self.states else ()

    def lacks(self, step: RecordedStep) -> str:
        """Why what the tools of a step answered is not there; empty: it is, or it called none."""
        kept = self.tools.get(step.before)
        if isinstance(kept, LostStep):
            return kept.problem
        if kept is not None:
            return "" if kept.node == step.node else f"its recording is that of {kept.node!r}"
        before = self.steps[step.number - 2].state if step.number > 1 else self.initial
        known = max(before.get("tool_calls", 0), before.get("inherited", {}).get("tool_calls", 0))
        called = step.state.get("tool_calls", 0) > known and not step.state.get("stop")
        return "its recording is not there; it was pruned or removed" if called else ""


class NotRecordedError(ConflictError):
    """Replay the model calls alone: the run has no recording of its tools, or present code is of another graph."""


async def recorded_run(services: Services, records: RunRecords, row: RunRow) -> RecordedRun:
    """Everything that is on record of a review.

    Raises:
        NotRecordedError: what a replay of the whole run needs is not on record.
        TamperedError: a row of its checkpoints was changed.
        StorageError: something cannot be read.
    """
    events = await records.events(row.run_id)
    _check_versions(row, events)
    initial, states = await recorded_states(services, row.run_id)
    tools = await KeptSteps(services.database, services.contents).of_run(row.tenant, row.run_id)
    if not states:
        raise NotRecordedError(f"run {row.run_id!r} has taken no step; there is nothing to replay")
    if not tools:
        raise NotRecordedError(
            f"run {row.run_id!r} has no recording of what its tools answered: it was run before there were any, or "
            "they were pruned; its model calls alone are replayed"
        )
    kept = KeptCalls(services.database, services.contents)
    return RecordedRun(
        row=row,
        initial=initial,
        states=states,
        steps=tuple(replace(one, after_ns=_after(one, events)) for one in _steps(states, attempts(events))),
        tools={one.number: one for one in tools},
        models=await kept.of_run(row.tenant, row.run_id),
        model_times=await kept.times_of_run(row.tenant, row.run_id),
        failed_attempts=sum(event.kind == FAILED_STEP for event in events),
    )


def attempts(events: Sequence[RunEvent]) -> list[tuple[RunEvent, ...]]:
    """The events of each attempt at a step that came to its end; of one that did not, nothing."""
    found: list[tuple[RunEvent, ...]] = []
    open_events: list[RunEvent] = []
    for event in events:
        if event.kind in (FAILED_STEP, "taken_over"):
            open_events = []
        elif event.kind in _OF_THE_GRAPH:
            open_events.append(event)
        if event.kind == "step":
            found.append(tuple(open_events))
            open_events = []
    return found


def _steps(states: Sequence[Mapping[str, Any]], found: list[tuple[RunEvent, ...]]) -> tuple[RecordedStep, ...]:
    """The attempts that the states stand on: of a step that was repeated, the last one."""
    places = [state for state in states if state["trail"][-1] not in UNCOUNTED]
    left = list(found)
    matched: list[RecordedStep] = []
    for number, state in reversed(list(enumerate(places, start=1))):
        node = state["trail"][-1]
        while left and left[-1][-1].body["node"] != node:
            left.pop()
        if not left:
            raise NotRecordedError(f"the record does not tell of step {number} ({node}); only its model calls are left")
        matched.append(
            RecordedStep(
                number=number, node=node, events=left.pop(), state=state, before=int(state.get("steps", 0)) - 1
            )
        )
    return tuple(reversed(matched))


def _after(step: RecordedStep, events: Sequence[RunEvent]) -> int:
    """Not from its milliseconds: on a busy machine its event is written long after they were taken."""
    return max((event.at_ns for event in events if event.seq < step.ended.seq and _parts_attempts(event)), default=0)


def _parts_attempts(event: RunEvent) -> bool:
    if event.kind == "status":
        return event.body.get("status") in ("queued", "running")
    return event.kind in ("step", FAILED_STEP, "taken_over")


def _check_versions(row: RunRow, events: Sequence[RunEvent]) -> None:
    known = (row.pins.get("graph"), row.pins.get("state"))
    if known != (GRAPH_VERSION, STATE_VERSION) or any(event.kind == "migrated" for event in events):
        raise NotRecordedError(
            f"run {row.run_id!r} was begun with graph and state {known}, here are {(GRAPH_VERSION, STATE_VERSION)}; "
            "its model calls alone are replayed"
        )
