"""A review as one installation goes through it: a data folder of its own, a clock, a model, and what people do.

Requests, votes, answers and switches go where commands and routes send them; what can go on is driven by the worker's
own look at the rows. Nothing here knows what is expected.
"""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from casewright.clock import NANOSECONDS, ManualClock
from casewright.config import Budgets, app_root
from casewright.contracts.case import CaseFile
from casewright.contracts.principal import Actor, Caller, Principal
from casewright.controls.reviewed import ReviewedData
from casewright.errors import CasewrightError, DeniedError, NotFoundError
from casewright.identity.local import LocalIdentities, load_identities, save_identities
from evals.reviewing.acts import Act, applied
from evals.reviewing.models import ReviewModel
from evals.reviewing.trail import Trail, read_trail
from evals.world import NOW_NS, POLICIES, ReviewWorld, opened_reviews
from graphs.records import RunRow
from graphs.requests import RunRequests
from graphs.worker import Drivers, SqliteRunner

MOST_LOOKS = 12
"""How often in a row a worker finds something to do before it is taken for a circle."""
Preparing = Callable[[ReviewWorld], ReviewWorld]
"""Changes what was opened before anything is asked of it: a fault, or a boundary that is taken away."""


@cache
def sample_cases() -> dict[str, dict[str, Any]]:
    """Every sample case as its file has it, by id."""
    found: dict[str, dict[str, Any]] = {}
    for tenant in ("harborline", "millbrook"):
        path = app_root() / "casewright" / "sample" / tenant / "cases.json"
        found |= {case["case_id"]: case for case in json.loads(path.read_text(encoding="utf-8"))}
    return found


