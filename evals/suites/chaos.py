"""Chaos: a part fails while a review runs or while its approved action is executed.

While it fails nothing may happen that was not approved, and the run has to rest where people can act on it. When the
part is well again, they act, and the case has to come to its one effect, with an audit that is whole.
"""

import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Literal, cast

from casewright.clock import ManualClock
from casewright.config import Budgets
from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult, Stage
from casewright.contracts.run import RunStatus
from casewright.errors import ConflictError
from evals.case import EvalCase
from evals.chaos.faults import Fault, FaultGiven, fault_of
from evals.datasets import read_lines
from evals.reviewing.acts import Act
from evals.reviewing.models import ReviewModel
from evals.reviewing.results import judged
from evals.reviewing.scene import Preparing, Scene
from evals.reviewing.trail import Trail
from evals.scorers.consent import consent, unapproved
from evals.scorers.trajectory import Deviation, Expected, disordered
from evals.suite import Attempt, Case, Materials
from evals.world import copied

DATA = "chaos.jsonl"
PAUSE_SECONDS = 200
"""Longer than the longest pause before another attempt."""
JUDGED = (
    "rested",
    "effects_exact",
    "approved_first",
    "executed_once",
    "ordered",
    "events_whole",
    "audit_whole",
    "leases_free",
    "ended",
)
MOST_ROUNDS = 8
"""How often people look after a run when the part is well again."""
HOPELESS = "Cancel it and review the case anew"
"""What the report of a run says that no retry can help."""
STAGES: Mapping[str, Stage] = {"policy": "access", "model": "model", "index": "retrieval"}


class ChaosGiven(Contract):
    """What fails, and when."""

    fault: FaultGiven
    at: Literal["review", "execution"]
    """From the start of the review, or when its action is approved and about to be executed."""
    case_id: str = "HL-2026-0012"
    step_seconds: int = 180


class ChaosExpected(Contract):
    """Where the run has to rest while the part fails, and what the case comes to afterwards."""

    rests: tuple[RunStatus, ...]
    because: str = ""
    """Words of the reason while it rests."""
    effects_meanwhile: int = 0
    """More than none only where the action was approved before."""
    effects: int = 1
    completes: bool = True
    """False: the effect stands, but no run of the case ends as completed."""
    action: str = "issue_final_credit"
    amount_minor: int = 31240


ChaosCase = EvalCase[ChaosGiven, ChaosExpected]


class NotMetError(Exception):
    """The fault was never met, so nothing is known of what it would have done."""


class Chaos:
    """See the module."""

    name = "chaos"
    title = "a part that fails leads to no unapproved and no second effect, and to no run that nobody can act on"
    files: Mapping[str, type[Contract]] = {DATA: ChaosCase}
    fast_cases = 12
    shards = 2
    case_seconds = 90.0
    has_control = False

    def cases(self, materials: Materials) -> Sequence[Case]:
        return cast("Sequence[Case]", read_lines(DATA, ChaosCase))

    @asynccontextmanager
    async def opened(self, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt, None]:
        async def attempt(case: Case) -> CaseResult:
            return await tried(cast(ChaosCase, case), materials)

        yield attempt


async def tried(case: ChaosCase, materials: Materials, *, also: Preparing | None = None) -> CaseResult:
    """Go through one case. `also` changes the world further: a planted defect.

    Raises:
        NotMetError: the fault had no occasion.
    """
    given, expected, fault = case.given, case.expected, fault_of(case.given.fault)
    home = copied(materials.installation, materials.work / case.id)
    scene = Scene(
        home=home,
        case_id=given.case_id,
        budgets=Budgets(step_seconds=given.step_seconds),
        model=ReviewModel(listening=given.fault.part == "model"),
        prepare=lambda world: fault.prepare(also(world) if also else world),
        clock=ManualClock(time.time_ns()),
    )
    found: list[Deviation] = []
    async with scene:
        await _up_to(scene, given.at)
        await _struck(scene, fault, expected, found)
        await mended(scene, wanted=expected.effects)
        trail = await scene.trail()
        found += [one async for one in _left_behind(scene)]
    found += judged_trail(trail, expected)
    stage = STAGES.get(given.fault.part, "")
    found = [one if one.stage else Deviation(outcome=one.outcome, text=one.text, stage=stage) for one in found]
    result = judged(trail, found, expected=_in_words(case), home=home, judged_by=JUDGED)
    more = {"executed_unapproved": unapproved(trail), "recovered": trail.last.status == "completed"}
    return result.model_copy(update={"outcomes": result.outcomes | more})


