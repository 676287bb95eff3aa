"""When a part behind the guard fails: nothing runs without its audit event, and no failure speaks to the client."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from casewright.cases.records import CaseAttributes, StoredCase
from casewright.cases.store import CaseStore
from casewright.config import Settings
from casewright.errors import CasewrightError, StorageError, UnavailableError
from casewright.services import Services
from servers.build import ServerFactory
from servers.decisions import RECHECK_SECONDS
from tests.support.drafting import ACTION_CASE, DRAFTING_BEARER, action_of, approved, recommendation, saved
from tests.support.installation import MODES, POLICIES, Bearer, Mode, World, opened, said, structured

SECRET = "canary-7f3a at /private/place"
FAILURES: dict[str, Callable[[], Exception]] = {
    "a bug": lambda: RuntimeError(SECRET),
    "a key": lambda: KeyError(SECRET),
    "a value": lambda: ValueError(SECRET),
    "the system": lambda: OSError(13, SECRET, SECRET),
    "storage": lambda: StorageError(SECRET),
    "something unavailable": lambda: UnavailableError(SECRET),
    "something expected": lambda: CasewrightError(SECRET),
    "a timeout": lambda: TimeoutError(SECRET),
}


class FailingReads(CaseStore):
    """A case store that fails when a case is read, after access was decided."""

    failure: Exception

    async def load(self, tenant: str, case_id: str, *, revision: int | None = None) -> StoredCase | None:
        raise self.failure


class FailingAttributes(CaseStore):
    """A case store that fails when access is to be decided."""

    failure: Exception

    async def attributes(self, tenant: str, case_id: str) -> CaseAttributes | None:
        raise self.failure


def break_audit(home: Path) -> None:
    """Make the log unwritable: it no longer fits its signed head, so it takes nothing more."""
    with sqlite3.connect(home / "casewright.db") as connection:
        connection.execute("UPDATE audit_head SET hash = ?", ("0" * 64,))
    connection.close()


@pytest.mark.proves("D2")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("why", FAILURES)
async def test_a_failure_inside_a_tool_says_nothing_of_itself(world: World, why: str, mode: Mode) -> None:
    store = FailingReads(world.services.database, world.clock)
    store.failure = FAILURES[why]()
    world.services.cases = store
    async with world.client("case-facts", mode=mode) as client:
        result = await client.call_tool("get_case", {})
    assert result.is_error
    assert "canary" not in result.model_dump_json()
    assert [event.kind for event in await world.events()] == ["call.allowed", "call.failed"]


@pytest.mark.proves("D2", "D4")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("why", FAILURES)
async def test_a_failure_before_the_decision_is_a_refusal_that_says_nothing(world: World, why: str, mode: Mode) -> None:
    store = FailingAttributes(world.services.database, world.clock)
    store.failure = FAILURES[why]()
    world.services.cases = store
    async with world.client("case-facts", mode=mode) as client:
        result = await client.call_tool("get_case", {})
    assert result.is_error
    assert "canary" not in result.model_dump_json()
    assert "call.allowed" not in [event.kind for event in await world.events()]


@pytest.mark.proves("G1", "D2")
@pytest.mark.parametrize("mode", MODES)
async def test_a_call_that_cannot_be_audited_is_refused(world: World, mode: Mode) -> None:
    async with world.client("case-facts", mode=mode) as client:
        assert structured(await client.call_tool("get_case", {}))
        break_audit(world.home)
        for tool in ("get_case", "list_cases", "no_such_tool"):
            result = await client.call_tool(tool, {})
            assert result.is_error
            assert said(result) == f"{tool!r} failed; the reason is in the server's log"


@pytest.mark.proves("G1", "D3")
@pytest.mark.parametrize("mode", MODES)
async def test_a_listing_that_cannot_be_audited_is_refused_without_saying_why(world: World, mode: Mode) -> None:
    break_audit(world.home)
    async with world.client("case-facts", Bearer(agent="intake", scopes=("get_case",)), mode=mode) as client:
        with pytest.raises(MCPError) as refused:
            await client.list_tools()
    assert refused.value.error.message == "the server cannot answer now; the reason is in its log"


@pytest.mark.proves("G1")
@pytest.mark.parametrize("mode", MODES)
async def test_a_refused_token_that_cannot_be_audited_stays_refused(world: World, mode: Mode) -> None:
    break_audit(world.home)
    async with world.client_with("case-facts", "rosa", mode=mode) as client:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("get_case", {})
    assert refused.value.error.message == "the server cannot answer now; the reason is in its log"


@pytest.mark.proves("G1", "C3", "C4")
async def test_an_approved_action_that_cannot_be_audited_is_not_executed(world: World) -> None:
    arguments = action_of(await saved(world))
    await approved(world, arguments)
    break_audit(world.home)
    result = await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER)
    assert result.is_error
    assert await world.effects(ACTION_CASE) == []


@pytest.mark.proves("G1", "C5")
async def test_a_draft_that_cannot_be_audited_is_not_saved(world: World) -> None:
    wanted = await recommendation(world)
    break_audit(world.home)
    result = await world.call("drafting", "save_draft", {"recommendation": wanted}, bearer=DRAFTING_BEARER)
    assert result.is_error
    assert await world.services.drafts.list("harborline", ACTION_CASE) == ()


@pytest.mark.proves("D6", "D7")
async def test_a_kill_switch_in_the_reviewed_data_closes_an_open_connection_within_its_promise(
    home: Path, own_policies: Path
) -> None:
    async with opened(home, own_policies) as world, world.client("case-facts") as client:
        assert structured(await client.call_tool("get_case", {}))
        data = own_policies / "data" / "access" / "data.json"
        data.write_text(data.read_text().replace('"everything": false', '"everything": true'))
        edited, said_then = time.monotonic(), ""
        while "not available" not in said_then:  # reads look at the files every 50 ms; live controls hold at once
            asked = time.monotonic()
            said_then = said(await client.call_tool("get_case", {}))
            assert "not available" in said_then or asked - edited <= RECHECK_SECONDS
        assert (await world.events())[-1].body["code"] == "switched_off"


@pytest.mark.proves("D6")
async def test_a_run_that_has_used_its_calls_gets_no_more_and_probing_counts(home: Path, own_policies: Path) -> None:
    data = own_policies / "data" / "access" / "data.json"
    data.write_text(data.read_text().replace('"user": {"tool_calls": 1000', '"user": {"tool_calls": 3'))
    async with opened(home, own_policies) as world, world.client("case-facts") as client:
        await client.call_tool("no_such_tool", {})
        await client.call_tool("get_case", {"x": 1})
        assert structured(await client.call_tool("get_case", {}))
        assert "not available" in said(await client.call_tool("get_case", {}))
        assert (await world.events())[-1].body["code"] == "budget_spent"


@pytest.mark.proves("D2")
async def test_a_tool_that_takes_too_long_is_ended_and_recorded(home: Path) -> None:
    class Waiting(CaseStore):
        async def load(self, tenant: str, case_id: str, *, revision: int | None = None) -> StoredCase | None:
            await anyio.sleep_forever()

    async with opened(home) as world:
        world.services = Services(Settings(home=home, policies=POLICIES, tool_timeout_seconds=0.05), world.clock)
        world.factory = ServerFactory(world.services)
        world.services.cases = Waiting(world.services.database, world.clock)
        result = await world.call("case-facts", "get_case")
        assert said(result) == "a part of the server does not answer; try again in a moment"
        assert [event.kind for event in await world.events()] == ["call.allowed", "call.failed"]
