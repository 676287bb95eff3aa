"""What time does to approvals that wait: each step once, in order, with its notice and its event."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from casewright.approvals.timers import run_due
from casewright.errors import ConflictError, DeniedError, NotFoundError
from tests.unit.approvals.organisation import (
    AUDREY,
    BOT,
    INES,
    PEOPLE,
    TIMED,
    TOMAS,
    Organisation,
    organisation,
)
from tests.unit.audit.kernel import IDRIS, MARC, ROSA, RULE, SELMA, TENANT, caller, credit, person
from tests.unit.audit.test_audit_log import change

EVERYBODY = tuple(who.id for who in PEOPLE)
TIMED_KINDS = ("approval.notified", "approval.reassigned", "approval.escalated", "approval.expired")


async def steps(world: Organisation) -> list[tuple[str, Any]]:
    """What time did, as the audit has it."""
    named = {"approval.notified": "number", "approval.reassigned": "to", "approval.escalated": "roles"}
    events = await world.events(*TIMED_KINDS)
    assert all(event.subject == "" for event in events if event.kind != "approval.reassigned")
    return [(event.kind.partition(".")[2], event.body.get(named.get(event.kind, ""), "")) for event in events]


@pytest.mark.proves("E7")
async def test_reminders_go_to_the_roles_while_nobody_is_assigned(office: Path) -> None:
    async with organisation(office) as world:
        await world.asked()
        assert [await world.due(hour) for hour in (3.9, 4, 4.1, 8)] == [0, 1, 0, 1]
        assert await world.told("selma") == [("reminder", 1, "role:supervisor"), ("reminder", 2, "role:supervisor")]
        assert await world.told("rosa", "tomas", "marc") == []
        assert await steps(world) == [("notified", 1), ("notified", 2)]


@pytest.mark.proves("E7")
async def test_a_reminder_goes_to_the_assignee_alone(office: Path) -> None:
    async with organisation(office) as world:
        asked = await world.asked()
        assigned = await world.services.approvals.assign(asked.approval_id, assignee=SELMA, by=IDRIS)
        assert assigned.assignee == "selma"
        await world.due(4)
        assert await world.told("selma") == [("assigned", 1, "person:selma"), ("reminder", 1, "person:selma")]
        assert await world.told("idris") == []


@pytest.mark.proves("E7")
async def test_a_machine_that_stood_still_catches_up_in_order_and_sends_one_reminder(office: Path) -> None:
    async with organisation(office) as world:
        asked = await world.asked()
        await world.services.approvals.assign(asked.approval_id, assignee=SELMA, by=IDRIS)
        assert await world.due(20) == 3
        assert await steps(world) == [
            ("reassigned", "selma"),
            ("reassigned", "idris"),
            ("escalated", ["reviewer"]),
            ("notified", 3),
        ]
        (notified,) = await world.events("approval.notified")
        assert notified.body["skipped"] == [1, 2]
        reminders = [notice for notice in await world.told(*EVERYBODY) if notice[0] == "reminder"]
        assert reminders == [("reminder", 3, "role:reviewer"), ("reminder", 3, "role:supervisor")]
        assert await world.due(20) == 0


@pytest.mark.proves("E7")
async def test_after_its_end_only_the_expiry_is_left_and_the_requester_is_told(office: Path) -> None:
    async with organisation(office) as world:
        asked = await world.asked()
        assert await world.due(24) == 1
        assert await steps(world) == [("expired", "")]
        assert (await world.now(asked)).state == "expired"
        assert await world.told(*EVERYBODY) == [("expired", 1, "person:rosa")]
        assert await world.due(500) == 0


@pytest.mark.proves("E7")
async def test_a_clock_that_goes_back_sends_nothing_twice_and_revives_nothing(office: Path) -> None:
    async with organisation(office) as world:
        asked = await world.asked()
        assert await world.due(13) == 2
        assert [await world.due(hour) for hour in (0, 4, 8, 12, 13)] == [0, 0, 0, 0, 0]
        assert (await world.now(asked)).voting_roles == ("supervisor", "reviewer")
        await world.due(24)
        world.at(1)
        with pytest.raises(DeniedError, match="expired"):
            await world.services.approvals.vote(asked.approval_id, voter=SELMA, approve=True, note="")
        assert await world.due(1) == 0


@pytest.mark.proves("E7")
async def test_an_assignee_who_does_not_vote_is_followed_by_everybody_who_could_and_then_by_the_roles(
    office: Path,
) -> None:
    """Not by who asked, another tenant's people, services or who has a conflict; by id, after ines."""
    async with organisation(office) as world:
        asked = await world.asked()
        await world.services.approvals.assign(asked.approval_id, assignee=INES, by=SELMA)
        assignees: list[str] = []
        for hour in (5.9, 6, 12, 18):
            await world.due(hour)
            assignees.append((await world.now(asked)).assignee)
        assert assignees[:2] == ["ines", "selma"]
        assert assignees[2:] == ["idris", "tomas"]  # reviewers vote since hour 12, but not who asked
        await world.due(23.9)
        assert (await world.now(asked)).assignee == "tomas"
        recipients = [notice[2] for notice in await world.told(*EVERYBODY) if notice[0] == "assigned"]
        assert recipients == ["person:ines", "person:selma", "person:idris", "person:tomas"]


