"""Attacks on the API from outside and by people who are signed in; each beside what is allowed."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.principal import SERVERS, Actor
from casewright.errors import UnauthenticatedError
from casewright.identity.exchange import narrower
from casewright.identity.tokens import Grant
from tests.support.api import Api, api_token, problem, serving
from tests.support.installation import CASE, World
from tests.support.issuers import Issuer

pytestmark = [pytest.mark.thorough, pytest.mark.proves("E8")]
STREAM = {"accept": "text/event-stream"}


@pytest.fixture(name="api")
async def over_this_world(world: World) -> AsyncGenerator[Api]:
    async with serving(world) as found:
        yield found


async def status(api: Api, token: str, path: str = "/v1/runs") -> int:
    return (await api.http.get(path, headers={"authorization": f"Bearer {token}"})).status_code


@pytest.mark.proves("I2")
@pytest.mark.parametrize("server", SERVERS)
async def test_a_token_of_a_server_opens_nothing_here_and_one_of_ours_nothing_there(api: Api, server: Any) -> None:
    assert await status(api, api.world.token(server)) == 401
    ours = api_token(api.world)
    assert await status(api, ours) == 200
    with pytest.raises(UnauthenticatedError):
        await api.world.services.tokens.verify(ours, server=server)


@pytest.mark.proves("I2")
async def test_a_token_that_is_over_changed_unsigned_or_of_an_agent_is_refused(api: Api) -> None:
    good = api_token(api.world)
    head, body, signature = good.split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    agent = Grant(
        principal=api.world.services.identities.find("rosa"),
        actor=Actor(kind="agent", agent="drafter", run_id="run-1", case_id=CASE),
        server="orchestrator",
        scopes=(),
    )
    for bad in ("", "x", f"{head}.{body}.", f"{unsigned}.{body}.", f"{head}.{body[:-2]}AA.{signature}", "x" * 9_000):
        assert await status(api, bad) == 401
    assert await status(api, api.world.services.tokens.mint(agent)) == 401
    assert await status(api, good) == 200
    api.world.clock.advance(seconds=601)
    assert await status(api, good) == 401


async def test_a_token_gives_no_more_than_its_person_has_now(api: Api) -> None:
    """Roles that a token says and the person has lost count for nothing; nor does somebody who is gone."""
    rosa = api.world.services.identities.find("rosa")
    promoted = rosa.model_copy(update={"roles": ("reviewer", "supervisor")})
    actor = Actor(kind="user", run_id="session-x")
    token = api.world.services.tokens.mint(Grant(principal=promoted, actor=actor, server="orchestrator", scopes=()))
    assert narrower(promoted, rosa).roles == ("reviewer",)
    theirs = await api.begun("HL-2026-0003", by="selma")
    assert await status(api, token, f"/v1/runs/{theirs}") == 404
    assert (await api.get(f"/v1/runs/{theirs}", by="selma")).status_code == 200
    gone = rosa.model_copy(update={"id": "nobody"})
    ghost = api.world.services.tokens.mint(Grant(principal=gone, actor=actor, server="orchestrator", scopes=()))
    assert await status(api, ghost) == 401


@pytest.mark.proves("I2")
async def test_with_an_issuer_only_its_tokens_for_the_orchestrator_are_taken(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "issuer"
    folder.mkdir()
    issuer = Issuer(folder)
    world = World(home, issuer.services(home).settings.policies)
    local = api_token(world)
    await world.services.close()
    world.services = issuer.services(home, world.clock)
    async with serving(world) as api:
        everything: dict[str, Any] = {"scope": "admin:read admin:write", "aud": "casewright:orchestrator"}
        assert await status(api, issuer.token(None, **everything)) == 200
        assert await status(api, issuer.token(scope="admin:read")) == 401
        assert await status(api, issuer.token(None, **{**everything, "aud": "casewright:drafting"})) == 401
        assert await status(api, issuer.token(None, **{**everything, "exp": issuer.claims()["iat"] - 400})) == 401
        assert await status(api, local) == 401
    await world.services.close()


async def test_another_tenants_runs_cases_and_questions_look_absent(api: Api) -> None:
    run_id = await api.begun()
    question = await api.asked(run_id)
    paths = ("", "/events", "/questions", f"/questions/{question}")
    for path in paths:
        assert (await api.get(f"/v1/runs/{run_id}{path}")).status_code == 200
        there = await api.get(f"/v1/runs/{run_id}{path}", by="marc")
        absent = await api.get(f"/v1/runs/run-0000000000000000{path}", by="marc")
        assert same(problem(there, 404, "not-found")) == same(problem(absent, 404, "not-found"))
    problem(await api.get(f"/v1/runs/{run_id}/events", by="marc", headers=STREAM), 404, "not-found")
    for deed in ("cancel", "pause", "resume", "retry", "fork"):
        body = {"why": ""} if deed in ("cancel", "pause") else {"at": ""} if deed == "fork" else None
        problem(await api.post(f"/v1/runs/{run_id}/{deed}", body, by="marc"), 404, "not-found")
    answer = f"/v1/runs/{run_id}/questions/{question}/answer"
    problem(await api.post(answer, {"value": "stop"}, by="marc", headers={"if-match": "*"}), 404, "not-found")
    problem(await api.post("/v1/reviews", {"case_id": CASE}, by="marc"), 404, "not-found")
    assert (await api.get(f"/v1/runs/{run_id}")).json()["status"] == "queued"


def same(document: dict[str, Any]) -> dict[str, Any]:
    """A problem without what differs between two requests."""
    return {name: value for name, value in document.items() if name != "request_id"}


async def test_a_case_that_one_may_not_read_is_reviewed_by_nobody_and_looks_absent(api: Api) -> None:
    problem(await api.post("/v1/reviews", {"case_id": CASE}, by="tomas"), 404, "not-found")
    problem(await api.post("/v1/reviews", {"case_id": CASE}, by="avery"), 403, "denied")
    assert (await api.get("/v1/runs", by="selma")).json()["items"] == []
    assert (await api.post("/v1/reviews", {"case_id": CASE})).status_code == 202


async def test_who_may_read_a_run_may_not_therefore_steer_it_or_answer_for_it(api: Api) -> None:
    run_id = await api.begun()
    question = await api.asked(run_id)
    assert (await api.get(f"/v1/runs/{run_id}", by="avery")).status_code == 200
    problem(await api.post(f"/v1/runs/{run_id}/cancel", {"why": ""}, by="avery"), 403, "denied")
    answer = f"/v1/runs/{run_id}/questions/{question}/answer"
    problem(await api.post(answer, {"value": "stop"}, by="avery", headers={"if-match": "*"}), 403, "denied")


async def test_a_question_of_one_run_is_not_answered_through_another(api: Api) -> None:
    mine, other = await api.begun(), await api.begun()
    question = await api.asked(mine)
    assert (await api.get(f"/v1/runs/{mine}/questions/{question}")).status_code == 200
    path = f"/v1/runs/{other}/questions/{question}"
    problem(await api.get(path), 404, "not-found")
    problem(await api.post(f"{path}/answer", {"value": "stop"}, headers={"if-match": "*"}), 404, "not-found")
    assert (await api.get(f"/v1/runs/{mine}/questions/{question}")).json()["state"] == "open"


async def test_another_persons_question_about_the_rules_is_theirs(api: Api) -> None:
    asked = await api.post("/v1/questions", {"question": "How long may it take?"})
    path = asked.headers["location"]
    assert (await api.get(path)).status_code == 200
    assert (await api.get(path, by="avery")).status_code == 200
    for other in ("tomas", "selma", "marc"):
        problem(await api.get(path, by=other), 404, "not-found")
        problem(await api.get(f"/v1/runs/{asked.json()['run_id']}/events", by=other), 404, "not-found")
        assert (await api.get("/v1/runs", by=other)).json()["items"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-request-id", b"good-id\r\nset-cookie: a=b"),
        ("x-request-id", b"good-id\nx: y"),
        ("x-request-id", b"\x00\x01\x02\x03\x04\x05\x06\x07"),
        ("idempotency-key", b"good-key\r\nx: y"),
        ("last-event-id", b"1\r\nx: y"),
    ],
)
async def test_nothing_that_a_header_carries_becomes_a_header_or_a_log_line(api: Api, name: str, value: bytes) -> None:
    run_id = await api.begun()
    answer = await api.post(f"/v1/runs/{run_id}/pause", {"why": ""}, headers={name: value})
    assert "set-cookie" not in answer.headers and "x" not in answer.headers
    assert "\n" not in answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 30_000,
        b'{"case_id":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"case_id": "\xff\xfe"}',
        b'{"case_id": "HL-2026-0001", "fresh": 1e999}',
        b'{"case_id": NaN}',
        b'{"case_id": ' + b"9" * 60_000 + b"}",
        b"null",
        b'"text"',
        b"",
    ],
)
async def test_a_body_of_any_shape_is_refused_in_words(api: Api, body: bytes) -> None:
    said = {"content-type": "application/json"}
    answer = await api.post("/v1/reviews", headers=said, content=body)
    assert answer.status_code in (400, 422), answer.text
    assert json.loads(answer.content)["request_id"] == answer.headers["x-request-id"]


async def test_a_forged_or_borrowed_cursor_opens_no_page(api: Api) -> None:
    for _ in range(3):
        api.world.clock.advance(seconds=1)
        await api.begun()
    cursor = (await api.get("/v1/runs?limit=1")).json()["next_cursor"]
    assert (await api.get("/v1/runs", params={"cursor": cursor})).status_code == 200
    for bad in ("AAAA", cursor[:-4], cursor[4:], f"{cursor}AAAA", "x" * 599):
        problem(await api.get("/v1/runs", params={"cursor": bad}), 404, "not-found")
    problem(await api.get("/v1/runs", params={"cursor": cursor}, by="selma"), 404, "not-found")
    problem(await api.get("/v1/runs", params={"cursor": cursor, "status": "queued"}), 404, "not-found")


async def test_text_with_markup_and_hidden_characters_stays_text(api: Api) -> None:
    run_id = await api.begun()
    why = "<script>alert(1)</script> \u202eevil\u2066 [link](https://evil.example)"
    await api.post(f"/v1/runs/{run_id}/cancel", {"why": why})
    answer = await api.get(f"/v1/runs/{run_id}/events")
    assert answer.headers["content-type"] == "application/json"
    assert why in answer.json()["items"][-1]["body"]["because"]
    stream = await api.get(f"/v1/runs/{run_id}/events", headers=STREAM)
    assert stream.headers["content-type"].startswith("text/event-stream")


async def test_a_line_break_in_a_text_makes_no_event_of_its_own(api: Api) -> None:
    run_id = await api.begun()
    await api.post(f"/v1/runs/{run_id}/cancel", {"why": "x\n\nid: 99\nevent: end\ndata: {}\n\n\u2028\u0085\r"})
    stream = (await api.get(f"/v1/runs/{run_id}/events", headers=STREAM)).text
    lines = stream.splitlines()
    assert [line for line in lines if line.startswith(("event: end", "id: 99"))] == ["event: end"]


async def test_a_kill_switch_closes_the_api_at_once(api: Api) -> None:
    run_id = await api.begun()
    await api.switch_off("steer_run")
    problem(await api.post(f"/v1/runs/{run_id}/cancel", {"why": ""}), 403, "denied")
    assert (await api.get(f"/v1/runs/{run_id}")).status_code == 200
