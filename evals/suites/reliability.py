"""Reliability: many reviews over one installation, in a row, at once, across restarts and long waits.

All of them have to end as a single one would, and no review may take more than the one before: not more time, not more
memory, not more open files, not more room in the checkpoints. A growth counts when even the low end of its interval is
beyond what is allowed, so that a busy machine alone turns nothing red.
"""

import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

from casewright.clock import ManualClock
from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from evals.case import EvalCase
from evals.datasets import read_lines
from evals.reviewing.results import judged
from evals.reviewing.scene import Preparing, Scene
from evals.reviewing.series import TEMPLATES, Series
from evals.reviewing.trail import Trail
from evals.scorers.consent import consent
from evals.scorers.growth import Growth, growth
from evals.scorers.trajectory import Deviation, Expected, disordered
from evals.suite import Attempt, Case, Materials
from evals.world import copied

DATA = "reliability.jsonl"
WARM_UP = 2
"""The first groups load what every later one uses."""
JUDGED = ("ended", "ordered", "approved_first", "executed_once", "effects_exact", "audit_whole", "leases_free", "flat")


class ReliabilityGiven(Contract):
    """How many reviews, and how."""

    groups: int
    at_once: int = 1
    """Reviews in each group."""
    reopening: bool = False
    """The process's services end and begin anew while each group waits for its votes."""
    idle_looks: int = 0
    """Looks of a worker between groups, an hour apart, in which there is nothing to do."""


class ReliabilityExpected(Contract):
    """The most that each review may take beyond the one before."""

    seconds: float = 0.5
    resident_kb: float = 500
    open_files: float = 0.5
    checkpoint_kb: float = 4


ReliabilityCase = EvalCase[ReliabilityGiven, ReliabilityExpected]


class Reliability:
    """See the module."""

    name = "reliability"
    title = "many reviews over one installation end as one alone would, and none takes more than the one before"
    files: Mapping[str, type[Contract]] = {DATA: ReliabilityCase}
    fast_cases = 1
    shards = 2
    case_seconds = 240.0
    has_control = False

    def cases(self, materials: Materials) -> Sequence[Case]:
        return cast("Sequence[Case]", read_lines(DATA, ReliabilityCase))

    @asynccontextmanager
    async def opened(self, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt, None]:
        async def attempt(case: Case) -> CaseResult:
            return await tried(cast(ReliabilityCase, case), materials)

        yield attempt


async def tried(case: ReliabilityCase, materials: Materials, *, also: Preparing | None = None) -> CaseResult:
    """Go through one case. `also` changes the world: a planted defect."""
    given, home = case.given, copied(materials.installation, materials.work / case.id)
    scene = Scene(home=home, case_id=next(iter(TEMPLATES)), clock=ManualClock(time.time_ns()), prepare=also)
    async with scene:
        series = Series(scene=scene)
        named = await series.cases(given.groups * given.at_once)
        for start in range(0, len(named), given.at_once):
            await series.run(
                [case_id for case_id, _ in named[start : start + given.at_once]], reopening=given.reopening
            )
            for _ in range(given.idle_looks):
                scene.clock.advance(seconds=3_600)
                await scene.look()
        trails = await series.trails([case_id for case_id, _ in named])
        held = series.leases_held()
    templates = [template for _, template in named]
    found = [one for trail, template in zip(trails, templates, strict=True) for one in _trail(trail, template)]
    if held:
        found.append(Deviation(outcome="leases_free", text=f"{held} leases are still held by nobody's process"))
    grown = _growths(series)
    found += _flat(grown, case.expected)
    told = f"{len(named)} reviews end as one alone would, and none takes more than the one before"
    result = judged(trails[-1], found, expected=told, home=home, judged_by=JUDGED)
    return result.model_copy(update={"measures": _measures(series, trails, grown)})


def _trail(trail: Trail, template: str) -> Iterable[Deviation]:
    action, amount = TEMPLATES[template]
    expected = Expected(ends="completed", effects=1, action=action, amount_minor=amount)
    yield from consent(trail, expected)
    yield from disordered(trail, expected)
    if trail.last.status != "completed":
        told = f"{trail.last.run_id} is {trail.last.status} ({trail.last.because}), expected completed"
        yield Deviation(outcome="ended", text=told, stage="routing")


def _growths(series: Series) -> dict[str, Growth]:
    measured = series.measured
    return {
        "seconds": growth(measured.seconds[WARM_UP:]),
        "resident_kb": growth(measured.resident_kb[WARM_UP:]),
        "open_files": growth(measured.open_files[WARM_UP:]),
        "checkpoint_kb": growth(measured.checkpoint_kb[WARM_UP:]),
    }


def _flat(grown: Mapping[str, Growth], expected: ReliabilityExpected) -> Iterable[Deviation]:
    for name, most in expected.model_dump().items():
        one = grown[name]
        if one.certain_above(most):
            told = (
                f"{name} grows by {one.slope:.2f} ({one.low:.2f} to {one.high:.2f}) with each, at most {most:g} may be"
            )
            yield Deviation(outcome="flat", text=told)


def _measures(series: Series, trails: Sequence[Trail], grown: Mapping[str, Growth]) -> dict[str, float]:
    done = sum(trail.last.status == "completed" for trail in trails)
    found = {"reviews": float(len(trails)), "share_completed": done / len(trails)}
    for name, one in grown.items():
        found |= {f"{name}_growth": one.slope, f"{name}_growth_low": one.low, f"{name}_growth_high": one.high}
    found |= {
        "review_seconds": series.measured.seconds[-1],
        "resident_kb": series.measured.resident_kb[-1],
        "checkpoint_kb": series.measured.checkpoint_kb[-1],
    }
    return {name: round(value, 4) for name, value in found.items()}
