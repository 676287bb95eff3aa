"""Attacks on approvals: something is approved, and something else is tried. Nothing may be executed.

Each attack is one row. The positive control is the same call unchanged, which is executed. The
effect counted is what the case's own record says was done, not what a call answers.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.approval import ActionCall
from casewright.contracts.principal import Caller, Principal
from casewright.errors import CasewrightError
from tests.support.installation import CHECKOUT
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
