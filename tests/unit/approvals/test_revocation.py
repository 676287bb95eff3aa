"""Taking an approval back: who may, that it is final, and that a cancelled run leaves nothing to execute."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.principal import Principal
from casewright.errors import CasewrightError, DeniedError, InputError, NotFoundError
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

WHY = "the customer withdrew the claim"


async def kinds(world: Kernel) -> list[str]:
    return [event.kind for event in await world.audit.events(tenant=TENANT)]


@pytest.mark.proves("D5")
@pytest.mark.parametrize("by", [ROSA, person("ROSA"), SELMA], ids=["who asked", "in capitals", "who could reject"])
@pytest.mark.parametrize("votes", [0, 1])
async def test_an_open_approval_is_revoked_with_its_reason_in_the_audit(
    tmp_path: Path, by: Principal, votes: int
) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), RULE, caller=caller())
        if votes:
            await world.ledger.vote(asked.approval_id, voter=IDRIS, approve=True, note="")
        revoked = await world.ledger.revoke(asked.approval_id, by=by, why=WHY)
        assert revoked.state == "revoked"
        assert (await world.ledger.get(TENANT, asked.approval_id)).state == "revoked"
        event = (await world.audit.events(tenant=TENANT))[-1]
        assert (event.kind, event.subject, event.run_id, event.case_id) == ("approval.revoked", by.id, "run-1", "HL-1")
        assert event.body == {
            "approval_id": asked.approval_id,
            "digest": asked.digest,
            "why": WHY,
            "was": "approved" if votes else "pending",
        }


@pytest.mark.proves("D5", "C3")
async def test_a_revoked_approval_takes_no_vote_and_executes_nothing(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        await world.ledger.revoke(asked.approval_id, by=ROSA, why=WHY)
        with pytest.raises(DeniedError) as voted:
            await world.ledger.vote(asked.approval_id, voter=IDRIS, approve=True, note="")
        with pytest.raises(DeniedError) as executed:
            await world.outbox.execute(credit(), caller=caller())
        with pytest.raises(DeniedError) as again:
            await world.ledger.revoke(asked.approval_id, by=ROSA, why=WHY)
        assert [refused.value.code for refused in (voted, executed, again)] == ["approval_revoked"] * 3
        assert await world.effects() == []
        assert (await kinds(world))[-3:] == ["call.denied"] * 3


@pytest.mark.proves("D5")
async def test_a_revoked_approval_does_not_expire_later(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        await world.ledger.revoke(asked.approval_id, by=SELMA, why=WHY)
        world.clock.advance(seconds=80 * HOUR)
        assert await world.ledger.expire_due() == ()
        assert (await world.ledger.get(TENANT, asked.approval_id)).state == "revoked"


@pytest.mark.proves("D5")
@pytest.mark.parametrize(
    ("by", "code"),
    [
        (person("tomas"), "role_missing"),
        (person("avery", "auditor"), "role_missing"),
        (person("batch", "supervisor", authentication="service"), "not_a_person"),
        (person("rosa", "service", authentication="service"), "not_a_person"),
    ],
    ids=["another reviewer", "an auditor", "a service", "the requester's id as a service"],
)
async def test_nobody_else_revokes_and_the_attempt_is_recorded(tmp_path: Path, by: Principal, code: str) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        with pytest.raises(DeniedError) as refused:
            await world.ledger.revoke(asked.approval_id, by=by, why=WHY)
        assert refused.value.code == code
        event = (await world.audit.events(tenant=TENANT))[-1]
        assert (event.kind, event.body["operation"], event.body["code"]) == ("call.denied", "approval.revoke", code)
        assert (await world.ledger.get(TENANT, asked.approval_id)).state == "approved"


@pytest.mark.proves("D5")
async def test_another_tenants_approval_cannot_be_revoked_nor_told_from_an_absent_one(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        for approval_id in (asked.approval_id, "apr-0"):
            with pytest.raises(NotFoundError, match=f"there is no approval '{approval_id}'"):
                await world.ledger.revoke(approval_id, by=MARC, why=WHY)
        assert (await world.ledger.get(TENANT, asked.approval_id)).state == "approved"


@pytest.mark.parametrize("votes", [(False,), (True,)])
async def test_what_is_decided_for_good_cannot_be_revoked(tmp_path: Path, votes: tuple[bool]) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), RULE, caller=caller())
        ended = await world.ledger.vote(asked.approval_id, voter=SELMA, approve=votes[0], note="")
        if ended.state == "approved":
            await world.outbox.execute(credit(), caller=caller())
        with pytest.raises(DeniedError) as refused:
            await world.ledger.revoke(asked.approval_id, by=ROSA, why=WHY)
        assert refused.value.code == ("approval_consumed" if votes[0] else "approval_rejected")


@pytest.mark.parametrize("why", ["", "  \n", "x" * 4_001])
async def test_a_revocation_needs_a_reason_of_a_notes_length(tmp_path: Path, why: str) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        with pytest.raises(InputError, match="reason"):
            await world.ledger.revoke(asked.approval_id, by=ROSA, why=why)
        assert (await world.ledger.get(TENANT, asked.approval_id)).state == "approved"


@pytest.mark.proves("D5", "E5")
async def test_a_cancelled_run_takes_back_what_it_asked_for_and_nothing_else(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        pending = await world.ledger.request(credit(), TWO, caller=caller(agent="executor"))
        approved = await world.approved(credit(arguments={"amount_minor": 7}))
        rejected = await world.ledger.request(credit(arguments={"amount_minor": 8}), RULE, caller=caller())
        await world.ledger.vote(rejected.approval_id, voter=SELMA, approve=False, note="")
        others = await world.ledger.request(credit(arguments={"amount_minor": 9}), RULE, caller=caller(run_id="run-2"))
        async with world.database.write() as connection:
            taken = await world.ledger.revoke_run(TENANT, "run-1", by="rosa", why="cancelled", connection=connection)
        assert set(taken) == {pending.approval_id, approved.approval_id}
        states = {found.approval_id: found.state for found in await world.ledger.list(TENANT)}
        assert [states[asked.approval_id] for asked in (pending, approved, rejected, others)] == [
            "revoked",
            "revoked",
            "rejected",
            "pending",
        ]
        assert (await kinds(world)).count("approval.revoked") == 2


@pytest.mark.proves("D5", "G1")
async def test_a_revocation_that_is_rolled_back_leaves_the_approvals_and_no_event(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        before = await world.audit.head()
        with pytest.raises(LookupError):
            async with world.database.write() as connection:
                await world.ledger.revoke_run(TENANT, "run-1", by="rosa", why="cancelled", connection=connection)
                raise LookupError
        assert (await world.ledger.get(TENANT, asked.approval_id)).state == "approved"
        assert await world.audit.head() == before


@pytest.mark.proves("D5")
async def test_a_run_of_another_tenant_with_the_same_name_keeps_its_approvals(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        async with world.database.write() as connection:
            assert await world.ledger.revoke_run("millbrook", "run-1", by="marc", why="x", connection=connection) == ()
        assert (await world.ledger.get(TENANT, asked.approval_id)).state == "approved"


@pytest.mark.proves("D5", "C4")
async def test_a_revocation_and_an_execution_at_once_end_in_one_of_the_two(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        second = Kernel.over(world.path, world.signer, world.clock)

        async def survived(work: Coroutine[Any, Any, object]) -> bool:
            try:
                await work
            except CasewrightError:
                return False
            return True

        revoked, executed = await asyncio.gather(
            survived(second.ledger.revoke(asked.approval_id, by=SELMA, why=WHY)),
            survived(world.outbox.execute(credit(), caller=caller())),
        )
        await second.database.close()
        assert revoked is not executed
        assert len(await world.effects()) == int(executed)
