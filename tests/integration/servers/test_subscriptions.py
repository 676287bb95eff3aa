"""Subscriptions to drafts: whoever may read one hears that it changed, decided anew each time, in both eras."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    EmptyResult,
    ResourceUpdatedNotification,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)
from sqlalchemy import update

from casewright.contracts.principal import ServerName
from casewright.storage.run_tables import runs
from commands.review_requests import ReviewRequests
from servers import subscriptions
from tests.support.drafting import ACTION_CASE, DRAFTING_BEARER, recommendation
from tests.support.installation import CASE, MODES, Bearer, Mode, World, structured

Heard = asyncio.Queue[str]
LIST = f"case://{ACTION_CASE}/drafts"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "LOOK_SECONDS", 0.01)


@asynccontextmanager
async def listener(
    world: World, *uris: str, mode: Mode, server: ServerName = "drafting", bearer: Bearer = DRAFTING_BEARER
) -> AsyncGenerator[tuple[Heard, Client]]:
    """A client that has subscribed, and the URIs that it is told of."""
    heard: Heard = asyncio.Queue()

    async def told(message: Any) -> None:
        if mode == "legacy" and isinstance(message, ResourceUpdatedNotification):
            await heard.put(str(message.params.uri))

    built = world.factory.build(server, world.token(server, bearer))
    async with Client(built, mode=mode, read_timeout_seconds=20, message_handler=told) as client:
        if mode == "legacy":
            for uri in uris:
                await subscribe(client, uri)
            yield heard, client
            return
        async with client.listen(resource_subscriptions=uris) as stream:

            async def pump() -> None:
                async for event in stream:
                    await heard.put(getattr(event, "uri", ""))
                await heard.put("the stream has ended")

            pumping = asyncio.create_task(pump())
            yield heard, client
            pumping.cancel()


async def subscribe(client: Client, uri: str) -> None:
    await client.session.send_request(SubscribeRequest(params=SubscribeRequestParams(uri=uri)), EmptyResult)


async def ask(client: Client, mode: Mode, *uris: str) -> None:
    """Ask to be told, as the era has it; returns when it was granted."""
    if mode == "legacy":
        for uri in uris:
            await subscribe(client, uri)
        return
    async with client.listen(resource_subscriptions=uris):
        pass


async def save(world: World, draft_id: str = "") -> str:
    wanted = await recommendation(world)
    arguments = {"recommendation": wanted, "draft_id": draft_id}
    return structured(await world.call("drafting", "save_draft", arguments, bearer=DRAFTING_BEARER))["draft_id"]


async def next_of(heard: Heard) -> str:
    return await asyncio.wait_for(heard.get(), 20)


async def decisions(world: World) -> list[tuple[str, str]]:
    events = await world.events(run_id=DRAFTING_BEARER.run_id)
    return [(event.kind, event.body["entry"]) for event in events if event.body.get("kind") == "resource"]


@pytest.mark.proves("I3", "D2")
@pytest.mark.parametrize("mode", MODES)
async def test_a_new_version_is_told_of_and_each_telling_is_a_decision_of_its_own(world: World, mode: Mode) -> None:
    draft = await save(world)
    async with listener(world, f"draft://{draft}", LIST, mode=mode) as (heard, client):
        before = len(await decisions(world))
        assert before == 2
        await save(world, draft)
        assert {await next_of(heard), await next_of(heard)} == {f"draft://{draft}", LIST}
        assert len(await decisions(world)) == 4
        read = await client.read_resource(f"draft://{draft}")
        assert '"version": 2' in read.model_dump_json().replace("\\", "")
    assert {kind for kind, _ in await decisions(world)} == {"call.allowed"}


@pytest.mark.thorough
@pytest.mark.proves("I3", "D2")
@pytest.mark.parametrize("mode", MODES)
async def test_whoever_may_no_longer_read_it_hears_no_more(world: World, mode: Mode) -> None:
    draft = await save(world)
    async with listener(world, f"draft://{draft}", mode=mode) as (heard, _):
        await save(world, draft)
        assert await next_of(heard) == f"draft://{draft}"
        world.clock.advance(seconds=900)  # the token lived for 600
        await save(world, draft)
        if mode == "auto":
            assert await next_of(heard) == "the stream has ended"
        else:
            await asyncio.sleep(0.1)
        assert heard.empty()


@pytest.mark.proves("I3", "D2", "D3")
@pytest.mark.parametrize("mode", MODES)
async def test_nobody_subscribes_to_what_they_may_not_read_and_absent_and_denied_are_one(
    world: World, mode: Mode
) -> None:
    draft = await save(world)
    stranger = Bearer(identity="tomas", case_id="HL-2026-0003", run_id="run-2")
    said: set[tuple[int, str]] = set()
    async with world.client("drafting", stranger, mode=mode) as client:
        for uri in (f"draft://{draft}", "draft://drf-0000", LIST, "draft://", "foo://x"):
            with pytest.raises(MCPError) as refused:
                await ask(client, mode, uri)
            said.add((refused.value.error.code, refused.value.error.message))
    assert len(said) == 1 and "not available" in said.pop()[1]


@pytest.mark.thorough
@pytest.mark.proves("I3")
async def test_of_several_resources_only_the_readable_ones_are_acknowledged(world: World) -> None:
    draft = await save(world)
    async with world.client("drafting", DRAFTING_BEARER) as client:
        wanted = (f"draft://{draft}", "draft://drf-0000", "case://HL-2026-0001/drafts")
        async with client.listen(resource_subscriptions=wanted, tools_list_changed=True) as stream:
            assert stream.honored.resource_subscriptions == [f"draft://{draft}"]
            assert not stream.honored.tools_list_changed


@pytest.mark.thorough
@pytest.mark.proves("I3")
@pytest.mark.parametrize("mode", MODES)
async def test_more_than_can_be_watched_is_refused_with_the_limit_named(world: World, mode: Mode) -> None:
    draft = await save(world)
    more = [f"draft://{draft}?version={'0' * number}" for number in range(1, subscriptions.MOST_WATCHED + 2)]
    async with world.client("drafting", DRAFTING_BEARER, mode=mode) as client:
        with pytest.raises(MCPError, match=f"at most {subscriptions.MOST_WATCHED} resources"):
            await ask(client, mode, *more)


@pytest.mark.thorough
@pytest.mark.proves("I3")
async def test_what_is_unsubscribed_is_told_no_more_and_a_closed_connection_leaves_nothing_running(
    world: World,
) -> None:
    draft = await save(world)
    async with listener(world, f"draft://{draft}", LIST, mode="legacy") as (heard, client):
        await client.session.send_request(UnsubscribeRequest(params=UnsubscribeRequestParams(uri=LIST)), EmptyResult)
        await save(world, draft)
        assert await next_of(heard) == f"draft://{draft}"
        running = [task for task in asyncio.all_tasks() if "_tell" in repr(task.get_coro())]
        assert len(running) == 1
    await asyncio.wait(running, timeout=20)
    assert all(task.done() for task in running) and heard.empty()


@pytest.mark.proves("I3")
async def test_subscriptions_made_at_once_are_one_listener_and_end_with_the_connection(world: World) -> None:
    draft = await save(world)
    uris = (f"draft://{draft}", LIST, f"draft://{draft}?version=1")
    async with world.client("drafting", DRAFTING_BEARER, mode="legacy") as client:
        await asyncio.gather(*(subscribe(client, uri) for uri in uris))
        running = [task for task in asyncio.all_tasks() if "_tell" in repr(task.get_coro())]
        assert len(running) == 1
    await asyncio.wait(running, timeout=20)
    assert all(task.done() for task in running)


@pytest.mark.thorough
@pytest.mark.proves("I3", "D2")
async def test_a_stream_that_watches_nothing_ends_with_its_token(world: World) -> None:
    async with world.client("drafting", DRAFTING_BEARER) as client, client.listen(tools_list_changed=True) as stream:
        world.clock.advance(seconds=900)  # the token lived for 600

        async def ended() -> None:
            async for event in stream:
                raise AssertionError(event)

        await asyncio.wait_for(ended(), 20)


@pytest.mark.proves("I3")
@pytest.mark.parametrize("mode", MODES)
async def test_one_person_takes_no_more_than_their_own_places(
    world: World, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_OF_A_PERSON", 1)
    server = world.factory.build("drafting", world.token("drafting", DRAFTING_BEARER))
    async with Client(server, mode=mode) as one, Client(server, mode=mode) as other:
        if mode == "legacy":
            await subscribe(one, LIST)
            with pytest.raises(MCPError, match="too many"):
                await subscribe(other, LIST)
        else:
            async with one.listen(resource_subscriptions=(LIST,)):
                with pytest.raises(MCPError, match="too many"):
                    await ask(other, mode, LIST)
    async with Client(server, mode=mode) as again:
        await ask(again, mode, LIST)


@pytest.mark.proves("I3", "D2", "D3")
@pytest.mark.parametrize("mode", MODES)
async def test_a_review_is_watched_by_those_who_may_read_it_and_by_nobody_else(world: World, mode: Mode) -> None:
    requests = ReviewRequests(world.services)
    run_id = (await requests.start(world.services.identities.find("rosa"), CASE, fresh=True)).run_id
    stranger = Bearer(identity="tomas", case_id="HL-2026-0003", run_id="run-2")
    async with world.client("review", stranger, mode=mode) as client:
        said: set[str] = set()
        for uri in (f"run://{run_id}", f"run://{run_id}/explain", "run://run-none"):
            with pytest.raises(MCPError) as refused:
                await ask(client, mode, uri)
            said.add(refused.value.error.message)
        assert len(said) == 1 and "not available" in said.pop()
    uri = f"run://{run_id}"
    async with listener(world, uri, mode=mode, server="review", bearer=Bearer(run_id="run-watch")) as (heard, client):
        await cancel(world, run_id)
        assert await next_of(heard) == uri
        assert "cancel" in (await client.read_resource(uri)).model_dump_json()


async def cancel(world: World, run_id: str) -> None:
    """End the review by its row, as steering does."""
    async with world.services.database.write() as connection:
        changed = {"status": "cancelled", "updated_ns": world.clock.now_ns() + 1}
        await connection.execute(update(runs).where(runs.c.run_id == run_id).values(changed))


@pytest.mark.proves("I3")
async def test_where_no_connection_is_kept_a_subscription_is_refused_and_not_forgotten(world: World) -> None:
    server = world.factory.build_http("drafting", "http://127.0.0.1:8750/drafting/mcp")
    app = server.streamable_http_app(streamable_http_path="/mcp", stateless_http=True, json_response=True)
    headers = {
        "authorization": f"Bearer {world.token('drafting', DRAFTING_BEARER)}",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2025-11-25",
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "resources/subscribe", "params": {"uri": LIST}}
    transport = httpx2.ASGITransport(app=app)
    async with (
        server.session_manager.run(),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8750", headers=headers) as http,
    ):
        answer = (await http.post("/mcp", json=body)).json()
    assert "no connection is kept" in answer["error"]["message"]
