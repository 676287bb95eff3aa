"""Long calls say how far they are to a client that asks, and one that is cancelled leaves nothing half done."""

import asyncio
from typing import Any

import pytest

from casewright.contracts.principal import ServerName
from tests.support.drafting import ACTION_CASE, DRAFTING_BEARER, action_of, approved, recommendation, saved
from tests.support.installation import MODES, Mode, World, structured


class Told:
    """What a client was told of the progress of one call."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, str]] = []

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        self.heard.append((progress, message or ""))


async def told(world: World, server: ServerName, tool: str, arguments: dict[str, Any], mode: Mode) -> list[str]:
    progress = Told()
    async with world.client(server, DRAFTING_BEARER, mode=mode) as client:
        structured(await client.call_tool(tool, arguments, progress_callback=progress))
    done = [number for number, _ in progress.heard]
    assert done == sorted(set(done))  # it only grows, as the protocol has it
    return [message for _, message in progress.heard]


@pytest.mark.proves("I1")
@pytest.mark.parametrize("mode", MODES)
async def test_a_search_names_its_phases_and_a_long_reading_its_clauses(world: World, mode: Mode) -> None:
    search = {"query": "When is provisional credit due?"}
    phases = await told(world, "policy-search", "search_policies", search, mode)
    assert [phase.split()[0] for phase in phases] == ["opening", "searching", "recording"]
    document = {"document_id": "hl-provisional-credit"}
    names = [document | {"label": f"{chapter}.{number}"} for chapter in (1, 2, 3) for number in range(1, 8)]
    read = await told(world, "policy-search", "get_clauses", {"clauses": names}, mode)
    assert read == [f"{start} of 21 clauses are read" for start in (0, 10, 20)]


@pytest.mark.proves("I1")
async def test_saving_and_asking_name_their_phases_and_nothing_of_the_case(world: World) -> None:
    wanted = await recommendation(world)
    saving = await told(world, "drafting", "save_draft", {"recommendation": wanted}, "auto")
    assert saving == ["checking every sentence, quote and fact", "saving"]
    draft = await saved(world)
    asking = await told(world, "drafting", "submit_action", action_of(draft), "auto")
    assert asking == ["checking that it could be executed", "asking for the approval"]


async def cancelled_after(world: World, tool: str, arguments: dict[str, Any], turns: int, mode: Mode) -> bool:
    """Call a tool and cancel it after some turns of the event loop; whether it was still running."""
    async with world.client("drafting", DRAFTING_BEARER, mode=mode) as client:
        calling = asyncio.create_task(client.call_tool(tool, arguments))
        for _ in range(turns):
            await asyncio.sleep(0)
        cancelled = calling.cancel()
        await asyncio.wait([calling], timeout=20)
        return cancelled


@pytest.mark.thorough
@pytest.mark.proves("I1", "C3", "C4")
@pytest.mark.parametrize("mode", MODES)
async def test_an_execution_cancelled_anywhere_happens_whole_or_not_at_all(world: World, mode: Mode) -> None:
    arguments = action_of(await saved(world))
    await approved(world, arguments)
    stopped = 0
    for turns in range(1, 60, 2):
        stopped += await cancelled_after(world, "execute_action", arguments, turns, mode)
        effects = await world.effects(ACTION_CASE)
        executed = [event for event in await world.events() if event.kind == "effect.executed"]
        assert len(effects) == len(executed) <= 1
    assert stopped > 5
    answer = structured(await world.call("drafting", "execute_action", arguments, bearer=DRAFTING_BEARER))
    assert answer["status"] == "executed"
    assert len(await world.effects(ACTION_CASE)) == 1
    assert (await world.services.audit.verify()).ok


@pytest.mark.proves("I1", "D6")
@pytest.mark.parametrize("mode", MODES)
async def test_a_call_that_its_client_gave_up_is_on_record_and_saved_nothing(world: World, mode: Mode) -> None:
    wanted = await recommendation(world)
    begun = asyncio.Event()

    async def noticed(progress: float, total: float | None, message: str | None) -> None:
        begun.set()

    async with world.client("drafting", DRAFTING_BEARER, mode=mode) as client:
        arguments = {"recommendation": wanted}
        calling = asyncio.create_task(client.call_tool("save_draft", arguments, progress_callback=noticed))
        await asyncio.wait_for(begun.wait(), 20)
        assert calling.cancel()
        await asyncio.wait([calling], timeout=20)
    (failed,) = [event for event in await world.events() if event.kind == "call.failed"]
    assert (failed.body["tool"], failed.body["error"]) == ("save_draft", "CancelledError")
    assert await world.services.drafts.list("harborline", ACTION_CASE) == ()
