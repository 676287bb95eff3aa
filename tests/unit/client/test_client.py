"""The client over a scripted connection: what it sends again, how it follows events, what its errors say."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.client import AsyncClient, Client, operations
from casewright.client.calls import path_of
from casewright.client.errors import (
    ApiAnswerError,
    ApiBusyError,
    ApiConflictError,
    ApiDeniedError,
    ApiError,
    ApiInvalidError,
    ApiNotFoundError,
    ApiUnauthenticatedError,
    ApiUnreachableError,
)
from casewright.errors import InputError

URL = "http://127.0.0.1:8760"
APPROVAL: dict[str, Any] = {
    "approval_id": "apr-1",
    "state": "pending",
    "remaining": 1,
    "votes": [],
    "case_id": "HL-1",
    "run_id": "run-1",
    "requested_by": "rosa",
    "requested_agent": "executor",
    "roles": ["supervisor"],
    "quorum": 1,
    "assignee": "",
    "escalated": "",
    "created": "",
    "expires": "",
    "digest": "0" * 64,
    "call": {
        "tenant": "harborline",
        "case_id": "HL-1",
        "server": "drafting",
        "tool": "execute_action",
        "definition_hash": "",
        "arguments": {},
        "policy_revision": "",
    },
}
Step = httpx2.Response | Exception


class Script:
    """Answers in order; an unexpected request fails, and so does a step that was not used."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.seen: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        assert self._steps, f"unexpected {request.method} {request.url}"
        self.seen.append(request)
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def client(self, **more: Any) -> Client:
        return Client(URL, "token-of-rosa", transport=httpx2.MockTransport(self), **more)

    def finished(self) -> Sequence[httpx2.Request]:
        assert self._steps == []
        return self.seen