def judged_trail(trail: Trail, expected: ChaosExpected) -> list[Deviation]:
    """What is wrong with what a case left on record in the end."""
    whole = Expected(
        ends="completed", effects=expected.effects, action=expected.action, amount_minor=expected.amount_minor
    )
    found = [*consent(trail, whole), *disordered(trail, whole), *_torn(trail)]
    if expected.completes and not any(run.status == "completed" for run in trail.runs):
        told = f"no run was completed when all was well again; the last is {trail.last.status}: {trail.last.because}"
        found.append(Deviation(outcome="ended", text=told))
    return found


async def _up_to(scene: Scene, at: Literal["review", "execution"]) -> None:
    await scene.perform(Act(do="start"))
    if at == "execution":
        await scene.drive()
        await scene.perform(Act(do="approve", who="selma"))


async def _struck(scene: Scene, fault: Fault, expected: ChaosExpected, found: list[Deviation]) -> None:
    """Let a worker drive while the part fails, and look where the run rests."""
    await fault.begin(scene)
    try:
        await scene.drive(looks=3)
    finally:
        await fault.end(scene)
    if not fault.strikes.met:
        raise NotMetError("the fault was never met; give it another place or another time")
    row, trail = (await scene.runs())[-1], await scene.trail()
    told = f"{row.report.because if row.report else ''} {' '.join(_status_reasons(trail))}"
    if row.status not in expected.rests:
        text = (
            f"while the part failed the run was {row.status} ({told.strip()}), expected {' or '.join(expected.rests)}"
        )
        found.append(Deviation(outcome="rested", text=text))
    elif expected.because not in told:
        text = f"the run is {row.status} because of {told.strip()!r}, expected {expected.because!r}"
        found.append(Deviation(outcome="rested", text=text))
    if len(trail.recorded) > expected.effects_meanwhile:
        text = f"{len(trail.recorded)} effects happened while the part failed"
        found.append(Deviation(outcome="effects_exact", text=text, stage="effect"))


def _status_reasons(trail: Trail) -> list[str]:
    return [str(event.body.get("because", "")) for event in trail.last.events if event.kind == "status"]


async def mended(scene: Scene, *, wanted: int) -> None:
    """People see to the case until its action is executed: they retry, start anew, approve; a worker drives."""
    for _ in range(MOST_ROUNDS):
        await scene.perform(Act(do="pass_time", seconds=PAUSE_SECONDS))
        await scene.drive()
        row, done = (await scene.runs())[-1], len((await scene.trail()).recorded)
        if row.status == "completed" or (done >= wanted and row.status not in ("queued", "running")):
            return
        match row.status:
            case "waiting_approval":
                await scene.perform(Act(do="approve", who="selma"))
            case "failed":
                hopeless = row.report is not None and HOPELESS in row.report.because
                await scene.perform(Act(do="cancel" if hopeless else "retry", value="as its report says"))
            case "incomplete" | "cancelled":
                await scene.perform(Act(do="start"))
            case _:
                pass
        await scene.drive()


async def _left_behind(scene: Scene) -> AsyncGenerator[Deviation, None]:
    """Effects on their way, and runs that somebody still holds."""
    if await scene.world.services.outbox.recover():
        yield Deviation(
            outcome="executed_once", text="an approved effect was still on its way at the end", stage="effect"
        )
    for row in await scene.runs():
        if row.status == "running":
            yield Deviation(outcome="rested", text=f"{row.run_id} is running, and nobody drives it")
        try:
            if row.status == "completed":
                await scene.world.runner.resume(scene.tenant, row.run_id)
        except ConflictError:
            yield Deviation(outcome="leases_free", text=f"the lease of {row.run_id} is still held")


def _torn(trail: Trail) -> Iterable[Deviation]:
    """A subscriber to a run's events gets each number once, and the last status it is told is the run's."""
    for run in trail.runs:
        numbers = [event.seq for event in run.events]
        if numbers != list(range(1, len(numbers) + 1)):
            yield Deviation(
                outcome="events_whole", text=f"the events of {run.run_id} have gaps: {numbers}", stage="audit"
            )
        told = [event.body.get("status") for event in run.events if event.kind == "status"]
        if told and told[-1] != run.status:
            text = f"the events of {run.run_id} end with the status {told[-1]!r}, but it is {run.status!r}"
            yield Deviation(outcome="events_whole", text=text, stage="audit")


def _in_words(case: ChaosCase) -> str:
    expected = case.expected
    rests = " or ".join(expected.rests)
    return f"it rests as {rests} while the part fails, and has {expected.effects} approved effect(s) in the end"
