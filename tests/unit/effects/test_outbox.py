"""The outbox: an approved call happens once, leaves one receipt, and survives what goes wrong."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.ledger import ApprovalLedger
from casewright.contracts.approval import Receipt
from casewright.effects.effect import Effect
from casewright.effects.outbox import Outbox
from casewright.errors import DeniedError, InputError, NotFoundError, StorageError, UnavailableError
from casewright.storage.tables import outbox
from tests.unit.audit.kernel import RULE, SELMA, TENANT, Kernel, caller, credit, kernel
from tests.unit.audit.test_audit_log import change


class FlakySink:
    """Writes to the case's record and then fails, as many times as told; strict about the count."""

    def __init__(self, world: Kernel, failures: int) -> None:
        self._world = world
        self.failures = failures
        self.keys: list[str] = []

    async def deliver(self, effect: Effect, connection: AsyncConnection) -> None:
        self.keys.append(effect.idempotency_key)
        await self._world.cases.record_effect(connection, effect.call.tenant, effect.call.case_id, "credit", 1)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("the ledger system does not answer; try again")


def over(world: Kernel, sink: FlakySink) -> Outbox:
    return Outbox(world.database, world.ledger, world.audit, world.clock, sink)


async def rows(world: Kernel) -> list[tuple[str, int]]:
    async with world.database.read() as connection:
        found = await connection.execute(select(outbox.c.state, outbox.c.attempts))
        return [(row.state, row.attempts) for row in found]


