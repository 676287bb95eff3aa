"""Judges the recorded trail of a review: who took part, in which order, with which tools, within which bounds.

Pure: a trail and what is expected of it in, deviations out, each with the events that show it. It knows the allowed
orders and tools by itself (`ORDER`, `TOOLS`), so that a graph or a policy that changed its mind is found. What was done
on the case and who agreed to it is judged in `evals.scorers.consent`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import Stage
from casewright.contracts.event import AuditEvent
from casewright.contracts.run import RunStatus
from evals.reviewing.trail import RunTrail, Trail

ORDER: tuple[tuple[str, str, str], ...] = (
    ("intake", "facts_analyst", ""),
    ("facts_analyst", "evidence_checker", ""),
    ("evidence_checker", "policy_researcher", ""),
    ("policy_researcher", "drafter", ""),
    ("evidence_checker", "drafter", "reading"),
    ("drafter", "verify", ""),
    ("verify", "propose", "drafter"),
    ("propose", "act", ""),
)
"""What has to be before what; with a third name, since the last of that. `reading` is an event, all else are steps."""
TOOLS: Mapping[str, frozenset[str]] = {
    "intake": frozenset({"get_case"}),
    "facts_analyst": frozenset(
        {"get_case", "list_transactions", "list_communications", "list_evidence", "get_evidence", "get_timeline"}
    ),
    "evidence_checker": frozenset({"check_evidence", "assess_case"}),
    "policy_researcher": frozenset(
        {"search_policies", "get_clause", "get_clauses", "compare_versions", "list_documents"}
    ),
    "drafter": frozenset({"save_draft", "get_draft"}),
    "verifier": frozenset({"verify_draft", "get_draft"}),
    "executor": frozenset({"submit_action", "execute_action"}),
}
"""All that each agent may ever be allowed to call."""
CALLS = ("call.allowed", "call.denied")
MODEL_TASKS = {"intake.classify": "intake", "research.select": "policy_researcher", "draft.recommendation": "drafter"}
"""Which agent asks a model for what."""


class Bounds(Contract):
    """The most that one run may do; 0: nothing at all."""

    steps: int = 40
    calls: int = 60
    models: int = 12


class Expected(Contract):
    """What has to come of a case."""

    ends: RunStatus
    because: str = ""
    """Words that the reason has to hold."""
    part: tuple[str, ...] = ()
    """Steps that must be taken by some run of the case."""
    absent: tuple[str, ...] = ()
    """Steps that must not be taken."""
    orders: tuple[tuple[str, str], ...] = ()
    """Steps of which the first has to come before the second, beside what always holds."""
    called: tuple[str, ...] = ()
    """Tools that must be called."""
    never: tuple[str, ...] = ()
    """Tools that nobody may be allowed to call."""
    bounds: Bounds = Bounds()
    effects: int = 0
    action: str = ""
    """Of the effect; empty: there is none."""
    amount_minor: int = 0
    runs: int = 1


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One thing in the records that should not be so."""

    outcome: str
    """Which outcome it spoils: `ended`, `ordered`, `tools_kept`, `within_bounds`, …"""
    text: str
    events: tuple[str, ...] = ()
    """Where to look, such as `run:14` or `audit:31`."""
    stage: Stage = ""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A step or reading as the run's events have it."""

    name: str
    run_id: str
    seq: int

    @property
    def link(self) -> str:
        return f"run:{self.seq} of {self.run_id}"


def deviations(trail: Trail, expected: Expected) -> tuple[Deviation, ...]:
    """All that differs from what is expected, and from what always holds; the first is what to look at first."""
    checks: tuple[Callable[[Trail, Expected], Iterable[Deviation]], ...] = (
        disordered,
        _bounds,
        _misplaced,
        _tools,
        _after_the_end,
        _ended,
    )
    return tuple(one for check in checks for one in check(trail, expected))


def taken(run: RunTrail) -> list[Taken]:
    """Steps and readings of a run, in order."""
    found: list[Taken] = []
    for event in run.events:
        if event.kind == "step":
            found.append(Taken(name=str(event.body.get("node", "")), run_id=run.run_id, seq=event.seq))
        if event.kind == "reading":
            found.append(Taken(name="reading", run_id=run.run_id, seq=event.seq))
    return found


def _lineage(trail: Trail, run: RunTrail) -> list[Taken]:
    """The run's steps after those of the runs that it was forked from; a fork begins with what its parent had read."""
    by_id = {one.run_id: one for one in trail.runs}
    chain = [run]
    while chain[0].parent in by_id and len(chain) <= len(trail.runs):
        chain.insert(0, by_id[chain[0].parent])
    readings = {each.run_id: next((one for one in taken(each) if one.name == "reading"), None) for each in chain[1:]}
    return [one for each in chain for one in taken(each) if one != readings.get(each.run_id)]


