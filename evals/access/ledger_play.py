"""Plays attacks of level `ledger`: on ledger, outbox and database themselves, with a clock that can jump."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.timers import run_due
from casewright.config import Settings
from casewright.contracts.approval import ActionCall, Approval, ApprovalRule, Receipt, Reminder, Schedule
from casewright.contracts.principal import Caller
from casewright.errors import CasewrightError
from casewright.identity.local import LocalIdentities, save_identities
from casewright.services import Services
from evals.access.attacks import Step
from evals.access.kernel import CASE, HOUR, ROSA, RULE, SELMA, TENANT, TWO, Kernel, caller, credit, kernel, person
from evals.world import POLICIES

SCHEDULE = Schedule(
    reminders=(
        Reminder(after_seconds=4 * HOUR, to="assignee"),
        Reminder(after_seconds=8 * HOUR, to="roles"),
        Reminder(after_seconds=16 * HOUR, to="roles"),
    ),
    reassign_after_seconds=6 * HOUR,
    escalate_after_seconds=12 * HOUR,
    escalate_to=("reviewer",),
)
TIMED = RULE.model_copy(update={"schedule": SCHEDULE})
"""Reviewers may vote as well after twelve hours."""
RULES: Mapping[str, ApprovalRule] = {"one": RULE, "two": TWO, "timed": TIMED}


class LedgerPlay:
    """One attack on one kernel."""

    def __init__(self, world: Kernel, *, enforced: bool = True) -> None:
        self._world = world
        self._enforced = enforced
        self._asked: Approval | None = None

    async def step(self, step: Step) -> None:
        """Do one thing; what the house refuses is refused, anything else that is raised is a defect of its own."""
        match step.do:
            case "ask":
                await _attempt(self._ask(step))
            case "vote" | "execute":
                await self._at_once(step)
            case "revoke":
                by = step.who.principal() if step.who else ROSA
                await _attempt(self._world.ledger.revoke(self._open().approval_id, by=by, why="withdrawn"))
            case "cancel_run" | "consume":
                async with self._world.database.write() as connection:
                    await self._within(step, connection)
            case _:
                await self._pass(step)

    async def effects(self) -> int:
        """How many effects the records of the kernel's cases hold."""
        return len(await self._world.effects("HL-1")) + len(await self._world.effects("HL-2"))

    async def _ask(self, step: Step) -> None:
        asked = await self._world.ledger.request(wanted(step), RULES[step.rule], caller=_token(step))
        self._asked = asked if step.who is None else self._asked

    async def _at_once(self, step: Step) -> None:
        """The same thing so many times, in turn over two connections."""
        other = Kernel.over(self._world.path, self._world.signer, self._world.clock)
        worlds = [(self._world, other)[number % 2] for number in range(step.times)]
        try:
            await asyncio.gather(*(_attempt(self._done(step, world)) for world in worlds))
        finally:
            await other.database.close()

    async def _done(self, step: Step, world: Kernel) -> None:
        if step.do == "vote":
            voter = step.who.principal() if step.who else SELMA
            await world.ledger.vote(self._open().approval_id, voter=voter, approve=step.approve, note=step.note)
        elif self._enforced:
            await world.outbox.execute(wanted(step), caller=_token(step))
        else:
            await _delivered_unchecked(world, wanted(step))

    async def _within(self, step: Step, connection: AsyncConnection) -> None:
        ledger = self._world.ledger
        if step.do == "consume":
            await ledger.consume(wanted(step), caller=_token(step), connection=connection)
        else:
            await ledger.revoke_run(TENANT, "run-1", by="rosa", why="cancelled", connection=connection)

    async def _pass(self, step: Step) -> None:
        """What time and hands do."""
        match step.do:
            case "wait":
                self._world.clock.advance(seconds=step.hours * HOUR)
            case "sweep":
                await self._world.ledger.expire_due()
            case "timers":
                await _timed(self._world)
            case "sql":
                _change(self._world.path, step.statements)
            case _:
                raise ValueError(f"{step.do!r} is not for attacks on the ledger; give the attack the level 'servers'")

    def _open(self) -> Approval:
        if self._asked is None:
            raise ValueError("the attack votes on what nobody asked for; begin it with 'ask'")
        return self._asked


@asynccontextmanager
async def opened_ledger(folder: Path, *, enforced: bool = True) -> AsyncGenerator[tuple[LedgerPlay, Kernel], None]:
    """A kernel of its own in an empty folder; without enforcement, what is executed is delivered unchecked."""
    async with kernel(folder) as world:
        yield LedgerPlay(world, enforced=enforced), world


async def honest(world: Kernel) -> Receipt:
    """What nobody attacks: asked for, approved by another person, executed.

    Raises:
        CasewrightError: the attack left something behind that stops honest work.
    """
    call = credit(arguments={"draft_id": "drf-honest"})
    await world.approved(call)
    return await world.outbox.execute(call, caller=caller())


def wanted(step: Step) -> ActionCall:
    """The call of a step."""
    call = credit(**{**step.call, "arguments": dict(step.call.get("arguments", {}))})
    arguments = {name: value for name, value in call.arguments.items() if name not in step.without}
    return call.model_copy(update={"arguments": arguments | {name: _odd(kind) for name, kind in step.odd.items()}})


def _odd(kind: str) -> Any:
    match kind:
        case "infinite":
            return float("inf")
        case "object":
            return object()
        case _:
            nested: list[Any] = []
            for _ in range(40):
                nested = [nested]
            return nested


def _token(step: Step) -> Caller:
    named = {name: value for name, value in step.token.items() if name in ("case_id", "run_id", "agent")}
    return caller(step.who.principal() if step.who else ROSA, **named)


async def _attempt(work: Awaitable[object]) -> None:
    try:
        await work
    except CasewrightError:
        return


async def _delivered_unchecked(world: Kernel, call: ActionCall) -> None:
    """The control's outbox: whatever is asked for is done, on the approved case where the call names none."""
    text = f"{call.arguments.get('action')!r}, asked of nobody"
    known = await world.cases.attributes(call.tenant, call.case_id) if call.case_id else None
    tenant, case_id = (call.tenant, call.case_id) if known else (TENANT, CASE)
    async with world.database.write() as connection:
        await world.cases.record_effect(connection, tenant, case_id, text, world.clock.now_ns())


async def _timed(world: Kernel) -> None:
    """Let the timers of an installation work on this database."""
    home = world.path.parent
    if not (home / "signing-key.pem").exists():
        world.signer.save(home / "signing-key.pem")
        people = (ROSA, person("tomas"), SELMA)
        save_identities(home / "identities.json", LocalIdentities(people=people, defaults={}))
    services = Services(Settings(home=home, policies=POLICIES), clock=world.clock)
    try:
        await run_due(services)
    finally:
        await services.close()


def _change(path: Path, statements: tuple[str, ...]) -> None:
    """Change the file behind everybody's back."""
    connection = sqlite3.connect(path)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()