@pytest.mark.proves("E7")
async def test_when_nobody_is_left_an_assignment_goes_back_to_the_roles(office: Path) -> None:
    async with organisation(office) as world:
        rule = TIMED.model_copy(update={"ttl_seconds": 30 * 86_400, "quorum": 5})
        asked = await world.asked(rule=rule)
        await world.services.approvals.assign(asked.approval_id, assignee=INES, by=SELMA)
        for hour in range(6, 60, 6):
            await world.due(hour)
        assert (await world.now(asked)).assignee == ""
        assert await world.due(700) == 0
        assert (await world.events("approval.reassigned"))[-1].body["to"] == ""
        assert ("assigned", 5, "role:supervisor") in await world.told("selma")


@pytest.mark.proves("E7")
async def test_an_assignee_who_has_voted_is_not_replaced(office: Path) -> None:
    async with organisation(office) as world:
        asked = await world.asked()
        await world.services.approvals.assign(asked.approval_id, assignee=SELMA, by=IDRIS)
        await world.services.approvals.vote(asked.approval_id, voter=SELMA, approve=True, note="")
        await world.due(11)
        assert (await world.now(asked)).assignee == "selma"


@pytest.mark.proves("E7", "D5")
async def test_an_escalation_lets_further_roles_vote_and_changes_neither_quorum_nor_people(office: Path) -> None:
    async with organisation(office) as world:
        asked = await world.asked()
        approvals = world.services.approvals
        await world.due(11.9)
        with pytest.raises(DeniedError, match="needs one of the roles supervisor"):
            await approvals.vote(asked.approval_id, voter=TOMAS, approve=True, note="")
        await world.due(12)
        assert (await approvals.vote(asked.approval_id, voter=TOMAS, approve=True, note="")).remaining == 1
        for again in (
            TOMAS,
            person("TOMAS", "supervisor"),
            ROSA,
            person("rosa", "supervisor"),
            person("avery", "auditor"),
        ):
            with pytest.raises(DeniedError):
                await approvals.vote(asked.approval_id, voter=again, approve=True, note="")
        assert (await approvals.vote(asked.approval_id, voter=IDRIS, approve=True, note="")).state == "approved"
        assert ("escalated", 1, "role:reviewer") in await world.told("tomas")


@pytest.mark.proves("E7")
async def test_what_is_decided_is_left_alone_until_it_expires(office: Path) -> None:
    async with organisation(office) as world:
        rejected = await world.asked()
        await world.services.approvals.vote(rejected.approval_id, voter=SELMA, approve=False, note="")
        approved = await world.asked(credit(arguments={"amount_minor": 1}))
        for voter in (SELMA, IDRIS):
            await world.services.approvals.vote(approved.approval_id, voter=voter, approve=True, note="")
        assert await world.due(23) == 0
        assert await world.due(24) == 1
        assert [(await world.now(asked)).state for asked in (rejected, approved)] == ["rejected", "expired"]


