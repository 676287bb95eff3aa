"""The approval ledger: what it records and when an approval is good."""

from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.approval import ApprovalRule
from casewright.errors import ConflictError, DeniedError, InputError, NotFoundError, StorageError, WaitingError
from tests.unit.audit.kernel import (
    HOUR,
    IDRIS,
    MARC,
    ROSA,
    RULE,
    SELMA,
    TENANT,
    TWO,
    caller,
    credit,
    kernel,
    person,
)
from tests.unit.audit.test_audit_log import change


@pytest.mark.proves("D5")
async def test_a_request_is_pending_until_the_quorum_of_distinct_people_approves(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), TWO, caller=caller(agent="executor"))
        assert (asked.state, asked.remaining, asked.requested_by, asked.requested_agent) == (
            "pending",
            2,
            "rosa",
            "executor",
        )
        first = await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="seen the receipt")
        assert (first.state, first.remaining) == ("pending", 1)
        world.clock.advance(seconds=1)
        second = await world.ledger.vote(asked.approval_id, voter=IDRIS, approve=True, note="")
        assert (second.state, second.remaining) == ("approved", 0)
        stored = await world.ledger.get(TENANT, asked.approval_id)
        assert stored == second
        assert [(vote.voter, vote.note) for vote in stored.votes] == [("selma", "seen the receipt"), ("idris", "")]


@pytest.mark.proves("D5")
async def test_one_rejection_ends_it_and_asking_again_is_a_new_approval(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), TWO, caller=caller())
        await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")
        ended = await world.ledger.vote(asked.approval_id, voter=IDRIS, approve=False, note="no receipt")
        assert ended.state == "rejected"
        again = await world.ledger.request(credit(), TWO, caller=caller())
        assert (again.approval_id != asked.approval_id, again.state, again.votes) == (True, "pending", ())


@pytest.mark.proves("D5")
async def test_the_same_call_is_asked_for_once_while_it_is_open_and_after_it_was_used(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        first = await world.ledger.request(credit(), RULE, caller=caller())
        assert await world.ledger.request(credit(), RULE, caller=caller(run_id="run-2")) == first
        approved = await world.ledger.vote(first.approval_id, voter=SELMA, approve=True, note="")
        assert await world.ledger.request(credit(), RULE, caller=caller()) == approved
        async with world.database.write() as connection:
            used = await world.ledger.consume(credit(), caller=caller(), connection=connection)
        assert used.state == "consumed"
        assert await world.ledger.request(credit(), RULE, caller=caller()) == used
        assert await world.ledger.find(credit()) == used


async def test_the_same_open_call_under_another_rule_is_a_conflict(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.ledger.request(credit(), TWO, caller=caller())
        with pytest.raises(ConflictError, match="another rule"):
            await world.ledger.request(credit(), RULE, caller=caller())


@pytest.mark.proves("D5")
async def test_an_approval_expires_by_the_clock_and_its_expiry_is_recorded_once(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        world.clock.advance(seconds=72 * HOUR)
        assert (await world.ledger.get(TENANT, asked.approval_id)).state == "expired"
        assert await world.ledger.expire_due() == (asked.approval_id,)
        assert await world.ledger.expire_due() == ()
        kinds = [event.kind for event in await world.audit.events(tenant=TENANT)]
        assert kinds == ["approval.requested", "approval.voted", "approval.expired"]
        anew = await world.ledger.request(credit(), RULE, caller=caller())
        assert (anew.approval_id != asked.approval_id, anew.state) == (True, "pending")


async def test_a_vote_on_what_has_expired_closes_it_and_is_refused(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), RULE, caller=caller())
        world.clock.advance(seconds=72 * HOUR)
        with pytest.raises(DeniedError) as refused:
            await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")
        assert refused.value.code == "approval_expired"
        assert [event.kind for event in await world.audit.events(tenant=TENANT)][1:] == [
            "approval.expired",
            "call.denied",
        ]


async def test_consuming_waits_for_people_and_says_how_many_are_missing(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.ledger.request(credit(), TWO, caller=caller())
        with pytest.raises(WaitingError, match="still needs 2"):
            async with world.database.write() as connection:
                await world.ledger.consume(credit(), caller=caller(), connection=connection)


@pytest.mark.proves("D5", "G1")
async def test_a_consumption_that_is_rolled_back_leaves_the_approval_good_and_no_event(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await world.approved()
        before = await world.audit.head()
        with pytest.raises(LookupError):
            async with world.database.write() as connection:
                await world.ledger.consume(credit(), caller=caller(), connection=connection)
                raise LookupError
        assert await world.audit.head() == before
        async with world.database.write() as connection:
            assert (await world.ledger.consume(credit(), caller=caller(), connection=connection)).state == "consumed"


@pytest.mark.proves("D5", "G1")
async def test_every_step_and_every_refusal_is_in_the_audit(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), RULE, caller=caller())
        for voter in (ROSA, MARC):
            with pytest.raises((DeniedError, NotFoundError)):
                await world.ledger.vote(asked.approval_id, voter=voter, approve=True, note="")
        await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="<b>fine</b>")
        async with world.database.write() as connection:
            await world.ledger.consume(credit(), caller=caller(), connection=connection)
        events = await world.audit.events(tenant=TENANT)
        assert [(event.kind, event.subject) for event in events] == [
            ("approval.requested", "rosa"),
            ("call.denied", "rosa"),
            ("approval.voted", "selma"),
            ("approval.consumed", "rosa"),
        ]
        assert {event.body["digest"] for event in events if "digest" in event.body} == {asked.digest}
        (elsewhere,) = await world.audit.events(tenant="millbrook")
        assert (elsewhere.subject, elsewhere.body["code"]) == ("marc", "not_found")


async def test_a_note_is_kept_as_it_is_and_not_put_into_the_audit(tmp_path: Path) -> None:
    note = "<script>alert(1)</script> {{7*7}} '; DROP TABLE approvals; -- \u202e"
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), RULE, caller=caller())
        await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note=note)
        assert (await world.ledger.get(TENANT, asked.approval_id)).votes[0].note == note
        assert "script" not in str(await world.audit.events(tenant=TENANT))
        with pytest.raises(InputError, match="4000 are kept"):
            await world.ledger.vote(asked.approval_id, voter=IDRIS, approve=True, note="n" * 4001)


