"""Attacks on approvals: something is approved, and something else is tried. Nothing may be executed.

Each attack is a line of the data of the suite `approvals`. Its positive control is an honest call in the same world
after it, which is executed once.
The effect counted is what the case's own record says was done, not what a call answers.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from casewright.errors import CasewrightError
from evals.access.attacks import FILE, Attack
from evals.access.ledger_play import honest, opened_ledger
from evals.datasets import read_lines
from tests.support.installation import CHECKOUT
from tests.unit.audit.kernel import (
    IDRIS,
    RULE,
    SELMA,
    TENANT,
    TWO,
    Kernel,
    caller,
    credit,
    kernel,
)


async def attempt(work: Awaitable[object]) -> None:
    """Let the attack fail in the way the house fails; anything else is a bug of its own."""
    try:
        await work
    except CasewrightError:
        return


ATTACKS = {attack.id: attack for attack in read_lines(FILE, Attack) if attack.level == "ledger"}
"""Those over servers are played by the suite `approvals` (`tests/evals/test_approvals.py`)."""


def test_there_are_at_least_forty_attacks() -> None:
    assert len(ATTACKS) >= 40


@pytest.mark.proves("C3", "D5")
@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_on_an_approval_executes_nothing(tmp_path: Path, name: str) -> None:
    attack = ATTACKS[name]
    async with opened_ledger(tmp_path) as (play, world):
        for step in attack.steps:
            await play.step(step)
        assert await play.effects() == attack.effects
        kinds = [event.kind for event in await world.audit.events(tenant=TENANT)]
        assert kinds.count("effect.executed") == attack.effects
        assert (await world.audit.verify()).ok is not attack.by_hand
        receipt = await honest(world)
        assert [receipt.approval_id in effect for effect in await world.effects("HL-1")].count(True) == 1


@pytest.mark.proves("C3", "D5")
async def test_the_same_call_unchanged_is_executed_so_the_attacks_mean_something(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), TWO, caller=caller())
        for voter in (SELMA, IDRIS):
            await world.ledger.vote(asked.approval_id, voter=voter, approve=True, note="")
        await world.outbox.execute(credit(), caller=caller())
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
