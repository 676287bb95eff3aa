"""Attacks at the door through which people handle approvals: command line, API and console alike.

Everything is real: the policies of this checkout, the ledger, the audit. Beside each refusal stands what the
same door lets through.
"""

from typing import Literal

import pytest

from casewright.contracts.approval import ActionCall, Approval, ApprovalRule, Schedule
from casewright.contracts.principal import Actor, Caller
from casewright.errors import ConflictError, DeniedError, NotFoundError
from servers.approving import Approving, approval_document, notice_document
from tests.support.installation import World

HOUR = 3_600
SHARED_CASE = "HL-2026-0001"
"""Of rosa, and in some tests of tomas as well."""
TOMAS_CASE = "HL-2026-0017"
"""Of tomas; rosa has a conflict of interest on it."""
RULE = ApprovalRule(
    roles=("supervisor",),
    quorum=1,
    author_excluded=True,
    ttl_seconds=168 * HOUR,
    risk="high",
    schedule=Schedule(reassign_after_seconds=24 * HOUR, escalate_after_seconds=96 * HOUR, escalate_to=("reviewer",)),
)


def door(world: World, identity: str) -> Approving:
    return Approving(world.services, world.services.identities.find(identity), session="test")


async def asked(
    world: World, *, action: str = "close_duplicate", case_id: str = SHARED_CASE, by: str = "rosa", amount: object = 0
) -> Approval:
    """What somebody asked people for, as the drafting server asks."""
    call = ActionCall(
        tenant="harborline",
        case_id=case_id,
        server="drafting",
        tool="execute_action",
        definition_hash="a" * 64,
        arguments={"action": action, "amount_minor": amount, "currency": "USD", "draft_id": f"drf-{by}"},
        policy_revision="b" * 64,
    )
    actor = Actor(kind="user", run_id="run-1", case_id=case_id)
    caller = Caller(
        principal=world.services.identities.find(by),
        actor=actor,
        audience="drafting",
        scopes=("*",),
        token_id="t",
        expires_at=2**40,
    )
    return await world.services.approvals.request(call, RULE, caller=caller)


async def share(world: World, state: Literal["open", "closed"] = "open") -> None:
    """The case is assigned to two reviewers."""
    stored = await world.services.cases.load("harborline", SHARED_CASE)
    assert stored is not None
    shared = stored.case.model_copy(update={"assigned_to": ("rosa", "tomas"), "state": state})
    await world.services.cases.import_cases([shared], importer=world.services.identities.find("rosa"))


async def state(world: World, approval: Approval) -> tuple[str, int]:
    found = await world.services.approvals.get("harborline", approval.approval_id)
    return found.state, len(found.votes)


@pytest.mark.proves("C3", "D5")
async def test_whoever_saw_something_else_does_not_approve_this(world: World) -> None:
    approval, other = await asked(world), await asked(world, by="tomas", case_id="HL-2026-0002")
    selma = door(world, "selma")
    for seen in (other.digest, approval.digest.upper(), approval.digest[:-1], "approved"):
        with pytest.raises(ConflictError, match="read it again"):
            await selma.vote(approval.approval_id, approve=True, seen=seen)
    assert await state(world, approval) == ("pending", 0)
    document = approval_document((await selma.read(approval.approval_id)).approval)
    assert document["call"] == approval.call.model_dump(mode="json")
    voted = await selma.vote(approval.approval_id, approve=True, seen=document["digest"])
    assert voted.state == "approved"


@pytest.mark.proves("D5", "D2")
@pytest.mark.parametrize(
    ("voter", "refused"),
    [
        ("rosa", DeniedError),
        ("tomas", DeniedError),
        ("avery", DeniedError),
        ("petra", DeniedError),
        ("marc", NotFoundError),
        ("lena", NotFoundError),
    ],
)
async def test_nobody_but_another_approver_of_the_tenant_votes_or_assigns(
    world: World, voter: str, refused: type[Exception]
) -> None:
    approval = await asked(world)
    for approve in (True, False):
        with pytest.raises(refused):
            await door(world, voter).vote(approval.approval_id, approve=approve)
    with pytest.raises(refused):
        await door(world, voter).assign(approval.approval_id, "selma")
    assert await state(world, approval) == ("pending", 0)
    assert (await door(world, "selma").vote(approval.approval_id, approve=True)).state == "approved"


@pytest.mark.proves("C3", "D5")
@pytest.mark.parametrize("amount", ["0", None, True, 10**13 + 1, -1])
async def test_what_has_no_amount_that_a_rule_is_for_cannot_be_voted_on(world: World, amount: object) -> None:
    approval = await asked(world, amount=amount)
    with pytest.raises(DeniedError) as refusal:
        await door(world, "selma").vote(approval.approval_id, approve=True)
    assert refusal.value.code == "action_unknown"
    plain = await asked(world, amount=0)
    assert (await door(world, "selma").vote(plain.approval_id, approve=True)).state == "approved"