async def test_a_list_is_of_one_tenant_and_narrows_by_state_case_and_run(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        first = await world.approved()
        world.clock.advance(seconds=1)
        second = await world.ledger.request(credit(case_id="HL-2"), RULE, caller=caller(case_id="HL-2", run_id="run-2"))
        assert [found.approval_id for found in await world.ledger.list(TENANT)] == [
            second.approval_id,
            first.approval_id,
        ]
        assert await world.ledger.list(TENANT, state="approved") == (first,)
        assert await world.ledger.list(TENANT, case_id="HL-2") == (second,)
        assert await world.ledger.list(TENANT, run_id="run-1", state="pending") == ()
        assert await world.ledger.list("millbrook") == ()


async def test_another_tenants_approval_and_an_absent_one_look_alike(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), RULE, caller=caller())
        messages: list[str] = []
        for approval_id in (asked.approval_id, "apr-0000000000000000"):
            with pytest.raises(NotFoundError) as absent:
                await world.ledger.get("millbrook", approval_id)
            messages.append(str(absent.value).replace(approval_id, "ID"))
        assert messages[0] == messages[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ()},
        {"roles": ("",)},
        {"quorum": 0},
        {"quorum": -1},
        {"quorum": 6},
        {"author_excluded": False},
        {"ttl_seconds": 0},
        {"ttl_seconds": 31 * 86_400},
    ],
)
@pytest.mark.proves("D5")
async def test_a_rule_that_would_widen_approval_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    rule: ApprovalRule = RULE.model_copy(update=changes)
    async with kernel(tmp_path) as world:
        with pytest.raises(InputError, match="approval rule"):
            await world.ledger.request(credit(), rule, caller=caller())
        assert await world.ledger.list(TENANT) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approvals SET call = replace(call, '12550', '999900')",
        "UPDATE approvals SET case_id = 'HL-2'",
        "UPDATE approvals SET digest = 'f' || substr(digest, 2)",
        "UPDATE approvals SET call = '{}'",
        "UPDATE approvals SET rule = '{}'",
        "UPDATE approvals SET state = 'anything'",
    ],
)
async def test_a_row_changed_outside_of_the_ledger_is_not_used(tmp_path: Path, statement: str) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        change(world.path, statement)
        with pytest.raises(StorageError, match="changed outside"):
            await world.ledger.get(TENANT, asked.approval_id)


async def test_a_person_needs_one_of_the_roles_and_not_all_of_them(tmp_path: Path) -> None:
    rule = RULE.model_copy(update={"roles": ("compliance", "supervisor")})
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), rule, caller=caller())
        vera = person("vera", "reviewer", "compliance")
        assert (await world.ledger.vote(asked.approval_id, voter=vera, approve=True, note="")).state == "approved"
