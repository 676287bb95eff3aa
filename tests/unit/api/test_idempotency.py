"""The same request twice does its work once, whatever happens in between."""

import asyncio

import pytest

from api.idempotency import IN_FLIGHT_SECONDS, KEPT_SECONDS, Begun, IdempotencyKeys, Owner
from tests.support.api import Api, problem
from tests.support.installation import CASE

KEY = {"idempotency-key": "key-of-the-first-request"}
FRESH = {"case_id": CASE, "fresh": True}
pytestmark = [pytest.mark.proves("E8"), pytest.mark.thorough]


async def runs(api: Api) -> list[str]:
    return [item["run_id"] for item in (await api.get("/v1/runs", by="selma")).json()["items"]]


async def test_the_same_request_has_the_same_answer_and_does_its_work_once(api: Api) -> None:
    first = await api.post("/v1/reviews", FRESH, headers=KEY)
    again = await api.post("/v1/reviews", FRESH, headers=KEY)
    assert again.content == first.content
    assert [again.headers[name] for name in ("location", "etag")] == [first.headers[n] for n in ("location", "etag")]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await runs(api) == [first.json()["run_id"]]
    assert await api.decisions(again)


async def test_without_a_key_the_work_is_done_again(api: Api) -> None:
    assert (await api.post("/v1/reviews", FRESH)).json() != (await api.post("/v1/reviews", FRESH)).json()


async def test_a_key_stands_for_one_request(api: Api) -> None:
    first = await api.post("/v1/reviews", FRESH, headers=KEY)
    problem(await api.post("/v1/reviews", {"case_id": CASE}, headers=KEY), 422, "key-reused")
    path = f"/v1/runs/{first.json()['run_id']}/pause"
    problem(await api.post(path, {"why": ""}, headers=KEY), 422, "key-reused")
    problem(await api.post("/v1/reviews", FRESH, headers={"idempotency-key": "short"}), 422, "invalid")
    assert await runs(api) == [first.json()["run_id"]]
    assert (await api.get(f"/v1/runs/{first.json()['run_id']}")).json()["wanted"] == "", "nobody paused it"


async def test_another_persons_key_is_another_key(api: Api) -> None:
    mine = await api.post("/v1/reviews", FRESH, headers=KEY)
    theirs = await api.post("/v1/reviews", FRESH, headers=KEY, by="selma")
    assert theirs.json()["subject"] == "selma"
    assert theirs.json()["run_id"] != mine.json()["run_id"]


async def test_of_many_at_once_one_works_and_the_others_wait_or_repeat_it(api: Api) -> None:
    answers = await asyncio.gather(*(api.post("/v1/reviews", FRESH, headers=KEY) for _ in range(8)))
    done = [answer for answer in answers if answer.status_code == 202]
    assert len({answer.json()["run_id"] for answer in done}) == 1
    for answer in answers:
        if answer not in done:
            problem(answer, 409, "in-flight")
            assert 1 <= int(answer.headers["retry-after"]) <= IN_FLIGHT_SECONDS
    assert len(await runs(api)) == 1


async def test_what_failed_did_nothing_and_leaves_the_key_free(api: Api) -> None:
    run_id = await api.begun()
    problem(await api.post(f"/v1/runs/{run_id}/resume", headers=KEY), 409, "conflict")
    await api.post(f"/v1/runs/{run_id}/pause", {"why": ""})
    assert (await api.post(f"/v1/runs/{run_id}/resume", headers=KEY)).status_code == 202


async def test_a_request_that_a_crash_cut_off_is_taken_up_again_and_begins_no_second_run(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_arguments: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch, pytest.raises(asyncio.CancelledError):
        patch.setattr(IdempotencyKeys, "finish", crash)
        await api.post("/v1/reviews", FRESH, headers=KEY)
    (begun,) = await runs(api)
    problem(await api.post("/v1/reviews", FRESH, headers=KEY), 409, "in-flight")
    api.world.clock.advance(seconds=IN_FLIGHT_SECONDS + 1)
    taken_up = await api.post("/v1/reviews", FRESH, headers=KEY)
    assert (taken_up.status_code, taken_up.json()["run_id"]) == (202, begun)
    assert await runs(api) == [begun]


async def test_a_key_is_forgotten_after_a_day(api: Api) -> None:
    first = await api.post("/v1/reviews", FRESH, headers=KEY)
    api.world.clock.advance(seconds=KEPT_SECONDS + 1)
    later = await api.post("/v1/reviews", FRESH, headers=KEY)
    assert later.json()["run_id"] != first.json()["run_id"]


async def test_a_repeated_answer_is_withheld_from_who_may_not_ask_for_it_any_more(api: Api) -> None:
    first = await api.post("/v1/reviews", FRESH, headers=KEY)
    assert first.status_code == 202
    await api.switch_off("start_review")
    again = await api.post("/v1/reviews", FRESH, headers=KEY)
    problem(again, 404, "not-found")
    assert first.json()["run_id"] not in again.text


async def test_a_key_that_is_begun_twice_keeps_its_seed(api: Api) -> None:
    owner = Owner(tenant="harborline", subject="rosa", key="key-of-nobody-else", digest="0" * 64)
    first = await api.parts.keys.begin(owner)
    api.world.clock.advance(seconds=IN_FLIGHT_SECONDS + 1)
    assert isinstance(first, Begun)
    assert await api.parts.keys.begin(owner) == first