def disordered(trail: Trail, expected: Expected) -> Iterable[Deviation]:
    """Steps that were taken before what has to be before them; each deviation names both events."""
    rules = (*ORDER, *((first, then, "") for first, then in expected.orders))
    for run in trail.runs:
        steps = _lineage(trail, run)
        for position, step in enumerate(steps):
            if step.run_id != run.run_id:
                continue
            for first, then, since in rules:
                if step.name == then:
                    yield from _preceded(steps, position, first, since)


def _preceded(steps: list[Taken], position: int, first: str, since: str) -> Iterable[Deviation]:
    """Nothing if the step is where it belongs."""
    step, before = steps[position], steps[:position]
    reset = max((index for index, one in enumerate(before) if since and one.name == since), default=-1)
    if any(one.name == first for one in before[reset + 1 :]):
        return
    later = next((one for one in steps[position + 1 :] if one.name == first), None)
    told = f"{step.name} ({step.link}) was taken before {first}"
    events = (step.link,)
    if later is not None:
        told, events = f"{told} ({later.link})", (step.link, later.link)
    elif reset >= 0:
        told = f"{step.name} ({step.link}) was taken after {since} ({before[reset].link}) without {first} in between"
        events = (before[reset].link, step.link)
    else:
        told += ", which never was"
    yield Deviation(outcome="ordered", text=told, events=events, stage="routing")


def _misplaced(trail: Trail, expected: Expected) -> Iterable[Deviation]:
    steps = [one for run in trail.runs for one in taken(run)]
    names = {one.name for one in steps}
    for name in expected.part:
        if name not in names:
            yield Deviation(outcome="took_part", text=f"{name} took no step", stage="routing")
    for one in steps:
        if one.name in expected.absent:
            told = f"{one.name} took a step ({one.link}), which it must not here"
            yield Deviation(outcome="took_part", text=told, events=(one.link,), stage="routing")
    if len(trail.runs) != expected.runs:
        yield Deviation(
            outcome="took_part", text=f"there are {len(trail.runs)} runs, expected {expected.runs}", stage="routing"
        )


def _tools(trail: Trail, expected: Expected) -> Iterable[Deviation]:
    allowed = [event for event in trail.audit if event.kind == "call.allowed"]
    for tool in expected.called:
        if not any(_tool(event) == tool for event in allowed):
            yield Deviation(outcome="tools_kept", text=f"{tool} was never called", stage="routing")
    for event in allowed:
        who = event.agent or "a person"
        if _tool(event) in expected.never:
            told = f"{who} was allowed {_tool(event)}, which must not be called here"
            yield Deviation(outcome="tools_kept", text=told, events=(f"audit:{event.seq}",), stage="access")
        elif event.agent and _tool(event) not in TOOLS.get(event.agent, frozenset()):
            told = f"{who} was allowed {_tool(event)}, which is no tool of that agent"
            yield Deviation(outcome="tools_kept", text=told, events=(f"audit:{event.seq}",), stage="access")


def _bounds(trail: Trail, expected: Expected) -> Iterable[Deviation]:
    most = expected.bounds
    for run in trail.runs:
        steps = [one for one in taken(run) if one.name != "reading"]
        if len(steps) > most.steps:
            over = steps[most.steps]
            told = f"{run.run_id} took {len(steps)} steps, at most {most.steps} are allowed; the first beyond is "
            yield Deviation(
                outcome="within_bounds", text=f"{told}{over.name} ({over.link})", events=(over.link,), stage="budget"
            )
        yield from _most(run, "tool calls", [event for event in run.audit if event.kind in CALLS], most.calls)
        asked = [event for event in run.audit if event.kind == "model.called"]
        yield from _most(run, "model calls", asked, most.models)


def _most(run: RunTrail, what: str, events: list[AuditEvent], most: int) -> Iterable[Deviation]:
    if len(events) > most:
        link = f"audit:{events[most].seq}"
        told = f"{run.run_id} made {len(events)} {what}, at most {most} are allowed; the first beyond is {link}"
        yield Deviation(outcome="within_bounds", text=told, events=(link,), stage="budget")


def _after_the_end(trail: Trail, expected: Expected) -> Iterable[Deviation]:
    for run in trail.runs:
        end = next((event for event in run.audit if event.kind == "run.ended"), None)
        for event in run.audit:
            if end is not None and event.seq > end.seq and event.kind in (*CALLS, "effect.executed", "model.called"):
                told = f"{run.run_id} went on after its end (audit:{end.seq}) with {event.kind} (audit:{event.seq})"
                yield Deviation(
                    outcome="ended", text=told, events=(f"audit:{end.seq}", f"audit:{event.seq}"), stage="routing"
                )


def _ended(trail: Trail, expected: Expected) -> Iterable[Deviation]:
    last = trail.last
    if last.status != expected.ends:
        told = f"the run is {last.status} ({last.because}), expected {expected.ends}"
        yield Deviation(outcome="ended", text=told, stage="routing")
    elif expected.because not in last.because:
        told = f"the run is {last.status} because of {last.because!r}, expected {expected.because!r}"
        yield Deviation(outcome="ended", text=told, stage="routing")


def _tool(event: AuditEvent) -> str:
    return str(event.body.get("tool", ""))