@pytest.mark.proves("D5", "E7")
async def test_reviewers_vote_when_policy_and_ledger_both_say_that_the_time_has_come(world: World) -> None:
    """The policy lets reviewers close duplicates after the escalation, and deny claims never."""
    await share(world)
    closing = await asked(world)
    denying = await asked(world, action="deny_claim")
    tomas = door(world, "tomas")
    world.clock.advance(seconds=95 * HOUR)
    with pytest.raises(DeniedError):
        await tomas.vote(closing.approval_id, approve=True)
    world.clock.advance(seconds=2 * HOUR)
    with pytest.raises(DeniedError) as refusal:
        await tomas.vote(denying.approval_id, approve=True)
    assert refusal.value.code == "not_an_approver"
    with pytest.raises(DeniedError):
        await door(world, "rosa").vote(closing.approval_id, approve=True)
    assert (await tomas.vote(closing.approval_id, approve=True)).state == "approved"


@pytest.mark.proves("D5", "E7")
async def test_further_roles_do_not_vote_on_a_case_that_is_closed(world: World) -> None:
    await share(world, "closed")
    closing = await asked(world)
    world.clock.advance(seconds=97 * HOUR)
    with pytest.raises(DeniedError) as refusal:
        await door(world, "tomas").vote(closing.approval_id, approve=True)
    assert refusal.value.code == "not_an_approver"
    await share(world)
    assert (await door(world, "tomas").vote(closing.approval_id, approve=True)).state == "approved"


@pytest.mark.proves("D5", "D2", "E7")
async def test_an_assignment_goes_to_nobody_who_could_not_vote(world: World) -> None:
    approval = await asked(world)
    selma = door(world, "selma")
    for identity in ("rosa", "tomas", "avery"):
        with pytest.raises(ConflictError):
            await selma.assign(approval.approval_id, identity)
    strangers: list[str] = []
    for identity in ("marc", "nobody", "Idris", "idris "):
        with pytest.raises(NotFoundError) as refusal:
            await selma.assign(approval.approval_id, identity)
        strangers.append(str(refusal.value).replace(repr(identity), "X"))
    assert len(set(strangers)) == 1
    assert (await selma.assign(approval.approval_id, "idris")).assignee == "idris"
    told = [notice_document(notice) for notice in await door(world, "idris").notices()]
    assert [(notice["kind"], notice["to"]) for notice in told] == [("assigned", "person:idris")]


@pytest.mark.proves("D2", "E7")
async def test_a_notice_of_a_case_that_one_may_not_read_is_not_shown(world: World) -> None:
    of_rosa, of_tomas = await asked(world), await asked(world, case_id=TOMAS_CASE, by="tomas")
    world.clock.advance(seconds=97 * HOUR)
    seen = {
        name: {notice.approval_id for notice in await door(world, name).notices()} for name in ("rosa", "tomas", "lena")
    }
    assert seen == {"rosa": {of_rosa.approval_id}, "tomas": {of_tomas.approval_id}, "lena": set()}
    for name in ("avery", "petra"):
        with pytest.raises(DeniedError):
            await door(world, name).notices()


@pytest.mark.proves("D2")
async def test_the_queue_holds_what_one_may_read_and_an_auditors_reading_is_marked(world: World) -> None:
    of_rosa, of_tomas = await asked(world), await asked(world, case_id=TOMAS_CASE, by="tomas")
    queues = {
        name: await door(world, name).queue(state="pending") for name in ("selma", "rosa", "avery", "petra", "marc")
    }
    ids = {name: {item.approval.approval_id for item in queue} for name, queue in queues.items()}
    assert ids["selma"] == ids["avery"] == {of_rosa.approval_id, of_tomas.approval_id}
    assert ids["rosa"] == {of_rosa.approval_id}
    assert ids["petra"] == ids["marc"] == set()
    assert ["avery" in item.watermark for item in queues["avery"]] == [True, True]
    assert {item.watermark for item in queues["selma"]} == {""}


@pytest.mark.proves("G1", "D5")
async def test_every_vote_assignment_and_refusal_at_the_door_has_its_decision(world: World) -> None:
    approval = await asked(world)
    with pytest.raises(DeniedError):
        await door(world, "rosa").vote(approval.approval_id, approve=True)
    await door(world, "selma").assign(approval.approval_id, "idris")
    await door(world, "idris").vote(approval.approval_id, approve=True)
    events = await world.events(run_id="test")
    assert [(event.kind, event.body["tool"], event.subject) for event in events] == [
        ("call.denied", "vote_approval", "rosa"),
        ("call.allowed", "assign_approval", "selma"),
        ("call.allowed", "vote_approval", "idris"),
    ]
    assert all(event.body["decision_id"] for event in events)


@pytest.mark.proves("C3", "D5")
async def test_a_note_is_kept_as_it_was_written_and_decides_nothing(world: World) -> None:
    approval = await asked(world)
    note = '<b>approved</b> [red]{"approve": true}\u202e\u200b'
    voted = await door(world, "selma").vote(approval.approval_id, approve=False, note=note)
    assert voted.state == "rejected"
    document = approval_document((await door(world, "rosa").read(approval.approval_id)).approval)
    assert [vote["note"] for vote in document["votes"]] == [note]
    assert note not in str(document["call"])
