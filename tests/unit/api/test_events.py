"""Events of runs: pages, streams that are taken up again, and streams that end when they have to."""

import asyncio
import json
from typing import Any

import pytest
from httpx2 import Response

from api.limits import ApiLimits
from tests.support.api import Api, problem, serving
from tests.support.installation import World

pytestmark = pytest.mark.thorough
STREAM = {"accept": "text/event-stream"}
QUICK = ApiLimits(recheck_seconds=0.05, heartbeat_seconds=0.02, streams_of_an_identity=2)


def events_of(answer: Response) -> list[dict[str, str]]:
    """The events of a whole stream, each as its fields; comments are left out."""
    parts = answer.text.replace("\r\n", "\n").split("\n\n")
    found = [dict(line.split(": ", 1) for line in part.splitlines() if not line.startswith(":")) for part in parts]
    return [fields for fields in found if "data" in fields]


async def stepped(api: Api, run_id: str, count: int) -> None:
    for number in range(count):
        await api.parts.records.step(run_id, "noted", {"number": number})


@pytest.mark.proves("E8")
async def test_events_are_read_in_pages(api: Api) -> None:
    run_id = await api.begun()
    await stepped(api, run_id, 4)
    first = (await api.get(f"/v1/runs/{run_id}/events", params={"limit": 3})).json()
    assert [item["seq"] for item in first["items"]] == [1, 2, 3]
    assert first["over"] is False
    rest = (await api.get(f"/v1/runs/{run_id}/events", params={"after": first["next_after"]})).json()
    assert [item["seq"] for item in rest["items"]] == [4, 5]
    await api.post(f"/v1/runs/{run_id}/cancel", {"why": ""})
    last = (await api.get(f"/v1/runs/{run_id}/events", params={"after": 5})).json()
    assert (last["over"], last["items"][-1]["body"]["status"]) == (True, "cancelled")


@pytest.mark.proves("E8")
async def test_a_stream_goes_on_after_the_last_event_that_was_seen_and_ends_with_the_run(api: Api) -> None:
    run_id = await api.begun()
    await stepped(api, run_id, 3)
    await api.post(f"/v1/runs/{run_id}/cancel", {"why": "enough"})
    whole = events_of(await api.get(f"/v1/runs/{run_id}/events", headers=STREAM))
    assert [event["id"] for event in whole] == ["1", "2", "3", "4", "5", "5"]
    assert [event["event"] for event in whole] == ["status", "noted", "noted", "noted", "status", "end"]
    resumed = await api.get(f"/v1/runs/{run_id}/events", headers={**STREAM, "last-event-id": "3"})
    assert events_of(resumed) == whole[3:]
    assert events_of(await api.get(f"/v1/runs/{run_id}/events?after=3", headers=STREAM)) == whole[3:]


async def test_a_stream_shows_what_happens_while_it_is_open(world: World) -> None:
    async with serving(world, QUICK) as api:
        run_id = await api.begun()
        following = asyncio.create_task(api.get(f"/v1/runs/{run_id}/events", headers=STREAM))
        await until(lambda: run_id in api.parts.feed._followed)  # pyright: ignore[reportPrivateUsage]
        await stepped(api, run_id, 250)
        await api.post(f"/v1/runs/{run_id}/cancel", {"why": ""})
        answer = await asyncio.wait_for(following, 30)
        assert [event["id"] for event in events_of(answer)] == [*map(str, range(1, 253)), "252"]
        assert json.loads(events_of(answer)[-1]["data"]) == {"status": "cancelled"}
        assert ": still here" in answer.text


async def test_a_stream_ends_when_its_person_may_not_read_the_run_any_more(world: World) -> None:
    async with serving(world, QUICK) as api:
        run_id = await api.begun()
        following = asyncio.create_task(api.get(f"/v1/runs/{run_id}/events", headers=STREAM))
        await until(lambda: run_id in api.parts.feed._followed)  # pyright: ignore[reportPrivateUsage]
        await api.switch_off("read_run")
        answer = await asyncio.wait_for(following, 30)
        assert "end" not in {event["event"] for event in events_of(answer)}
        before = len(events_of(answer))
        await stepped(api, run_id, 1)
        assert before == 1
        problem(await api.get(f"/v1/runs/{run_id}/events", headers=STREAM), 404, "not-found")


async def test_a_stream_ends_with_the_token(world: World) -> None:
    async with serving(world, QUICK) as api:
        run_id = await api.begun()
        following = asyncio.create_task(api.get(f"/v1/runs/{run_id}/events", headers=STREAM))
        await until(lambda: run_id in api.parts.feed._followed)  # pyright: ignore[reportPrivateUsage]
        world.clock.advance(seconds=601)
        answer = await asyncio.wait_for(following, 30)
        assert [event["event"] for event in events_of(answer)] == ["status"]


async def test_one_person_has_so_many_streams_at_a_time(world: World) -> None:
    async with serving(world, QUICK) as api:
        run_id = await api.begun()
        open_ones = [asyncio.create_task(api.get(f"/v1/runs/{run_id}/events", headers=STREAM)) for _ in range(2)]
        await until(lambda: api.parts.feed._streams.total() == 2)  # pyright: ignore[reportPrivateUsage]
        problem(await api.get(f"/v1/runs/{run_id}/events", headers=STREAM), 429, "too-many-requests")
        await api.post(f"/v1/runs/{run_id}/cancel", {"why": ""})
        await asyncio.wait_for(asyncio.gather(*open_ones), 30)
        assert (await api.get(f"/v1/runs/{run_id}/events", headers=STREAM)).status_code == 200
        assert not api.parts.feed._followed  # pyright: ignore[reportPrivateUsage]


async def test_json_is_given_to_whoever_does_not_ask_for_a_stream(api: Api) -> None:
    run_id = await api.begun()
    path = f"/v1/runs/{run_id}/events"
    for accept in ("*/*", "application/json", "text/html, application/*;q=0.8"):
        assert (await api.get(path, headers={"accept": accept})).headers["content-type"] == "application/json"
    problem(await api.get(path, headers={"accept": "text/html"}), 406, "not-acceptable")


async def until(happened: Any) -> None:
    """Wait, for ten seconds at most, for something of this process."""
    for _ in range(1_000):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")
