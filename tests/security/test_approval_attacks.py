"""Attacks on approvals: something is approved, and something else is tried. Nothing may be executed.

Each attack is one row. Its positive control is an honest call in the same world after it, which is executed once.
The effect counted is what the case's own record says was done, not what a call answers.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from casewright.approvals.timers import run_due
from casewright.config import Settings
from casewright.contracts.approval import ActionCall, ApprovalRule, Receipt
from casewright.contracts.principal import Caller, Principal
from casewright.errors import CasewrightError
from casewright.identity.local import LocalIdentities, save_identities
from casewright.services import Services
from tests.support.installation import CHECKOUT, POLICIES
from tests.unit.approvals.organisation import SCHEDULE, TOMAS
from tests.unit.audit.kernel import (
    HOUR,
    IDRIS,
    MARC,
    ROSA,
    RULE,
    SELMA,
    TENANT,
    TWO,
    Kernel,
    caller,
    credit,
    kernel,
    person,
)
from tests.unit.audit.test_audit_log import change

Attack = Callable[[Kernel], Awaitable[None]]
TIMED = RULE.model_copy(update={"schedule": SCHEDULE})
"""Reviewers may vote as well after twelve hours."""


async def attempt(work: Awaitable[object]) -> None:
    """Let the attack fail in the way the house fails; anything else is a bug of its own."""
    try:
        await work
    except CasewrightError:
        return


def after_approval(call: ActionCall, by: Caller | None = None) -> Attack:
    """The plain credit of HL-1 is approved; `call` is executed."""

    async def attack(world: Kernel) -> None:
        await world.approved()
        await attempt(world.outbox.execute(call, caller=by or caller()))

    return attack


def after_votes(*votes: tuple[Principal, bool], call: ActionCall | None = None, quorum: int = 1) -> Attack:
    """These votes are cast in this order; the call itself is executed."""

    async def attack(world: Kernel) -> None:
        wanted = call or credit()
        rule = RULE.model_copy(update={"quorum": quorum})
        asked = await world.ledger.request(wanted, rule, caller=caller())
        for voter, approve in votes:
            await attempt(world.ledger.vote(asked.approval_id, voter=voter, approve=approve, note=""))
        await attempt(world.outbox.execute(wanted, caller=caller()))

    return attack


def edited(**arguments: Any) -> Attack:
    return after_approval(credit(arguments=arguments))


def nested(depth: int) -> list[Any]:
    return [nested(depth - 1)] if depth else []


def without(name: str) -> Attack:
    call = credit()
    rest = {key: value for key, value in call.arguments.items() if key != name}
    return after_approval(call.model_copy(update={"arguments": rest}))


def tampered(*statements: str, votes: int = 0) -> Attack:
    """The database is changed by hand after some votes on a call that needs two."""

    async def attack(world: Kernel) -> None:
        asked = await world.ledger.request(credit(), TWO, caller=caller())
        for voter in (SELMA, IDRIS)[:votes]:
            await world.ledger.vote(asked.approval_id, voter=voter, approve=True, note="")
        change(world.path, *statements)
        await attempt(world.outbox.execute(credit(), caller=caller()))

    return attack


async def expired(world: Kernel) -> None:
    await world.approved()
    world.clock.advance(seconds=72 * HOUR)
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def expired_and_swept(world: Kernel) -> None:
    await world.approved()
    world.clock.advance(seconds=73 * HOUR)
    await world.ledger.expire_due()
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def late_vote(world: Kernel) -> None:
    asked = await world.ledger.request(credit(), RULE, caller=caller())
    world.clock.advance(seconds=72 * HOUR)
    await attempt(world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note=""))
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def revoked(world: Kernel) -> None:
    asked = await world.approved()
    await world.ledger.revoke(asked.approval_id, by=ROSA, why="withdrawn")
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def approved_after_it_was_revoked(world: Kernel) -> None:
    asked = await world.ledger.request(credit(), TWO, caller=caller())
    await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")
    await world.ledger.revoke(asked.approval_id, by=SELMA, why="withdrawn")
    await attempt(world.ledger.vote(asked.approval_id, voter=IDRIS, approve=True, note=""))
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def its_run_was_cancelled(world: Kernel) -> None:
    await world.approved()
    async with world.database.write() as connection:
        await world.ledger.revoke_run(TENANT, "run-1", by="rosa", why="cancelled", connection=connection)
    await attempt(world.outbox.execute(credit(), caller=caller(run_id="run-2")))


async def nobody_was_asked(world: Kernel) -> None:
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def vote_in_another_tenant(world: Kernel) -> None:
    """Millbrook's supervisor approves Harborline's call by its id."""
    asked = await world.ledger.request(credit(), RULE, caller=caller())
    await attempt(world.ledger.vote(asked.approval_id, voter=MARC, approve=True, note=""))
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def request_for_another_tenant(world: Kernel) -> None:
    await attempt(world.ledger.request(credit(), RULE, caller=caller(MARC)))
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def weaker_rule_for_an_open_call(world: Kernel) -> None:
    """The quorum of two is asked down to one while it is open."""
    asked = await world.ledger.request(credit(), TWO, caller=caller())
    await attempt(world.ledger.request(credit(), RULE, caller=caller()))
    await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def consumed_elsewhere_without_effect(world: Kernel) -> None:
    """An approval used up by one transaction cannot carry a second."""
    await world.approved()
    async with world.database.write() as connection:
        await world.ledger.consume(credit(), caller=caller(), connection=connection)
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def votes_moved_from_another_approval(world: Kernel) -> None:
    done = await world.approved(credit(arguments={"amount_minor": 100}))
    asked = await world.ledger.request(credit(), RULE, caller=caller())
    change(world.path, f"UPDATE approvals SET state = 'approved' WHERE approval_id = '{asked.approval_id}'")
    assert done.approval_id != asked.approval_id
    await attempt(world.outbox.execute(credit(), caller=caller()))


def in_time(hours: float, voter: Principal, *, rule: ApprovalRule = TIMED, by_hand: str = "") -> Attack:
    """`voter` approves so many hours after the asking, when time has done its part; then the call is executed."""

    async def attack(world: Kernel) -> None:
        asked = await world.ledger.request(credit(), rule, caller=caller())
        world.clock.advance(seconds=hours * HOUR)
        await timed(world)
        if by_hand:
            change(world.path, by_hand)
        await attempt(world.ledger.vote(asked.approval_id, voter=voter, approve=True, note=""))
        await attempt(world.outbox.execute(credit(), caller=caller()))

    return attack


async def timed(world: Kernel) -> None:
    """Let the timers of an installation work on this database."""
    home = world.path.parent
    if not (home / "signing-key.pem").exists():
        world.signer.save(home / "signing-key.pem")
        save_identities(home / "identities.json", LocalIdentities(people=(ROSA, TOMAS, SELMA), defaults={}))
    services = Services(Settings(home=home, policies=POLICIES), clock=world.clock)
    await run_due(services)
    await services.close()


async def set_back_after_its_end_was_seen(world: Kernel) -> None:
    await world.approved()
    world.clock.advance(seconds=73 * HOUR)
    await attempt(world.outbox.execute(credit(), caller=caller()))
    world.clock.advance(seconds=-72 * HOUR)
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def set_back_and_approved(world: Kernel) -> None:
    asked = await world.ledger.request(credit(), RULE, caller=caller())
    world.clock.advance(seconds=73 * HOUR)
    await timed(world)
    world.clock.advance(seconds=-72 * HOUR)
    await attempt(world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note=""))
    await attempt(world.outbox.execute(credit(), caller=caller()))


async def clicked_twice(world: Kernel) -> None:
    """One of two people clicks four times, over two connections."""
    asked = await world.ledger.request(credit(), TWO, caller=caller())
    second = Kernel.over(world.path, world.signer, world.clock)
    clicks = [each.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="") for each in (world, second) * 2]
    await asyncio.gather(*(attempt(click) for click in clicks))
    await attempt(world.outbox.execute(credit(), caller=caller()))
    await second.database.close()


def with_note(note: str, *, approve: bool) -> Attack:
    async def attack(world: Kernel) -> None:
        asked = await world.ledger.request(credit(), TWO, caller=caller())
        await attempt(world.ledger.vote(asked.approval_id, voter=SELMA, approve=approve, note=note))
        await attempt(world.outbox.execute(credit(), caller=caller()))

    return attack


def with_odd_vote(approve: Any) -> Attack:
    return after_votes((SELMA, approve))


ATTACKS: dict[str, Attack] = {
    # Another call than the approved one
    "amount raised": edited(amount_minor=999_900),
    "amount lowered": edited(amount_minor=1),
    "amount as text": edited(amount_minor="12550"),
    "amount as a fraction": edited(amount_minor=12550.0),
    "amount as a fraction beside it": edited(amount_minor=12550.5),
    "amount as truth": edited(amount_minor=True),
    "amount as a list": edited(amount_minor=[12550]),
    "amount absent": without("amount_minor"),
    "amount infinite": edited(amount_minor=float("inf")),
    "currency changed": edited(currency="EUR"),
    "currency absent": without("currency"),
    "action changed": edited(action="deny_claim"),
    "action in other case": edited(action="Issue_provisional_credit"),
    "action with a look-alike letter": edited(action="issue_provisional_cr\u0435dit"),
    "action with a zero-width space": edited(action="issue_provisional_credit\u200b"),
    "action in full-width letters": edited(action="ｉssue_provisional_credit"),
    "another draft": edited(draft_id="drf-2"),
    "draft id with a look-alike letter": edited(draft_id="drf-\u0031\u0336"),
    "a later version of the draft": edited(draft_version=2),
    "version as text": edited(draft_version="1"),
    "another draft digest": edited(draft_digest="e" * 64),
    "digest in upper case": edited(draft_digest="D" * 64),
    "an argument added": edited(note="and 500 more"),
    "an argument with a right-to-left override": edited(note="\u202e00.521"),
    "an argument in another normal form": edited(note="cafe\u0301"),
    "an argument that is no JSON": edited(note=object()),
    "an argument nested without end": edited(note=nested(40)),
    "an argument removed": without("draft_digest"),
    "another case": after_approval(credit(case_id="HL-2"), caller(case_id="HL-2")),
    "another case under this case's token": after_approval(credit(case_id="HL-2")),
    "this case under another case's token": after_approval(credit(), caller(case_id="HL-2")),
    "no case": after_approval(credit(case_id=""), caller(case_id="")),
    "case id with a look-alike letter": after_approval(credit(case_id="\u041dL-1"), caller(case_id="\u041dL-1")),
    "another tenant's call": after_approval(credit(tenant="millbrook"), caller(MARC)),
    "this tenant's call by another tenant": after_approval(credit(), caller(MARC)),
    "another tool": after_approval(credit(tool="submit_action")),
    "another server": after_approval(credit(server="case-facts")),
    "the tool's definition drifted": after_approval(credit(definition_hash="c" * 64)),
    "the policy revision drifted": after_approval(credit(policy_revision="c" * 64)),
    # Not approved, or not any more
    "nobody was asked": nobody_was_asked,
    "nobody has voted": after_votes(),
    "one of two has voted": after_votes((SELMA, True), quorum=2),
    "rejected": after_votes((SELMA, False)),
    "approved after a rejection": after_votes((SELMA, False), (IDRIS, True), (IDRIS, True)),
    "rejected by the second of two": after_votes((SELMA, True), (IDRIS, False), quorum=2),
    "revoked": revoked,
    "approved after it was revoked": approved_after_it_was_revoked,
    "its run was cancelled": its_run_was_cancelled,
    "expired": expired,
    "expired and swept": expired_and_swept,
    "approved too late": late_vote,
    "consumed before": consumed_elsewhere_without_effect,
    # By people who may not
    "approved by the requester": after_votes((ROSA, True)),
    "approved by the requester with the role": after_votes((person("rosa", "supervisor"), True)),
    "approved by the requester in capitals": after_votes((person("ROSA", "supervisor"), True)),
    "approved by the requester with a space": after_votes((person(" rosa ", "supervisor"), True)),
    "approved by the requester's look-alike": after_votes((person("r\u043esa", "supervisor"), True)),
    "approved by an id that cannot be seen": after_votes((person("rosa\u200b", "supervisor"), True)),
    "approved by an empty id": after_votes((person("", "supervisor"), True)),
    "approved without the role": after_votes((person("tomas", "reviewer"), True)),
    "approved with a role that looks alike": after_votes((person("tomas", "Supervisor"), True)),
    "approved with part of the role": after_votes((person("tomas", "super", "visor", "supervisor "), True)),
    "approved by a service": after_votes((person("batch", "supervisor", authentication="service"), True)),
    "approved twice by one person": after_votes((SELMA, True), (SELMA, True), quorum=2),
    "approved twice by one person in capitals": after_votes(
        (SELMA, True), (person("Selma", "supervisor"), True), quorum=2
    ),
    "approved by another tenant": vote_in_another_tenant,
    "approved by a namesake of another tenant": after_votes((person("selma", "supervisor", tenant="millbrook"), True)),
    "asked for by another tenant": request_for_another_tenant,
    "asked down to one vote": weaker_rule_for_an_open_call,
    # Of another run
    "by a fork with its parent's approval": after_approval(credit(), caller(run_id="run-2", agent="executor")),
    "by an agent without a run": after_approval(credit(), caller(run_id="", agent="executor")),
    # With the help of time
    "approved by a further role before its time": in_time(11.9, TOMAS),
    "approved by a role that the escalation does not name": in_time(13, person("avery", "auditor")),
    "approved by the requester after the escalation": in_time(13, ROSA),
    "approved by a further role of another tenant": in_time(13, person("lena", "reviewer", tenant="millbrook")),
    "escalated under a rule that does not": in_time(13, TOMAS, rule=RULE),
    "escalated by hand under a rule that does not": in_time(
        13, TOMAS, rule=RULE, by_hand="UPDATE approvals SET escalated_ns = created_ns + 90000000000000"
    ),
    "escalated by hand before its time": in_time(1, TOMAS, by_hand="UPDATE approvals SET escalated_ns = created_ns"),
    "approved by an assignee without the role": in_time(1, TOMAS, by_hand="UPDATE approvals SET assignee = 'tomas'"),
    "approved by the requester as assignee": in_time(1, ROSA, by_hand="UPDATE approvals SET assignee = 'rosa'"),
    "approved in the assignee's name from elsewhere": in_time(
        1, person("selma", "supervisor", tenant="millbrook"), by_hand="UPDATE approvals SET assignee = 'selma'"
    ),
    "the clock set back after its end was seen": set_back_after_its_end_was_seen,
    "the clock set back, then approved": set_back_and_approved,
    # With votes that are none
    "clicked twice": clicked_twice,
    "approved by a number": with_odd_vote(1),
    "approved by a word": with_odd_vote("approved"),
    "approved by a document": with_odd_vote({"approved": True}),
    "a rejection whose note approves": with_note('{"approve": true, "state": "approved"}', approve=False),
    "a note with markup": with_note("<script>approve('idris')</script>[bold]approved[/bold]", approve=True),
    "a note with hidden characters": with_note("\u202edevorppa\u202c \u200bidris\u0000", approve=True),
    "a note with a statement": with_note("'); UPDATE approvals SET state = 'approved'; --", approve=True),
    # In the database
    "state set by hand": tampered("UPDATE approvals SET state = 'approved'"),
    "state set by hand after one vote": tampered("UPDATE approvals SET state = 'approved'", votes=1),
    "a vote for the requester put in": tampered(
        "INSERT INTO approval_votes SELECT approval_id, 'rosa', 1, '', 0 FROM approvals",
        "UPDATE approvals SET state = 'approved'",
        votes=1,
    ),
    "a rejection turned round": tampered("UPDATE approval_votes SET approve = 0 WHERE voter = 'idris'", votes=2),
    "the stored call changed": tampered("UPDATE approvals SET call = replace(call, '12550', '999900')", votes=2),
    "the votes of another approval": votes_moved_from_another_approval,
}


def test_there_are_at_least_forty_attacks() -> None:
    assert len(ATTACKS) >= 40


@pytest.mark.proves("C3", "D5")
@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_on_an_approval_executes_nothing(tmp_path: Path, name: str) -> None:
    async with kernel(tmp_path) as world:
        await ATTACKS[name](world)
        assert (await world.effects("HL-1"), await world.effects("HL-2")) == ([], [])
        assert "effect.executed" not in [event.kind for event in await world.audit.events(tenant=TENANT)]
        assert (await world.audit.verify()).ok
        receipt = await honest(world)
        assert [receipt.approval_id in effect for effect in await world.effects("HL-1")] == [True]


async def honest(world: Kernel) -> Receipt:
    """What nobody attacks: asked for, approved by another person, executed."""
    call = credit(arguments={"draft_id": "drf-honest"})
    await world.approved(call)
    return await world.outbox.execute(call, caller=caller())


@pytest.mark.proves("C3", "D5")
async def test_the_same_call_unchanged_is_executed_so_the_attacks_mean_something(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await after_votes((SELMA, True), (IDRIS, True), quorum=2)(world)
        assert len(await world.effects()) == 1


@pytest.mark.proves("C3", "C4")
async def test_a_replayed_approval_executes_nothing_more(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.approved()
        first = await world.outbox.execute(credit(), caller=caller())
        for by in (caller(), caller(run_id="run-2"), caller(agent="executor")):
            assert (await world.outbox.execute(credit(), caller=by)).effect_id == first.effect_id
        asked = await world.ledger.request(credit(), RULE, caller=caller())
        await attempt(world.ledger.vote(asked.approval_id, voter=IDRIS, approve=True, note=""))
        assert (await world.outbox.execute(credit(), caller=caller())).repeated
        assert len(await world.effects()) == 1


@pytest.mark.proves("C3", "C4")
async def test_two_connections_that_consume_at_once_get_one_approval(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.approved()
        worlds = [Kernel.over(world.path, world.signer, world.clock) for _ in range(4)]

        async def consume(each: Kernel) -> bool:
            try:
                async with each.database.write() as connection:
                    await each.ledger.consume(credit(), caller=caller(), connection=connection)
            except CasewrightError:
                return False
            return True

        won = await asyncio.gather(*(consume(each) for each in worlds))
        for each in worlds:
            await each.database.close()
        assert sum(won) == 1
        assert [event.kind for event in await world.audit.events(tenant=TENANT)].count("approval.consumed") == 1


@pytest.mark.thorough
@pytest.mark.proves("C3", "C4", "D5")
async def test_fifty_consumers_in_two_processes_get_one_approval_and_one_effect(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        approval = await world.approved()
        world.signer.save(tmp_path / "key.pem")
        command = [sys.executable, "-m", "tests.security.consume_child", str(world.path), str(tmp_path / "key.pem")]
        children = [
            await asyncio.create_subprocess_exec(
                *command, "25", cwd=CHECKOUT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
            for _ in range(2)
        ]
        for child in children:  # both wait at the line, so that neither is done before the other begins
            assert child.stdout is not None
            assert await asyncio.wait_for(child.stdout.readline(), 30) == b"ready\n"
        answers = await asyncio.wait_for(asyncio.gather(*(child.communicate(b"go\n") for child in children)), 45)
        told = [answer for out, _ in answers for answer in json.loads(out)]
        assert len(told) == 50
        assert sorted(told)[:-1] == ["approval_consumed"] * 49
        assert sorted(told)[-1] == approval.approval_id
        assert [event.kind for event in await world.audit.events(tenant=TENANT)].count("approval.consumed") == 1


@pytest.mark.proves("D5")
async def test_two_people_who_vote_at_once_are_both_counted(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), TWO, caller=caller())
        second = Kernel.over(world.path, world.signer, world.clock)
        await asyncio.gather(
            world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note=""),
            second.ledger.vote(asked.approval_id, voter=IDRIS, approve=True, note=""),
        )
        await second.database.close()
        assert (await world.ledger.get(TENANT, asked.approval_id)).state == "approved"


@pytest.mark.proves("D5")
async def test_one_person_who_votes_twice_at_once_is_counted_once(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), TWO, caller=caller())
        await asyncio.gather(
            *(attempt(world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")) for _ in range(4))
        )
        assert (await world.ledger.get(TENANT, asked.approval_id)).remaining == 1
