"""What every request and answer has in common: ids, problems, sizes, rates, headers."""

import re
from collections.abc import AsyncGenerator

import pytest

from api.limits import ApiLimits
from casewright.errors import StorageError
from tests.support.api import Api, api_token, problem, serving
from tests.support.installation import CASE, World


@pytest.mark.proves("E8")
async def test_a_sane_request_id_is_kept_and_any_other_is_replaced(api: Api) -> None:
    kept = await api.get("/v1/runs", headers={"x-request-id": "mine-2026-11-21"})
    assert kept.headers["x-request-id"] == "mine-2026-11-21"
    assert await api.decisions(kept)
    for odd in ("short", "x" * 65, "with space", "new\tline", "-begins-so", "ümlaut-id"):
        answer = await api.get("/v1/runs", headers={"x-request-id": odd.encode()})
        assert re.fullmatch(r"req-[0-9a-f]{20}", answer.headers["x-request-id"])


async def test_every_answer_has_the_security_headers_and_no_leave_for_other_origins(api: Api) -> None:
    origin = {"origin": "https://evil.example"}
    for answer in (await api.get("/v1/runs", headers=origin), await api.http.get("/v1/nothing", headers=origin)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.proves("E8")
async def test_every_refusal_is_a_problem_document_that_names_its_request(api: Api) -> None:
    bad = {"content-type": "application/json"}
    problem(await api.get("/v1/nothing"), 404, "not-found")
    problem(await api.get("/v1/runs/run-unknown"), 404, "not-found")
    problem(await api.post("/v1/reviews", headers=bad, content=b'{"case_id":'), 400, "unreadable")
    problem(await api.get("/v1/runs?limit=0"), 422, "invalid")
    problem(
        await api.post("/v1/reviews", headers={"content-type": "text/plain"}, content=b"x"),
        415,
        "unsupported-media-type",
    )
    problem(await api.get("/v1/runs/run-x/events", headers={"accept": "text/html"}), 404, "not-found")
    assert (await api.post("/v1/reviews", {"case_id": CASE})).status_code == 202, "what is right is no problem"


async def test_a_method_that_is_not_answered_names_those_that_are(api: Api) -> None:
    answer = await api.ask("PUT", "/v1/runs")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


async def test_what_is_wrong_with_a_request_is_said_without_repeating_it(api: Api) -> None:
    document = {"case_id": "no <b>such</b> id", "fresh": "yes", "extra-secret-name": "secret-value"}
    found = problem(await api.post("/v1/reviews", document), 422, "invalid")
    assert {item["where"] for item in found["errors"]} == {"body.case_id", "body.fresh", "body.extra-secret-name"}
    assert "secret-value" not in str(found) and "such</b>" not in str(found)


async def test_a_failure_of_the_inside_says_nothing_of_the_inside(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_arguments: object, **_named: object) -> None:
        raise StorageError("the database '/secret/place.db' cannot be read")

    monkeypatch.setattr(api.parts.records, "list", broken)
    answer = await api.get("/v1/runs")
    problem(answer, 500, "internal")
    assert "secret" not in answer.text and "database" not in answer.text


async def test_a_failure_that_nobody_thought_of_is_a_problem_document_too(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(api.parts.records, "list", broken)
    answer = await api.get("/v1/runs")
    problem(answer, 500, "internal")
    assert "secret" not in answer.text


@pytest.mark.proves("E8")
async def test_sizes_are_refused_before_anything_is_read(world: World) -> None:
    limits = ApiLimits(body_bytes=1_000, header_bytes=2_000, target_bytes=200)
    async with serving(world, limits) as api:
        body = {"case_id": CASE, "note": "x" * 2_000}
        problem(await api.post("/v1/reviews", body), 413, "too-large")
        problem(await api.get("/v1/runs", params={"cursor": "x" * 300}), 414, "uri-too-long")
        problem(await api.get("/v1/runs", headers={"x-more": "x" * 3_000}), 431, "headers-too-large")

        async def endless() -> AsyncGenerator[bytes]:
            while True:
                yield b"x" * 500

        said = {"content-type": "application/json"}
        problem(await api.post("/v1/reviews", headers=said, content=endless()), 413, "too-large")
        assert (await api.post("/v1/reviews", {"case_id": CASE})).status_code == 202, "what is within them is read"


@pytest.mark.proves("E8")
async def test_one_identity_has_so_many_requests_a_minute_and_another_its_own(world: World) -> None:
    async with serving(world, ApiLimits(requests_per_minute=3)) as api:
        assert [(await api.get("/v1/runs")).status_code for _ in range(3)] == [200, 200, 200]
        refused = await api.get("/v1/runs")
        problem(refused, 429, "too-many-requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert (await api.get("/v1/runs", by="selma")).status_code == 200


async def test_an_address_is_counted_before_anybody_is_authenticated(world: World) -> None:
    async with serving(world, ApiLimits(requests_per_minute_of_an_address=2)) as api:
        assert [(await api.http.get("/v1/runs")).status_code for _ in range(3)] == [401, 401, 429]
        assert (await api.get("/v1/runs")).status_code == 429


async def test_a_watermark_of_the_decision_goes_with_the_answer(api: Api) -> None:
    run_id = await api.begun()
    assert "casewright-watermark" not in (await api.get(f"/v1/runs/{run_id}")).headers
    marked = await api.get(f"/v1/runs/{run_id}", by="avery")
    assert "avery" in marked.headers["casewright-watermark"]


async def test_two_tokens_or_one_in_the_address_are_no_token(api: Api) -> None:
    token = api_token(api.world)
    twice = [("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")]
    problem(await api.http.get("/v1/runs", headers=twice), 400, "unreadable")
    problem(await api.http.get("/v1/runs", params={"access_token": token}), 400, "unreadable")
    problem(await api.get("/v1/runs", params={"access_token": token}), 400, "unreadable")
    assert (await api.http.get("/v1/runs", headers=twice[:1])).status_code == 200
