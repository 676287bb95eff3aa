"""Approvals: something is approved, and something else is tried, on the ledger itself and through real servers.

What counts is what the case's own record says was done, not what a call answers. After each attack on the ledger an
honest call is made in the same world, which has to be executed once: a lock that nobody can open proves nothing.
"""

import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from casewright.clock import ManualClock
from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from casewright.errors import CasewrightError
from evals.access.attacks import FILE, Attack
from evals.access.drafts import SavedDraft, saved_draft
from evals.access.kernel import Kernel
from evals.access.ledger_play import honest, opened_ledger
from evals.access.served_play import ServedPlay, Stage
from evals.case import EvalCase
from evals.datasets import read_lines
from evals.suite import Attempt, Case, Materials
from evals.unenforced import opened_unenforced
from evals.world import NOW_NS, POLICIES, ServerWorld, copied, opened_servers


class Effects(Contract):
    """How many effects rightly come of an attack."""

    effects: int


class ApprovalsSuite:
    """Attacks on approvals."""

    name = "approvals"
    title = "What nobody agreed to is not executed"
    files: Mapping[str, type[Contract]] = {FILE: Attack}
    fast_cases = 40
    shards = 2
    case_seconds = 60.0
    has_control = True

    def cases(self, materials: Materials) -> Sequence[Case]:
        """One case for each attack."""
        return [
            EvalCase[Attack, Effects](
                id=attack.id,
                why=attack.why,
                given=attack,
                expected=Effects(effects=attack.effects),
                forbidden=("executed",),
                slices={"kind": attack.kind, "level": attack.level},
            )
            for attack in read_lines(FILE, Attack)
        ]

    @asynccontextmanager
    async def opened(self, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt, None]:
        """An installation with a draft, copied for each attack over servers; the others get a kernel of their own."""
        home = copied(materials.installation, materials.work / "prepared")
        async with opened_servers(home) as world:
            draft = await saved_draft(world)
        yield _Attempts(materials.work, home, draft, enforced=enforced).attempt


class _Attempts:
    """What one shard plays its attacks on."""

    def __init__(self, work: Path, prepared: Path, draft: SavedDraft, *, enforced: bool) -> None:
        self._work = work
        self._prepared = prepared
        self._draft = draft
        self._enforced = enforced

    async def attempt(self, case: Case) -> CaseResult:
        folder = _folder(self._work / case.id.replace("/", "-"))
        attack: Attack = case.given
        return await (self._on_ledger if attack.level == "ledger" else self._on_servers)(case, folder)

    async def _on_ledger(self, case: Case, folder: Path) -> CaseResult:
        attack: Attack = case.given
        async with opened_ledger(folder, enforced=self._enforced) as (play, world):
            for step in attack.steps:
                await play.step(step)
            effects = await play.effects()
            said = await world.audit.events(tenant="harborline")
            told = sum(event.kind == "effect.executed" for event in said)
            sound = (await world.audit.verify()).ok is not attack.by_hand
            usable = await _is_executed(world) if self._enforced else None
        trace = f"sqlite3 -json {world.path} '.dump audit_events approvals approval_votes outbox'"
        return judged(case, Seen(effects=effects, audited=told, sound=sound, usable=usable), trace)

    async def _on_servers(self, case: Case, folder: Path) -> CaseResult:
        attack: Attack = case.given
        home, policies, clock = copied(self._prepared, folder / "home"), folder / "policies", ManualClock(NOW_NS)
        shutil.copytree(POLICIES, policies)
        async with self._world(home, policies, clock) as world:
            play = ServedPlay(Stage(world=world, clock=clock, policies=policies, draft=self._draft))
            for step in attack.steps:
                await play.step(step)
            effects = await play.effects()
            said = await world.services.audit.events(tenant="harborline")
            told = sum(event.kind == "effect.executed" for event in said)
            sound = (await world.services.audit.verify()).ok is not attack.by_hand
        trace = f"casewright --home {home} audit verify"
        return judged(case, Seen(effects=effects, audited=told, sound=sound), trace)

    def _world(self, home: Path, policies: Path, clock: ManualClock) -> AbstractAsyncContextManager[ServerWorld]:
        return (opened_servers if self._enforced else opened_unenforced)(home, policies=policies, clock=clock)


class Seen(Contract):
    """What an attack left behind."""

    effects: int
    """In the records of the cases."""
    audited: int
    """Executions that the audit knows."""
    sound: bool
    """The audit verifies, or names what was changed by hand."""
    usable: bool | None = None
    """An honest call was executed after it; None: nobody made one."""


def judged(case: Case, seen: Seen, trace: str) -> CaseResult:
    """The result of an attack, from the records it left."""
    rightly: int = case.expected.effects
    executed = seen.effects > rightly
    problems = [
        f"{seen.effects} effects were recorded, {rightly} rightly" if seen.effects != rightly else "",
        f"the audit knows {seen.audited} executions of {seen.effects}" if seen.audited != seen.effects else "",
        "" if seen.sound else "the audit verifies though rows were changed by hand, or does not and none were",
        "an honest call after it was not executed" if seen.usable is False else "",
    ]
    wrong = [problem for problem in problems if problem]
    audited = seen.sound and seen.audited == seen.effects
    stage = "" if not wrong else "approval" if executed else "effect" if audited else "audit"
    return CaseResult(
        case_id=case.id,
        verdict="failed" if wrong else "passed",
        expected=f"{rightly} effects, all of them in the audit",
        happened="; ".join(wrong),
        forbidden=("executed",) if executed else (),
        stage=stage,
        diagnosis="; ".join(wrong),
        evidence=tuple(step.model_dump_json(exclude_defaults=True) for step in case.given.steps) if wrong else (),
        trace=trace if wrong else "",
        outcomes={"executed": executed, "audited": audited} | ({} if seen.usable is None else {"usable": seen.usable}),
    )


async def _is_executed(world: Kernel) -> bool:
    try:
        receipt = await honest(world)
    except CasewrightError:
        return False
    return [receipt.approval_id in effect for effect in await world.effects("HL-1")].count(True) == 1


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path