def problem(status: int, name: str, **headers: str) -> httpx2.Response:
    document = {
        "type": f"urn:casewright:problem:{name}",
        "title": "",
        "status": status,
        "detail": "why",
        "request_id": "req-1",
        "errors": [{"where": "body.x", "what": "is odd"}],
    }
    said = {"content-type": "application/problem+json", **headers}
    return httpx2.Response(status, content=json.dumps(document).encode(), headers=said)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the client waited, without the waiting."""
    waited: list[float] = []
    monkeypatch.setattr("casewright.client.client.time.sleep", waited.append)
    return waited


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (401, "unauthenticated", ApiUnauthenticatedError),
        (403, "denied", ApiDeniedError),
        (404, "not-found", ApiNotFoundError),
        (409, "conflict", ApiConflictError),
        (412, "changed", ApiConflictError),
        (428, "if-match-needed", ApiConflictError),
        (422, "invalid", ApiInvalidError),
        (500, "internal", ApiError),
    ],
)
def test_a_refusal_is_an_error_that_says_what_to_do_and_which_request_it_was(
    status: int, name: str, kind: type[ApiError]
) -> None:
    script = Script(problem(status, name))
    with script.client() as client, pytest.raises(ApiError) as refused:
        client.send(operations.get_approval("apr-1"))
    assert type(refused.value) is kind
    assert (refused.value.problem.name, refused.value.request_id) == (name, "req-1")
    assert "body.x: is odd" in str(refused.value)
    assert len(script.finished()) == 1


def test_a_busy_api_is_asked_again_after_the_time_that_it_names(slept: list[float]) -> None:
    script = Script(problem(429, "too-many-requests", **{"retry-after": "7"}), httpx2.Response(200, json=APPROVAL))
    with script.client() as client:
        found = client.answered(operations.get_approval("apr-1"))
    assert (found.value.approval_id, slept) == ("apr-1", [7.0])
    assert script.finished()[0].headers["authorization"] == "Bearer token-of-rosa"


def test_a_vote_is_sent_again_with_the_key_that_it_had(slept: list[float]) -> None:
    script = Script(httpx2.ConnectError("refused"), httpx2.ReadError("cut"), httpx2.Response(200, json=APPROVAL))
    with script.client() as client:
        client.send(operations.vote_on_approval("apr-1", approve=True, digest="0" * 64))
    keys = {request.headers["idempotency-key"] for request in script.finished()}
    assert len(keys) == 1
    assert len(slept) == 2
    bodies = {request.content for request in script.seen}
    assert json.loads(bodies.pop()) == {"approve": True, "digest": "0" * 64, "note": ""}
    assert bodies == set()


def test_two_votes_have_two_keys_and_a_chosen_key_is_kept() -> None:
    calls = [operations.vote_on_approval("apr-1", approve=True, digest="0" * 64) for _ in range(2)]
    assert len({call.headers["idempotency-key"] for call in calls}) == 2
    assert calls[0].keyed("my-own-key-1").headers["idempotency-key"] == "my-own-key-1"


def test_it_gives_up_after_some_attempts_and_says_why(slept: list[float]) -> None:
    script = Script(*[httpx2.ConnectError("refused")] * 3)
    with script.client(attempts=3) as client, pytest.raises(ApiUnreachableError, match="refused"):
        client.send(operations.get_run("run-1"))
    assert (len(script.finished()), len(slept)) == (3, 2)


def test_an_answer_of_something_else_is_not_taken_for_the_apis() -> None:
    html = httpx2.Response(200, text="<html>sign in</html>", headers={"content-type": "text/html"})
    script = Script(html, httpx2.Response(502, text="bad gateway"))
    with script.client() as client:
        with pytest.raises(ApiAnswerError, match="another shape"):
            client.send(operations.get_approval("apr-1"))
        with pytest.raises(ApiError, match="502") as refused:
            client.send(operations.get_approval("apr-1"))
    assert refused.value.problem.name == ""
    script.finished()


def test_what_a_newer_server_adds_is_passed_over() -> None:
    script = Script(httpx2.Response(200, json={**APPROVAL, "later": {"a": 1}}, headers={"etag": '"t"'}))
    with script.client() as client:
        found = client.answered(operations.get_approval("apr-1").if_match('"t"'))
    assert (found.value.state, found.etag) == ("pending", '"t"')
    assert script.finished()[0].headers["if-match"] == '"t"'


def test_pages_are_read_to_the_last_one_with_the_filters_of_the_first() -> None:
    def page(cursor: str | None, *ids: str) -> httpx2.Response:
        items = [{**APPROVAL, "approval_id": name} for name in ids]
        return httpx2.Response(200, json={"items": items, "next_cursor": cursor})

    script = Script(page("c1", "a", "b"), page("c2"), page(None, "c"))
    with script.client() as client:
        found = [item.approval_id for item in client.pages(operations.list_approvals(state="pending", limit=2))]
    assert found == ["a", "b", "c"]
    asked = [dict(request.url.params) for request in script.finished()]
    assert [query.get("cursor") for query in asked] == [None, "c1", "c2"]
    assert {(query["state"], query["limit"]) for query in asked} == {("pending", "2")}


def stream(*seqs: int, end: bool = False, after: Exception | None = None) -> httpx2.Response:
    def events() -> Iterator[bytes]:
        yield b": hello\r\nretry: 10\r\n\r\n"
        for seq in seqs:
            data = json.dumps({"seq": seq, "at": "", "at_ns": 1, "kind": "step", "body": {}})
            yield f"id: {seq}\r\nevent: step\r\ndata: {data}\r\n\r\n: alive\r\n\r\n".encode()
        if after is not None:
            raise after
        if end:
            yield b'id: 9\r\nevent: end\r\ndata: {"status":"completed"}\r\n\r\n'

    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=events())


def test_events_are_followed_across_broken_connections_each_once(slept: list[float]) -> None:
    script = Script(
        stream(1, 2, after=httpx2.ReadError("cut")),
        httpx2.ConnectError("refused"),
        stream(2, 3),
        problem(503, "unavailable", **{"retry-after": "3"}),
        stream(4, end=True),
    )
    with script.client() as client:
        assert [event.seq for event in client.follow("run-1")] == [1, 2, 3, 4]
    known = [request.headers["last-event-id"] for request in script.finished()]
    assert known == ["0", "2", "2", "3", "3"]
    assert all(request.headers["accept"] == "text/event-stream" for request in script.seen)
    assert max(slept) == 3.0


def test_following_ends_where_the_run_may_not_be_read_any_more(slept: list[float]) -> None:
    script = Script(stream(1), problem(404, "not-found"))
    with script.client() as client:
        following = client.follow("run-1")
        assert next(following).seq == 1
        with pytest.raises(ApiNotFoundError):
            next(following)
    script.finished()


def test_following_gives_up_when_nothing_comes_any_more(slept: list[float]) -> None:
    script = Script(*[httpx2.ConnectError("refused")] * 6)
    with script.client(attempts=2) as client, pytest.raises(ApiUnreachableError):
        list(client.follow("run-1"))
    script.finished()


async def test_the_awaited_client_does_the_same() -> None:
    whole = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream(1, 2, end=True).read())
    script = Script(whole, problem(403, "denied"), httpx2.Response(200, json=APPROVAL))
    transport = httpx2.MockTransport(script)
    async with AsyncClient(URL, lambda: "token-of-now", transport=transport) as client:
        assert [event.seq async for event in client.follow("run-1")] == [1, 2]
        with pytest.raises(ApiDeniedError):
            await client.send(operations.get_approval("apr-1"))
        assert (await client.send(operations.get_approval("apr-1"))).approval_id == "apr-1"
    assert {request.headers["authorization"] for request in script.finished()} == {"Bearer token-of-now"}


def test_a_busy_answer_to_what_may_not_be_repeated_is_not_repeated(slept: list[float]) -> None:
    call = operations.vote_on_approval("apr-1", approve=True, digest="0" * 64)
    bare = {name: value for name, value in call.headers.items() if name != "idempotency-key"}
    script = Script(problem(503, "unavailable"))
    with script.client() as client, pytest.raises(ApiBusyError):
        client.send(replace(call, headers=bare))
    assert (len(script.finished()), slept) == (1, [])


@given(st.text(max_size=40) | st.sampled_from(["", ".", ".."]))
def test_no_id_leads_out_of_its_place_in_the_address(name: str) -> None:
    try:
        path = path_of("/v1/runs/{run_id}/events", run_id=name)
    except InputError:
        assert name in ("", ".", "..")
        return
    assert httpx2.URL(URL + path).raw_path.decode() == path
    assert path.count("/") == 4
    assert not set(path) & set("?#\\ \n")
