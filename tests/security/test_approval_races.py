"""Several people and processes at one approval at once: one outcome, and never an effect beside a rejection.

Each race is run over real connections of its own and repeated; the positive control is that the races do
end differently, among them with the effect.
"""

import asyncio
import itertools
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from casewright.contracts.approval import ActionCall, Approval
from casewright.errors import CasewrightError
from tests.support.installation import CHECKOUT
from tests.unit.audit.kernel import IDRIS, ROSA, RULE, SELMA, TENANT, TWO, Kernel, caller, credit, kernel, person

INES = person("ines", "supervisor")
ROUNDS = 6
Move = Callable[[Kernel, Approval], Awaitable[object]]


def approves(world: Kernel, asked: Approval) -> Awaitable[object]:
    return world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")


def approves_too(world: Kernel, asked: Approval) -> Awaitable[object]:
    return world.ledger.vote(asked.approval_id, voter=IDRIS, approve=True, note="")


def rejects(world: Kernel, asked: Approval) -> Awaitable[object]:
    return world.ledger.vote(asked.approval_id, voter=INES, approve=False, note="")


def revokes(world: Kernel, asked: Approval) -> Awaitable[object]:
    return world.ledger.revoke(asked.approval_id, by=ROSA, why="withdrawn")


def executes(world: Kernel, asked: Approval) -> Awaitable[object]:
    return world.outbox.execute(asked.call, caller=caller())


async def cancels(world: Kernel, asked: Approval) -> None:
    async with world.database.write() as connection:
        await world.ledger.revoke_run(TENANT, asked.run_id, by="rosa", why="cancelled", connection=connection)


async def told(move: Move, world: Kernel, asked: Approval) -> str:
    try:
        await move(world, asked)
    except CasewrightError as error:
        return type(error).__name__
    return "done"


async def raced(world: Kernel, call: ActionCall, moves: tuple[Move, ...]) -> tuple[Approval, bool]:
    """What became of one approval, and whether its effect happened; each move comes over a connection of its own."""
    asked = await world.ledger.request(call, TWO if approves_too in moves else RULE, caller=caller())
    worlds = [Kernel.over(world.path, world.signer, world.clock) for _ in moves]
    await asyncio.gather(*(told(move, each, asked) for move, each in zip(moves, worlds, strict=True)))
    for each in worlds:
        await each.database.close()
    await told(executes, world, asked)
    ended = await world.ledger.get(TENANT, asked.approval_id)
    return ended, any(asked.approval_id in effect for effect in await world.effects())


@pytest.mark.proves("C3", "C4", "D5")
@pytest.mark.parametrize(
    ("moves", "outcomes"),
    [
        ((approves, approves_too, rejects), {("rejected", False), ("consumed", True)}),
        ((approves, approves, approves, rejects), {("rejected", False), ("consumed", True)}),
        ((approves, revokes, executes), {("revoked", False), ("consumed", True)}),
        ((approves, cancels, executes), {("revoked", False), ("consumed", True)}),
        ((approves, executes, executes, executes), {("consumed", True)}),
    ],
    ids=["two approve and one rejects", "a double click and a rejection", "revoked", "cancelled", "executed thrice"],
)
async def test_whoever_comes_first_an_approval_has_one_outcome(
    tmp_path: Path, moves: tuple[Move, ...], outcomes: set[tuple[str, bool]]
) -> None:
    async with kernel(tmp_path) as world:
        orders = itertools.islice(itertools.cycle(itertools.permutations(moves)), ROUNDS)
        for number, order in enumerate(orders):
            ended, executed = await raced(world, credit(arguments={"draft_id": f"drf-{number}"}), order)
            assert (ended.state, executed) in outcomes
            assert executed is (ended.state == "consumed")
            assert not executed or all(vote.approve for vote in ended.votes)
            assert len({vote.voter for vote in ended.votes}) == len(ended.votes)
        assert (await world.audit.verify()).ok


@pytest.mark.proves("C3", "D5")
@pytest.mark.parametrize(("last", "executed"), [(rejects, False), (revokes, False), (approves_too, True)])
async def test_the_last_of_two_decides_so_the_races_mean_something(tmp_path: Path, last: Move, executed: bool) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), TWO, caller=caller())
        for move in (approves, last, executes):
            await told(move, world, asked)
        assert (len(await world.effects()) == 1) is executed


@pytest.mark.thorough
@pytest.mark.proves("C3", "D5")
async def test_two_approvers_and_a_rejecter_in_three_processes_get_one_outcome(tmp_path: Path) -> None:
    """Twenty approvals; each process votes on all of them, each in another order."""
    async with kernel(tmp_path) as world:
        asked = [
            await world.ledger.request(credit(arguments={"draft_id": f"drf-{number}"}), TWO, caller=caller())
            for number in range(20)
        ]
        world.signer.save(tmp_path / "key.pem")
        names = [approval.approval_id for approval in asked]
        command = [sys.executable, "-m", "tests.security.vote_child", str(world.path), str(tmp_path / "key.pem")]
        votes = [("selma", "yes", names), ("idris", "yes", names[::-1]), ("ines", "no", names[10:] + names[:10])]
        children = [
            await asyncio.create_subprocess_exec(
                *command, who, how, *order, cwd=CHECKOUT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
            for who, how, order in votes
        ]
        for child in children:
            assert child.stdout is not None
            assert await asyncio.wait_for(child.stdout.readline(), 30) == b"ready\n"
        answers = await asyncio.wait_for(asyncio.gather(*(child.communicate(b"go\n") for child in children)), 45)
        accepted = [json.loads(out) for out, _ in answers]
        for approval in asked:
            await told(executes, world, approval)
            ended = await world.ledger.get(TENANT, approval.approval_id)
            rejected = approval.approval_id in accepted[2]
            assert ended.state == ("rejected" if rejected else "consumed")
            assert {vote.voter for vote in ended.votes} == {
                who for (who, _, _), told_yes in zip(votes, accepted, strict=True) if approval.approval_id in told_yes
            }
        effects = await world.effects()
        assert len(effects) == 20 - len(accepted[2])
        assert (await world.audit.verify()).ok