@dataclass(kw_only=True)
class Scene:
    """One case in a data folder of its own; use it as an async context manager."""

    home: Path
    case_id: str
    budgets: Budgets = field(default_factory=Budgets)
    model: ReviewModel = field(default_factory=ReviewModel)
    policies: Path = POLICIES
    prepare: Preparing | None = None
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW_NS))

    def __post_init__(self) -> None:
        self.document = dict(sample_cases()[self.case_id])
        self.world: ReviewWorld
        self._open = AsyncExitStack()

    async def __aenter__(self) -> "Scene":
        await self._enter()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._open.aclose()

    async def _enter(self) -> None:
        spoils = self.model.conduct != "plain" or self.model.listening or self.model.after
        provider = self.model if spoils else None
        opening = opened_reviews(
            self.home, policies=self.policies, budgets=self.budgets, provider=provider, clock=self.clock
        )
        self.world = await self._open.enter_async_context(opening)
        if self.prepare is not None:
            self.world = self.prepare(self.world)

    @property
    def tenant(self) -> str:
        return str(self.document["tenant"])

    @property
    def requests(self) -> RunRequests:
        return RunRequests(self.world.services, self.world.records, self.world.services.questions)

    def person(self, name: str = "") -> Principal:
        """A local identity; the reviewer of the case if none is named."""
        return self.world.person(name or str(self.document["assigned_to"][0]))

    async def runs(self) -> list[RunRow]:
        """The case's runs, oldest first."""
        rows = await self.world.records.list(self.tenant, case_id=self.case_id)
        return sorted(rows, key=lambda row: (row.created_ns, row.revision))

    async def perform(self, act: Act) -> str:
        """Do it, a second after what was before; how it was refused, as a code or the error's name, or nothing."""
        self.clock.advance(seconds=1)
        try:
            await self._do(act)
        except CasewrightError as error:
            return error.code if isinstance(error, DeniedError) else type(error).__name__
        return ""

    async def drive(self, *, looks: int = MOST_LOOKS) -> None:
        """Drive what can go on until every run waits, rests or ends, as a worker that has just been started."""
        for _ in range(looks):
            if not await self.look():
                return

    async def look(self) -> int:
        """One look of a worker of its own; how many runs it drove."""
        from commands.orchestrator import build_question_driver

        world = self.world
        answers = build_question_driver(world.services, world.gateway)
        drivers = Drivers(reviews=world.runner, questions=answers)
        return await SqliteRunner(world.services, world.records, drivers).tick()

    async def reopen(self) -> None:
        """Close everything that this process has open, and open it again."""
        await self._open.aclose()
        self._open = AsyncExitStack()
        await self._enter()

    async def trail(self) -> Trail:
        """All that the case left on record."""
        return await read_trail(self.world.services, self.world.records, tenant=self.tenant, case_id=self.case_id)

    async def _do(self, act: Act) -> None:
        match act.do:
            case "start":
                await self.requests.start(self.person(act.who), self.case_id, fresh=act.value == "fresh")
            case "approve" | "reject" | "revoke" | "expire":
                await self._decide(act)
            case "change_case":
                await self.change(act.fields, by=act.who)
            case "switch" | "edit_draft" | "remove_person":
                await self._arrange(act)
            case "pass_time":
                self.clock.advance(seconds=act.seconds)
            case "reopen":
                await self.reopen()
            case _:
                await self._steer(act, await self._run(act))

    async def _run(self, act: Act) -> RunRow:
        rows = await self.runs()
        if not rows:
            raise NotFoundError(f"case {self.case_id!r} has no run yet; start one first")
        return rows[0 if act.first else -1]

    async def _steer(self, act: Act, run: RunRow) -> None:
        person, requests = self.person(act.who), self.requests
        match act.do:
            case "cancel":
                await requests.cancel(person, run.run_id, why=act.value)
            case "pause":
                await requests.pause(person, run.run_id, why=act.value)
            case "resume":
                await requests.resume(person, run.run_id)
            case "retry":
                await requests.retry(person, run.run_id)
            case "fork":
                await requests.fork(person, run.run_id, at=act.value)
            case "answer":
                await requests.answer(person, run.run_id, run.waiting_for, act.value)
            case _:
                await self.world.runner.resume(self.tenant, run.run_id)

    async def _decide(self, act: Act) -> None:
        """On the newest approval of the run, whatever its state is."""
        ledger, run = self.world.services.approvals, await self._run(act)
        asked = await ledger.list(self.tenant, run_id=run.run_id)
        if not asked:
            raise NotFoundError(f"run {run.run_id!r} has asked for no approval yet")
        approval = asked[-1 if act.first else 0]  # the ledger gives the newest first
        match act.do:
            case "expire":
                self.clock.advance(seconds=(approval.expires_ns - self.clock.now_ns()) / 1e9 + 1)
            case "revoke":
                await ledger.revoke(approval.approval_id, by=self.person(act.who), why=act.value or "withdrawn")
            case _:
                agrees = act.do == "approve"
                await ledger.vote(approval.approval_id, voter=self.person(act.who), approve=agrees, note=act.value)

    async def change(self, fields: dict[str, Any], *, by: str = "") -> None:
        """Import the case again with changes."""
        self.document = applied(self.document, fields)
        case = CaseFile.model_validate_json(json.dumps(self.document))
        await self.world.services.cases.import_cases([case], importer=self.person(by))

    async def _arrange(self, act: Act) -> None:
        services = self.world.services
        match act.do:
            case "switch":
                path, _, value = act.value.partition(" ")
                reviewed = ReviewedData.read(services.settings.policies)
                why = "an evaluation throws it"
                await services.controls.set(path, value, principal=self.person(act.who), why=why, reviewed=reviewed)
            case "edit_draft":
                await self._edit_draft(act)
            case _:
                self._remove(act.who)
                await self.reopen()

    async def _edit_draft(self, act: Act) -> None:
        """Save the latest draft once more, in the name of a person: another version with another digest."""
        run, services = await self._run(act), self.world.services
        latest = (await services.drafts.list(self.tenant, self.case_id))[-1]
        actor = Actor(kind="user", agent="", run_id=run.run_id, case_id=self.case_id)
        caller = Caller(
            principal=self.person(act.who),
            actor=actor,
            audience="drafting",
            scopes=("save_draft",),
            token_id="edited",  # noqa: S106 - a name, no secret
            expires_at=self.clock.now_ns() // NANOSECONDS + 60,
        )
        await services.drafts.save(latest.recommendation, caller=caller, draft_id=latest.draft_id)

    def _remove(self, name: str) -> None:
        path = self.home / "identities.json"
        known = load_identities(path)
        people = tuple(person for person in known.people if person.id != name)
        save_identities(path, LocalIdentities(people=people, defaults=known.defaults))
