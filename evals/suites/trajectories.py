"""Trajectories: whole reviews with people in them, judged by what they left on record.

Each case is a sample case, perhaps changed, a model, budgets and what people do; the product drives it. The scorers see
nothing but events, audit, outbox and the case's own record. Without enforcement the ledger waits for no vote.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import Field

from casewright.config import Budgets
from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from evals.case import EvalCase
from evals.datasets import read_lines
from evals.reviewing.acts import Act, During
from evals.reviewing.models import Conduct, Happening, ReviewModel
from evals.reviewing.results import judged
from evals.reviewing.scene import Preparing, Scene
from evals.scorers.consent import consent, unapproved
from evals.scorers.trajectory import Deviation, Expected, deviations
from evals.suite import Attempt, Case, Materials
from evals.unenforced import ConsentingLedger
from evals.world import POLICIES, ReviewWorld, copied

DATA = "trajectories.jsonl"


class Given(Contract):
    """One review and what happens to it."""

    case_id: str
    changes: dict[str, object] = Field(default_factory=dict[str, object])
    """In the case file, before the review begins; see `evals.reviewing.acts`."""
    budgets: dict[str, int] = Field(default_factory=dict[str, int])
    """Those that differ from the default."""
    model: Conduct = "plain"
    model_only: str = ""
    """The task at which the model conducts itself so; empty: at every one."""
    model_times: int = 1_000_000
    before: tuple[Act, ...] = ()
    """Before the review is asked for."""
    during: tuple[During, ...] = ()
    acts: tuple[Act, ...] = ()
    """After the review has come to rest, each followed by what a worker would do."""


Trajectory = EvalCase[Given, Expected]


@dataclass(frozen=True, kw_only=True)
class Altered:
    """How a world differs from the product: for the control, and for planted defects."""

    prepare: Preparing | None = None
    budgets: Budgets | None = None
    """Used instead of those of the case."""
    policies: Path = POLICIES


class Trajectories:
    """See the module."""

    name = "trajectories"
    title = "reviews take the allowed way, within their bounds, and do nothing that was not approved"
    files: Mapping[str, type[Contract]] = {DATA: Trajectory}
    fast_cases = 20
    shards = 2
    case_seconds = 60.0
    has_control = True

    def cases(self, materials: Materials) -> Sequence[Case]:
        return cast("Sequence[Case]", read_lines(DATA, Trajectory))

    @asynccontextmanager
    async def opened(self, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt, None]:
        altered = Altered() if enforced else Altered(prepare=consenting)

        async def attempt(case: Case) -> CaseResult:
            return await tried(cast(Trajectory, case), materials, altered)

        yield attempt


def consenting(world: ReviewWorld) -> ReviewWorld:
    """Put a ledger that waits for nobody into services of which nothing was used yet."""
    services = world.services
    services.__dict__["approvals"] = ConsentingLedger(services.database, services.audit, services.clock)
    return world


async def tried(case: Trajectory, materials: Materials, altered: Altered) -> CaseResult:
    """Go through one case and judge what is on record."""
    home = copied(materials.installation, materials.work / case.id)
    given = case.given
    model = ReviewModel(conduct=given.model, only=given.model_only, times=given.model_times)
    scene = Scene(
        home=home,
        case_id=given.case_id,
        budgets=altered.budgets or Budgets(**given.budgets),
        model=model,
        prepare=altered.prepare,
        policies=altered.policies,
    )
    found: list[Deviation] = []
    for during in given.during:
        model.after[during.task] = _happening(scene, during.act, found)
    async with scene:
        await _play(scene, given, found)
        trail = await scene.trail()
    found += [*consent(trail, case.expected), *deviations(trail, case.expected)]
    result = judged(trail, found, expected=_in_words(case), home=home)
    if "propose" in case.expected.part:
        result = result.model_copy(update={"outcomes": result.outcomes | {"executed_unapproved": unapproved(trail)}})
    return result


async def _play(scene: Scene, given: Given, found: list[Deviation]) -> None:
    if given.changes:
        await scene.change(dict(given.changes))
    for act in given.before:
        found += _refusal(act, await scene.perform(act))
    await scene.perform(Act(do="start"))
    await scene.drive()
    for act in given.acts:
        found += _refusal(act, await scene.perform(act))
        if act.driven:
            await scene.drive()


def _happening(scene: Scene, act: Act, found: list[Deviation]) -> Happening:
    async def happens() -> None:
        found.extend(_refusal(act, await scene.perform(act)))

    return happens


def _refusal(act: Act, refused: str) -> list[Deviation]:
    """Nothing if the act went as it was meant to."""
    if refused == act.refused:
        return []
    who = act.who or "the reviewer"
    told = f"{act.do} by {who} was {_so(refused)}, it should have been {_so(act.refused)}"
    return [Deviation(outcome="refused_as_meant", text=told, stage="approval" if act.do == "approve" else "access")]


def _so(refused: str) -> str:
    return f"refused ({refused})" if refused else "done"


def _in_words(case: Trajectory) -> str:
    expected = case.expected
    effects = f"{expected.effects} effect(s)" if expected.effects else "no effect"
    action = f", {expected.action} of {expected.amount_minor}" if expected.action else ""
    return f"the review ends as {expected.ends} with {effects}{action}, on the allowed way"
