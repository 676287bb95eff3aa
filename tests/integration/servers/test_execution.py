"""Executing an action over MCP: only with the approval of exactly that call, and once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.drafting import ACTION_CASE, DRAFTING_BEARER, action_of, approved, saved, vote
from tests.support.installation import MODES, Bearer, Mode, World, opened, said, structured


async def execute(world: World, arguments: dict[str, Any], bearer: Bearer = DRAFTING_BEARER) -> dict[str, Any]:
    """The structured answer of one call to execute."""
    return structured(await world.call("drafting", "execute_action", arguments, bearer=bearer))


async def not_executed(world: World, arguments: dict[str, Any], bearer: Bearer = DRAFTING_BEARER) -> str:
    """The refusal of a call that must change nothing."""
    before = await world.effects(ACTION_CASE)
    result = await world.call("drafting", "execute_action", arguments, bearer=bearer)
    assert await world.effects(ACTION_CASE) == before
    assert result.is_error, said(result)
    return said(result)


async def approvals(world: World) -> int:
    """How many approvals the tenant's ledger holds."""
    return len(await world.services.approvals.list("harborline"))


@pytest.mark.proves("C3", "D5", "I1")
@pytest.mark.parametrize("mode", MODES)
async def test_without_an_approval_the_answer_says_who_is_needed_and_nothing_happens(world: World, mode: Mode) -> None:
    draft = await saved(world)
    async with world.client("drafting", DRAFTING_BEARER, mode=mode) as client:
        answer = structured(await client.call_tool("execute_action", action_of(draft)))
    assert (answer["status"], answer["receipt"]) == ("approval_required", None)
    assert answer["approval"]["rule"]["roles"] == ["supervisor"]
    assert answer["approval"]["call"]["arguments"] == action_of(draft)
    assert "casewright approvals approve" in answer["how"]
    assert await world.effects(ACTION_CASE) == []


@pytest.mark.proves("C3", "C4")
async def test_with_its_approval_an_action_happens_once_and_again_gives_the_same_receipt(world: World) -> None:
    arguments = action_of(await saved(world))
    await approved(world, arguments)
    first, second = await execute(world, arguments), await execute(world, arguments)
    assert first["status"] == second["status"] == "executed"
    assert (first["receipt"]["repeated"], second["receipt"]["repeated"]) == (False, True)
    assert first["receipt"] == second["receipt"] | {"repeated": False}
    assert len(await world.effects(ACTION_CASE)) == 1


@pytest.mark.proves("C3")
async def test_asking_twice_asks_people_once(world: World) -> None:
    arguments = action_of(await saved(world))
    asked = structured(await world.call("drafting", "submit_action", arguments, bearer=DRAFTING_BEARER))
    again = await execute(world, arguments)
    assert asked["approval"]["approval_id"] == again["approval"]["approval_id"]
    assert await approvals(world) == 1


@pytest.mark.proves("C3", "C5")
@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 13641},
        {"amount_minor": 0},
        {"currency": "EUR"},
        {"action": "deny_claim"},
        {"action": "no_action"},
        {"draft_digest": "0" * 64},
    ],
    ids=lambda change: "-".join(str(value)[:20] for value in change.values()),
)
@pytest.mark.parametrize("tool", ["submit_action", "execute_action"])
async def test_people_are_not_asked_for_what_the_draft_does_not_propose(
    world: World, tool: str, change: dict[str, Any]
) -> None:
    arguments = action_of(await saved(world)) | change
    result = await world.call("drafting", tool, arguments, bearer=DRAFTING_BEARER)
    assert result.is_error
    assert await approvals(world) == 0
    assert [event.kind for event in await world.events()][-1] == "call.failed"


@pytest.mark.proves("C3", "C5")
async def test_an_approval_does_not_cover_arguments_that_were_changed_after_it(world: World) -> None:
    arguments = action_of(await saved(world))
    await approved(world, arguments)
    assert "another action" in await not_executed(world, arguments | {"amount_minor": 99_999})
    assert len(await world.effects(ACTION_CASE)) == 0


@pytest.mark.proves("C5", "C3")
async def test_after_a_new_version_of_the_draft_its_approval_is_worth_nothing(world: World) -> None:
    draft = await saved(world)
    await approved(world, action_of(draft))
    changed = draft["recommendation"] | {"open_questions": ["Which store was it?"]}
    edit = {"recommendation": changed, "draft_id": draft["draft_id"]}
    second = structured(await world.call("drafting", "save_draft", edit, bearer=DRAFTING_BEARER))
    assert "newer version 2" in await not_executed(world, action_of(draft))
    newer = action_of(second | {"recommendation": changed})
    assert (await execute(world, newer))["status"] == "approval_required"
    assert await world.effects(ACTION_CASE) == []


