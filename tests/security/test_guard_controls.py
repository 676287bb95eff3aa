"""Kill switches and budgets pulled by a command: in force with the next call of every process, and put back again."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from casewright.controls.reviewed import ReviewedData
from casewright.effects.history import receipt_of
from tests.support.drafting import ACTION_CASE, DRAFTING_BEARER, action_of, approved, saved
from tests.support.installation import CASE, CHECKOUT, RUN, Bearer, World, opened, process_environment, said, structured

SECONDS = 55
MILLBROOK_CASE = "MB-2026-0001"


async def pull(world: World, path: str, value: str, *, by: str = "selma") -> None:
    """Set one control, as the command does after its own decision."""
    await world.services.controls.set(
        path,
        value,
        principal=world.services.identities.find(by),
        why="test",
        reviewed=ReviewedData.read(world.policies),
    )


async def command(home: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run one `casewright` command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "casewright.launch", *arguments, "--json"),
        env=process_environment(home),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    return process.returncode or 0, json.loads(out)


async def put(home: Path, path: str, value: str, *, by: str = "selma") -> tuple[int, dict[str, Any]]:
    return await command(home, "policy", "data", "set", path, value, "--why", "incident 12", "--as", by)


@pytest.mark.proves("D6")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("switches.everything", "true"),
        ("switches.tools", "+get_case"),
        ("switches.tools", "+case-facts"),
        ("switches.tools", "+case-facts/get_case"),
        ("switches.tenants", "+harborline"),
        ("limits.user.tool_calls", "1"),
    ],
)
async def test_a_control_closes_the_next_call_of_an_open_connection_and_its_undoing_opens_it(
    world: World, path: str, value: str
) -> None:
    async with world.client("case-facts") as client:
        assert structured(await client.call_tool("get_case", {}))
        await pull(world, path, value)
        assert "not available" in said(await client.call_tool("get_case", {}))
        code = "budget_spent" if path.startswith("limits") else "switched_off"
        assert (await world.events())[-1].body["code"] == code
        undone = "default" if path.startswith("limits") else "false" if value == "true" else value.replace("+", "-")
        await pull(world, path, undone)
        assert structured(await client.call_tool("get_case", {}))


@pytest.mark.proves("D6")
@pytest.mark.parametrize(
    ("path", "value"),
    [("switches.everything", "true"), ("switches.tools", "+get_case"), ("limits.user.tool_calls", "1")],
)
async def test_a_control_of_one_tenant_leaves_the_calls_of_another_alone(world: World, path: str, value: str) -> None:
    lena = Bearer(identity="lena", case_id=MILLBROOK_CASE)
    async with world.client("case-facts", lena) as client:
        await pull(world, path, value)
        for _ in range(3):
            assert structured(await client.call_tool("get_case", {}))["case_id"] == MILLBROOK_CASE
        await world.call("case-facts", "get_case")
        assert "not available" in said(await world.call("case-facts", "get_case"))
        await pull(world, "switches.tools", "+get_case", by="marc")
        assert "not available" in said(await client.call_tool("get_case", {}))


@pytest.mark.proves("D6")
async def test_a_switch_on_one_agent_leaves_people_and_other_agents_alone(world: World) -> None:
    from tests.security.test_guard_decisions import ANALYST, CHECKER

    await pull(world, "switches.agents", "+facts_analyst")
    assert "not available" in said(await world.call("case-facts", "get_case", bearer=ANALYST))
    assert structured(await world.call("case-facts", "assess_case", bearer=CHECKER))
    assert structured(await world.call("case-facts", "get_case"))


@pytest.mark.proves("D6", "D3")
async def test_a_switch_changes_no_listing(world: World) -> None:
    async with world.client("case-facts") as client:
        before = await client.list_tools(cache_mode="bypass")
        await pull(world, "switches.everything", "true")
        assert await client.list_tools(cache_mode="bypass") == before


@pytest.mark.proves("D6", "C3")
@pytest.mark.parametrize(("path", "value"), [("switches.everything", "true"), ("switches.tools", "+execute_action")])
async def test_a_kill_switch_between_approval_and_execution_stops_the_execution(
    world: World, path: str, value: str
) -> None:
    arguments = action_of(await saved(world))
    approval = await approved(world, arguments)
    await pull(world, path, value)
    stopped = await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER)
    assert "not available" in said(stopped)
    assert await world.effects(ACTION_CASE) == []
    assert (await world.services.approvals.get("harborline", approval.approval_id)).state == "approved"
    await pull(world, path, "false" if value == "true" else "-execute_action")
    done = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    assert done["status"] == "executed"


def edit(policies: Path, old: str, new: str) -> None:
    path = policies / "data" / "access" / "data.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.proves("D5", "D7", "C3")
@pytest.mark.parametrize("new", [(["supervisor"], 2), (["auditor"], 1)], ids=["a higher quorum", "another role"])
async def test_a_changed_approval_rule_makes_the_old_approval_insufficient(
    home: Path, own_policies: Path, new: tuple[list[str], int]
) -> None:
    def row(roles: list[str], quorum: int) -> str:
        return f'"to_minor": 500000, "roles": {json.dumps(roles)}, "quorum": {quorum}'

    async with opened(home, own_policies) as world:
        arguments = action_of(await saved(world))
        first = await approved(world, arguments)
        edit(own_policies, row(["supervisor"], 1), row(*new))
        answer = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
        assert answer["status"] == "approval_required"
        assert answer["approval"]["approval_id"] != first.approval_id
        rule = answer["approval"]["rule"]
        assert (rule["roles"], rule["quorum"]) == new
        assert await world.effects(ACTION_CASE) == []


@pytest.mark.proves("D5", "D7", "C4")
async def test_an_edit_after_the_effect_refuses_a_second_one_and_leaves_the_first_receipt(
    home: Path, own_policies: Path
) -> None:
    async with opened(home, own_policies) as world:
        arguments = action_of(await saved(world))
        approval = await approved(world, arguments)
        done = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
        edit(own_policies, '"search_results": 50', '"search_results": 40')
        again = await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER)
        assert again.is_error
        assert done["receipt"]["effect_id"] in said(again)
        assert len(await world.effects(ACTION_CASE)) == 1
        receipt = await receipt_of(world.services.database, "harborline", approval.approval_id)
        assert receipt is not None and receipt.effect_id == done["receipt"]["effect_id"]


@pytest.mark.proves("D5", "C3")
async def test_a_revoked_approval_ends_the_call_it_was_for(world: World) -> None:
    arguments = action_of(await saved(world))
    approval = await approved(world, arguments)
    rosa = world.services.identities.find("rosa")
    await world.services.approvals.revoke(approval.approval_id, by=rosa, why="withdrawn")
    for tool in ("submit_action", "execute_action"):
        answer = structured(await world.call("drafting", tool, arguments, bearer=DRAFTING_BEARER))
        assert answer["status"] == "revoked"
    assert await world.effects(ACTION_CASE) == []
    assert len(await world.services.approvals.list("harborline")) == 1


@pytest.mark.thorough
@pytest.mark.timeout(240)  # eight processes, one after another
@pytest.mark.proves("D6", "D2")
async def test_a_command_switches_a_server_in_another_process_off_and_on_again(home: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "casewright.launch", "mcp", "case-facts", "--as", "rosa", "--case", CASE],
        env=process_environment(home),
        cwd=str(CHECKOUT),
    )
    async with Client(parameters, read_timeout_seconds=SECONDS) as client:
        assert structured(await client.call_tool("get_case", {}))["case_id"] == CASE
        code, document = await put(home, "switches.everything", "true")
        assert (code, document["changed"]["by"], document["switches"]["everything"]) == (0, "selma", True)
        assert "not available" in said(await client.call_tool("get_case", {}))
        # everything is off, so other commands are, too, and this one is not
        assert (await command(home, "cases", "list", "--as", "selma"))[0] == 3
        assert (await put(home, "switches.everything", "false", by="rosa"))[0] == 3
        assert (await put(home, "switches.everything", "false", by="petra"))[0] == 0
        assert structured(await client.call_tool("get_case", {}))["case_id"] == CASE
    _, history = await command(home, "policy", "data", "history")
    told = [(change["by"], change["value"], change["why"]) for change in history["changes"]]
    assert told == [("petra", False, "incident 12"), ("selma", True, "incident 12")]
    async with opened(home) as world:
        changes = [event for event in await world.events(run_id="") if event.kind == "policy_data.changed"]
        assert [(event.subject, event.body["old"], event.body["new"]) for event in changes] == [
            ("selma", False, True),
            ("petra", True, False),
        ]
        assert (await world.services.audit.verify()).ok


@pytest.mark.thorough
@pytest.mark.timeout(240)
@pytest.mark.proves("D6")
async def test_a_refused_control_says_why_and_changes_nothing(home: Path) -> None:
    for path, value, why in (
        ("limits.agent.tool_calls", "999999", "data/access/data.json"),
        ("switches.tools", "get_cash", "case-facts/get_case"),
        ("switch", "true", "is no control"),
    ):
        code, document = await put(home, path, value)
        assert (code, why in document["error"]["message"]) == (2, True), document
    _, shown = await command(home, "policy", "data", "show")
    assert shown["version"] == 0


@pytest.mark.thorough
@pytest.mark.timeout(240)  # nine processes, one after another
@pytest.mark.proves("D6")
async def test_a_supervisor_switches_their_own_tenant_and_no_other_and_reads_their_own_controls(home: Path) -> None:
    code, document = await put(home, "switches.tenants", "+millbrook")
    assert (code, "is not your tenant 'harborline'" in document["error"]["message"]) == (2, True), document
    assert (await put(home, "switches.everything", "true"))[0] == 0
    assert (await command(home, "cases", "list", "--as", "lena"))[0] == 0
    assert (await command(home, "cases", "list", "--as", "rosa"))[0] == 3
    for person, version, changes in (("marc", 0, 0), ("avery", 1, 1)):
        _, shown = await command(home, "policy", "data", "show", "--as", person)
        assert (shown["version"], shown["switches"]["everything"]) == (version, bool(version))
        _, history = await command(home, "policy", "data", "history", "--as", person)
        assert len(history["changes"]) == changes
    assert (await command(home, "policy", "data", "show", "--as", "rosa"))[0] == 3


@pytest.mark.thorough
@pytest.mark.timeout(240)
@pytest.mark.proves("D6", "E2")
async def test_a_switch_pulled_in_the_middle_of_a_review_stops_it_before_anything_happens(home: Path) -> None:
    code, report = await command(home, "review", ACTION_CASE, "--as", "rosa")
    assert (code, report["status"]) == (4, "waiting_approval")
    assert (await put(home, "switches.agents", "+executor"))[0] == 0
    approval_id = report["pending"][0]["approval_id"]
    _, voted = await command(home, "approvals", "approve", approval_id, "--as", "selma")
    assert voted["state"] == "approved"
    assert voted.get("receipt") is None
    async with opened(home) as world:
        assert await world.effects(ACTION_CASE) == []
        events = await world.events(run_id=report["run_id"])
        denied = [event for event in events if event.kind == "call.denied"]
        assert denied[-1].agent == "executor" and denied[-1].body["code"] == "switched_off"
        assert report["run_id"] != RUN


@pytest.mark.thorough
@pytest.mark.timeout(240)
@pytest.mark.proves("D5", "E2")
async def test_a_person_takes_back_what_their_review_asked_for_and_the_review_ends_without_effect(home: Path) -> None:
    _, report = await command(home, "review", ACTION_CASE, "--as", "rosa")
    approval_id = report["pending"][0]["approval_id"]
    code, _ = await command(home, "approvals", "revoke", approval_id, "--why", "not mine", "--as", "tomas")
    assert code == 3
    code, revoked = await command(home, "approvals", "revoke", approval_id, "--why", "withdrawn", "--as", "rosa")
    assert (code, revoked["state"]) == (0, "revoked")
    assert revoked["run"]["status"] != "waiting_approval"
    code, _ = await command(home, "approvals", "approve", approval_id, "--as", "selma")
    assert code == 3
    async with opened(home) as world:
        assert await world.effects(ACTION_CASE) == []
        kinds = [event.kind for event in await world.events(run_id=report["run_id"])]
        assert kinds.count("approval.revoked") == 1 and "effect.executed" not in kinds