@pytest.mark.proves("E7", "E4")
async def test_two_machines_that_look_at_once_do_each_step_once(office: Path) -> None:
    async with organisation(office) as one, organisation(office) as other:
        await one.asked()
        await one.asked(credit(arguments={"amount_minor": 1}))
        one.at(20)
        other.at(20)
        done = await asyncio.gather(*(run_due(world.services) for world in (one, other, one, other)))
        assert sum(done) == 4
        assert len(await steps(one)) == 4
        assert (await one.services.audit.verify()).ok


@pytest.mark.proves("E7")
async def test_an_approval_that_was_stored_without_a_schedule_only_expires(office: Path) -> None:
    async with organisation(office) as world:
        asked = await world.asked(rule=RULE)
        stored = """UPDATE approvals SET due_ns = 0, rule = json_remove(rule, '$.schedule')"""
        change(world.services.settings.database, stored)
        assert [await world.due(hour) for hour in (1, 71.9, 72)] == [0, 0, 1]
        assert (await world.now(asked)).state == "expired"


@pytest.mark.proves("E7")
async def test_an_approval_that_cannot_be_read_does_not_hold_up_the_others(
    office: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with organisation(office) as world:
        broken = await world.asked(credit(arguments={"amount_minor": 1}))
        await world.asked()
        edit = f"UPDATE approvals SET call = '{{}}' WHERE approval_id = '{broken.approval_id}'"
        change(world.services.settings.database, edit)
        assert [await world.due(hour) for hour in (4, 4.1)] == [1, 0]
        assert [record.getMessage() for record in caplog.records if "left alone" in record.getMessage()] == [
            f"the approval {broken.approval_id!r} is left alone"
        ]


@pytest.mark.proves("E7", "D5")
async def test_only_who_could_vote_assigns_and_only_to_who_could_vote(office: Path) -> None:
    async with organisation(office) as world:
        asked = await world.asked()
        assign = world.services.approvals.assign
        for by in (ROSA, TOMAS, person("rosa", "supervisor"), BOT):
            with pytest.raises(DeniedError):
                await assign(asked.approval_id, assignee=SELMA, by=by)
        with pytest.raises(NotFoundError):
            await assign(asked.approval_id, assignee=SELMA, by=MARC)
        for assignee in (ROSA, person("ROSA", "supervisor"), TOMAS, MARC, BOT):
            with pytest.raises(ConflictError):
                await assign(asked.approval_id, assignee=assignee, by=SELMA)
        refused = [event.body["code"] for event in await world.events("call.denied")]
        assert refused == ["role_missing", "role_missing", "author_excluded", "not_a_person"]
        assert (await assign(asked.approval_id, assignee=AUDREY, by=SELMA)).assignee == "audrey"
        await assign(asked.approval_id, assignee=AUDREY, by=IDRIS)
        assert len(await world.events("approval.reassigned")) == 1


@pytest.mark.proves("E7", "D5")
async def test_an_assignment_takes_nobody_else_the_vote(office: Path) -> None:
    async with organisation(office) as world:
        asked = await world.asked()
        await world.services.approvals.assign(asked.approval_id, assignee=SELMA, by=INES)
        for voter in (INES, IDRIS):
            voted = await world.services.approvals.vote(asked.approval_id, voter=voter, approve=True, note="")
        assert voted.state == "approved"
        with pytest.raises(DeniedError, match="takes no more votes"):
            await world.services.approvals.assign(asked.approval_id, assignee=IDRIS, by=INES)


@pytest.mark.proves("E7", "D2")
async def test_nobody_is_told_of_another_tenants_approvals(office: Path) -> None:
    async with organisation(office) as world:
        call = credit(tenant="millbrook")
        await world.services.approvals.request(call, TIMED, caller=caller(MARC))
        await world.due(9)
        assert await world.told("selma", "idris", "rosa", "tomas") == []
        assert await world.told("marc") == [("reminder", 2, "role:supervisor")]
        assert await world.events(*TIMED_KINDS) == []
        assert TENANT != "millbrook"