@pytest.mark.proves("C3", "C4")
async def test_an_approved_call_is_recorded_in_the_case_once_and_leaves_a_receipt(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        approval = await world.approved()
        receipt = await world.outbox.execute(credit(), caller=caller())
        assert receipt == Receipt(
            effect_id=receipt.effect_id,
            idempotency_key=f"{approval.digest}:{approval.approval_id}",
            approval_id=approval.approval_id,
            case_id="HL-1",
            action="issue_provisional_credit",
            amount_minor=12550,
            currency="USD",
            executed_ns=world.clock.now_ns(),
        )
        (effect,) = await world.effects()
        assert effect == (
            f"issue_provisional_credit of 12550 minor units of USD, effect {receipt.effect_id}, "
            f"approved as {approval.approval_id}"
        )
        last = (await world.audit.events(tenant=TENANT))[-1]
        assert (last.kind, last.subject, last.body["approval_id"]) == ("effect.executed", "rosa", approval.approval_id)
        assert (await world.audit.verify()).ok


@pytest.mark.proves("C4")
async def test_the_same_call_again_gives_the_first_receipt_and_does_nothing(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.approved()
        first = await world.outbox.execute(credit(), caller=caller())
        world.clock.advance(seconds=400_000)
        again = await world.outbox.execute(credit(), caller=caller(run_id="run-2"))
        assert again == first.model_copy(update={"repeated": True})
        assert len(await world.effects()) == 1
        assert await world.outbox.recover() == ()


@pytest.mark.proves("C4")
async def test_calls_at_the_same_moment_from_two_processes_execute_once(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.approved()
        second = Kernel.over(world.path, world.signer, world.clock)
        receipts = await asyncio.gather(
            *(each.outbox.execute(credit(), caller=caller()) for each in (world, second) for _ in range(4))
        )
        await second.database.close()
        assert len({receipt.effect_id for receipt in receipts}) == 1
        assert sum(not receipt.repeated for receipt in receipts) == 1
        assert len(await world.effects()) == 1


@pytest.mark.proves("C4")
async def test_a_delivery_that_fails_leaves_no_trace_but_the_attempt_and_is_recovered(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.approved()
        sink = FlakySink(world, failures=2)
        with pytest.raises(UnavailableError):
            await over(world, sink).execute(credit(), caller=caller())
        assert (await world.effects(), await rows(world)) == ([], [("pending", 1)])
        assert await over(world, sink).recover() == ()
        (receipt,) = await over(world, sink).recover()
        assert (await world.effects(), await rows(world)) == (["credit"], [("done", 3)])
        assert set(sink.keys) == {receipt.idempotency_key}
        last = (await world.audit.events(tenant=TENANT))[-1]
        assert (last.kind, last.subject, last.body["recovered"]) == ("effect.executed", "", True)


@pytest.mark.proves("C4")
async def test_the_caller_may_repeat_a_failed_call_instead_of_waiting_for_recovery(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.approved()
        sink = FlakySink(world, failures=1)
        with pytest.raises(UnavailableError):
            await over(world, sink).execute(credit(), caller=caller())
        receipt = await over(world, sink).execute(credit(), caller=caller())
        assert (receipt.repeated, await world.effects()) == (False, ["credit"])


@pytest.mark.proves("C4")
async def test_one_effect_that_cannot_be_delivered_does_not_hold_up_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with kernel(tmp_path) as world:
        for case_id in ("HL-1", "HL-2"):
            asker = caller(case_id=case_id)
            asked = await world.ledger.request(credit(case_id=case_id), RULE, caller=asker)
            await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")
            with pytest.raises(UnavailableError):
                await over(world, FlakySink(world, failures=1)).execute(credit(case_id=case_id), caller=asker)
        change(world.path, "UPDATE outbox SET call = replace(call, '12550', '999900') WHERE case_id = 'HL-1'")
        (receipt,) = await world.outbox.recover()
        assert receipt.case_id == "HL-2"
        assert await world.effects() == []
        assert "stays in the outbox" in caplog.text


@pytest.mark.proves("C3")
async def test_a_changed_row_of_the_outbox_is_not_executed(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.approved()
        with pytest.raises(UnavailableError):
            await over(world, FlakySink(world, failures=1)).execute(credit(), caller=caller())
        change(world.path, "UPDATE outbox SET call = replace(call, '12550', '999900')")
        with pytest.raises(StorageError, match="not what was approved"):
            await world.outbox.execute(credit(), caller=caller())
        assert await world.effects() == []


@pytest.mark.proves("C3")
@pytest.mark.parametrize(
    "arguments",
    [
        {"action": "transfer_everything"},
        {"action": None},
        {"amount_minor": -1},
        {"amount_minor": "12550"},
        {"amount_minor": True},
        {"amount_minor": None},
        {"amount_minor": 10**13 + 1},
        {"currency": "usd"},
        {"currency": None},
        {"currency": "USD "},
    ],
)
async def test_a_call_that_does_not_say_what_is_done_is_refused_before_its_approval_is_used(
    tmp_path: Path, arguments: dict[str, object]
) -> None:
    call = credit(arguments=arguments)
    async with kernel(tmp_path) as world:
        approval = await world.approved(call)
        with pytest.raises(InputError):
            await world.outbox.execute(call, caller=caller())
        assert (await world.ledger.get(TENANT, approval.approval_id)).state == "approved"
        assert (await world.audit.events(tenant=TENANT))[-1].kind == "call.denied"


@pytest.mark.proves("C3", "G1")
async def test_a_refused_execution_is_in_the_audit_with_its_code(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        with pytest.raises(DeniedError) as refused:
            await world.outbox.execute(credit(), caller=caller())
        assert refused.value.code == "approval_missing"
        last = (await world.audit.events(tenant=TENANT))[-1]
        assert (last.kind, last.subject, last.body["code"]) == ("call.denied", "rosa", "approval_missing")


async def test_an_effect_on_a_case_that_is_gone_stays_in_the_outbox(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        call = credit(case_id="HL-404")
        asked = await world.ledger.request(call, RULE, caller=caller(case_id="HL-404"))
        await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")
        with pytest.raises(NotFoundError):
            await world.outbox.execute(call, caller=caller(case_id="HL-404"))
        assert await rows(world) == [("pending", 1)]


def test_the_outbox_asks_the_ledger_and_has_no_other_way_in() -> None:
    public = {name for name in vars(Outbox) if not name.startswith("_")}
    assert public == {"execute", "recover"}
    assert "consume" in vars(ApprovalLedger)