@pytest.mark.proves("D7", "C3")
async def test_after_a_change_of_the_policies_an_approval_is_asked_for_anew(home: Path, own_policies: Path) -> None:
    async with opened(home, own_policies) as world:
        arguments = action_of(await saved(world))
        first = await approved(world, arguments)
        data = own_policies / "data" / "access" / "data.json"
        data.write_text(data.read_text().replace('"search_results": 50', '"search_results": 40'))
        answer = await execute(world, arguments)
        assert answer["status"] == "approval_required"
        assert answer["approval"]["approval_id"] != first.approval_id
        assert await world.effects(ACTION_CASE) == []


@pytest.mark.proves("C4", "C3")
async def test_the_same_kind_of_action_through_another_draft_is_refused(world: World) -> None:
    first, second = action_of(await saved(world)), action_of(await saved(world))
    await approved(world, first)
    await approved(world, second)
    assert (await execute(world, first))["status"] == "executed"
    assert "was executed on this case already" in await not_executed(world, second)
    assert len(await world.effects(ACTION_CASE)) == 1


@pytest.mark.proves("D5", "C3")
async def test_a_rejection_stands_until_the_call_is_another_one(world: World) -> None:
    arguments = action_of(await saved(world))
    asked = await execute(world, arguments)
    await vote(world, asked["approval"]["approval_id"], approve=False)
    assert (await execute(world, arguments))["status"] == "rejected"
    assert await world.effects(ACTION_CASE) == []


@pytest.mark.proves("D5")
async def test_one_vote_of_two_is_not_enough(home: Path, own_policies: Path) -> None:
    data = own_policies / "data" / "access" / "data.json"
    data.write_text(data.read_text().replace('"quorum": 1', '"quorum": 2'))
    async with opened(home, own_policies) as world:
        arguments = action_of(await saved(world))
        asked = await execute(world, arguments)
        await vote(world, asked["approval"]["approval_id"], voter="selma")
        assert (await execute(world, arguments))["status"] == "approval_required"
        await vote(world, asked["approval"]["approval_id"], voter="idris")
        assert (await execute(world, arguments))["status"] == "executed"


@pytest.mark.proves("D5")
async def test_an_expired_approval_is_asked_for_anew(world: World) -> None:
    arguments = action_of(await saved(world))
    first = await approved(world, arguments)
    world.clock.advance(seconds=73 * 3600)
    answer = await execute(world, arguments)
    assert answer["status"] == "approval_required"
    assert answer["approval"]["approval_id"] != first.approval_id


@pytest.mark.proves("D1", "C3")
@pytest.mark.parametrize(
    "bearer",
    [
        Bearer(identity="lena", case_id=ACTION_CASE),
        Bearer(identity="lena", case_id="MB-2026-0001"),
        Bearer(identity="tomas", case_id=ACTION_CASE),
        Bearer(identity="avery", case_id=ACTION_CASE),
        Bearer(identity="rosa", case_id="HL-2026-0001"),
        Bearer(identity="rosa", case_id=""),
        Bearer(case_id=ACTION_CASE, scopes=("get_draft",)),
        Bearer(case_id=ACTION_CASE, agent="drafter", scopes=("execute_action",)),
        Bearer(case_id=ACTION_CASE, agent="executor", scopes=("execute_action",), run_id="run-2"),
    ],
    ids=lambda bearer: f"{bearer.identity}-{bearer.agent or 'person'}-{bearer.case_id or 'no case'}-{bearer.run_id}",
)
async def test_nobody_else_can_use_an_approval(world: World, bearer: Bearer) -> None:
    arguments = action_of(await saved(world))
    await approved(world, arguments)
    assert "not available" in await not_executed(world, arguments, bearer)


@pytest.mark.proves("E1", "C3")
async def test_the_executor_of_the_run_executes_what_people_approved(world: World) -> None:
    arguments = action_of(await saved(world))
    await approved(world, arguments)
    executor = Bearer(case_id=ACTION_CASE, agent="executor", scopes=("submit_action", "execute_action"))
    asked = structured(await world.call("drafting", "submit_action", arguments, bearer=executor))
    assert asked["status"] == "approved"
    assert "not available" in await not_executed(world, arguments, replace(executor, step="verify"))
    assert (await execute(world, arguments, replace(executor, step="act")))["status"] == "executed"


@pytest.mark.proves("C4", "G1")
async def test_the_audit_of_an_execution_names_its_decision_its_approval_and_its_effect(world: World) -> None:
    arguments = action_of(await saved(world))
    approval = await approved(world, arguments)
    done = await execute(world, arguments)
    events = await world.events()
    kinds = [event.kind for event in events]
    assert kinds[-3:] == ["call.allowed", "approval.consumed", "effect.executed"]
    allowed, consumed, executed = events[-3:]
    assert allowed.body["obligations"].count("approval") == 1
    assert consumed.body["approval_id"] == executed.body["approval_id"] == approval.approval_id
    assert executed.body["effect_id"] == done["receipt"]["effect_id"]
    assert (await world.services.audit.verify()).ok
