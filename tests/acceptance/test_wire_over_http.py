"""What no client would send, over real HTTP: the answer that the specification asks for, a server that lives on, and
an audit that has it where the caller is known.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest

from casewright.contracts.event import AuditEvent
from tests.acceptance.issuing import until
from tests.acceptance.test_mcp_http import Service, started
from tests.acceptance.wire import HANDSHAKE, HELLO, META, Message, Wire, calling, modern
from tests.support.installation import opened

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, MISMATCH = -32700, -32600, -32601, -32602, -32020
OTHER_VERSION = {**META, "io.modelcontextprotocol/protocolVersion": HANDSHAKE}
BODY_SECONDS, HEAD_SECONDS = 15, 15


@pytest.fixture(scope="module")
def service(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    found = started(Path(shutil.copytree(installation, tmp_path_factory.mktemp("wire") / "home")))
    try:
        yield found
    finally:
        found.process.kill()
        found.process.communicate(timeout=10)


@pytest.fixture(scope="module")
def wire(service: Service) -> Wire:
    return Wire(service=service, server="case-facts", token=service.token("case-facts"))


def denials(wire: Wire) -> list[AuditEvent]:
    """What the audit holds of refusals in the run of this token."""

    async def read() -> tuple[AuditEvent, ...]:
        claims: dict[str, Any] = jwt.decode(wire.token, options={"verify_signature": False})
        async with opened(wire.service.home) as world:
            return await world.events(run_id=claims["run"])

    return [event for event in asyncio.run(read()) if event.kind == "call.denied"]


def audited(wire: Wire, count: int) -> bool:
    """Whether there are so many refusals in the end; the event follows the answer."""
    return until(lambda: len(denials(wire)) >= count, process=wire.service.process, seconds=10) and (
        len(denials(wire)) == count
    )


def codes(wire: Wire) -> list[tuple[str, str]]:
    return [(event.body["code"], str(event.body.get("detail", ""))) for event in denials(wire)]


GOOD = modern()
MALFORMED: dict[str, tuple[bytes | str | Message, int, int]] = {
    "no JSON": (b"{nope", 400, PARSE_ERROR),
    "nothing": (b"", 400, PARSE_ERROR),
    "half a character": (b'{"jsonrpc":"2.0","id":"\xff"}', 400, PARSE_ERROR),
    "five thousand levels": ('{"a":' * 5_000 + "1" + "}" * 5_000, 400, PARSE_ERROR),
    "an empty batch": ("[]", 400, INVALID_REQUEST),
    "a batch": (json.dumps([GOOD.body, GOOD.body]), 400, INVALID_REQUEST),
    "null": ("null", 400, INVALID_REQUEST),
    "a number": ("3", 400, INVALID_REQUEST),
    "another JSON-RPC": (GOOD.but({"jsonrpc": "1.0"}), 400, INVALID_REQUEST),
    "no id that may be one": (GOOD.but({"id": {}}), 400, INVALID_REQUEST),
    "an id of null": (GOOD.but({"id": None}), 400, INVALID_REQUEST),
    "a method that is no text": (GOOD.but({"method": 3}), 400, INVALID_REQUEST),
    "parameters that are a list": (GOOD.but({"params": [1]}), 400, INVALID_REQUEST),
    "no envelope": (GOOD.but({"params": {"name": "get_case", "arguments": {}}}), 400, INVALID_PARAMS),
    "arguments that are a list": (GOOD.with_params(arguments=[1]), 400, INVALID_PARAMS),
    "an unknown method": (modern("no/such"), 404, NO_METHOD),
    "a method of the other era": (modern("initialize"), 404, NO_METHOD),
    "a method that is closed here": (modern("logging/setLevel", level="info"), 404, NO_METHOD),
    "another version in the header": (GOOD.but(mcp_protocol_version="1999-01-01"), 400, MISMATCH),
    "another version in the body": (GOOD.with_params(_meta=OTHER_VERSION), 400, MISMATCH),
    "another method in the header": (GOOD.but(mcp_method="tools/list"), 400, MISMATCH),
    "no method in the header": (GOOD.but(mcp_method=None), 400, MISMATCH),
    "another tool in the header": (GOOD.but(mcp_name="get_evidence"), 400, MISMATCH),
    "a state that was sealed by nobody": (
        GOOD.with_params(requestState="forged", inputResponses={}),
        400,
        INVALID_PARAMS,
    ),
    "a body of more than four million bytes": (b'{"a":"' + b"x" * 4_194_304 + b'"}', 413, INVALID_REQUEST),
}


@pytest.mark.proves("I1", "D2")
@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_message_gets_the_error_of_the_specification_and_an_audit_event(wire: Wire, what: str) -> None:
    message, status, code = MALFORMED[what]
    before = len(denials(wire))
    answer = wire.send(message)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    if isinstance(message, Message) and isinstance(message.body["id"], int) and code != INVALID_REQUEST:
        assert answer.json()["id"] == message.body["id"]
    assert audited(wire, before + 1)
    assert wire.lives()


@pytest.mark.proves("I1", "D2")
def test_arguments_that_a_tool_does_not_take_are_named_and_audited(wire: Wire) -> None:
    answer = wire.send(modern(arguments={"case_id": "HL-2026-0002"})).json()["result"]
    assert answer["isError"] is True
    assert "has no argument 'case_id'" in answer["content"][0]["text"]
    assert codes(wire)[-1][0] == "arguments_invalid"


@pytest.mark.proves("I2")
def test_a_token_in_the_query_or_in_the_body_opens_nothing(wire: Wire) -> None:
    body = {**modern().body, "access_token": wire.token}
    headers = {name: value for name, value in wire.bearer.items() if name != "authorization"} | dict(modern().headers)
    inside = httpx2.post(wire.url, json=body, headers=headers, timeout=20)
    query = httpx2.post(f"{wire.url}?access_token={wire.token}", json=body, headers=headers, timeout=20)
    assert (inside.status_code, query.status_code) == (401, 400)
    assert "www-authenticate" in inside.headers


@pytest.mark.proves("I1")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "text/plain"}, 400),
        ({"accept": "text/html"}, 406),
        ({"host": "evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"x_padding": "y" * 40_000}, 431),
    ],
)
def test_what_the_transport_refuses_of_a_known_caller_is_audited_too(
    wire: Wire, headers: dict[str, str], status: int
) -> None:
    before = codes(wire)
    assert wire.send(modern(), **headers).status_code == status
    expected = [] if status == 431 else [("http_refused", str(status))]  # of so large a head nobody is asked who
    assert audited(wire, len(before) + len(expected))
    assert codes(wire)[len(before) :] == expected
    assert wire.lives()


@pytest.mark.proves("I1")
@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (("Content-Length: 3", "Content-Length: 4"), b"abc"),
        (("Transfer-Encoding: chunked", "Content-Length: 4"), b"0\r\n\r\n"),
        (("Content-Length: -1",), b"abc"),
        (("Content-Length: x",), b"abc"),
        (("X-Folded: a", " b\x00c", "Content-Length: 0"), b""),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused_and_its_connection_closed(
    wire: Wire, lines: tuple[str, ...], body: bytes
) -> None:
    answer = wire.raw(wire.head(*lines) + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answer.lower()
    assert wire.lives()


@pytest.mark.proves("I1")
def test_a_body_of_unsaid_length_counts_like_any_other(wire: Wire) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        for _ in range(size // 65_536):
            yield b" " * 65_536
        yield json.dumps(modern().body).encode()

    headers = {**wire.bearer, **modern().headers}
    small = httpx2.post(wire.url, content=chunks(65_536), headers=headers, timeout=20)
    large = httpx2.post(wire.url, content=chunks(5_000_000), headers=headers, timeout=20)
    assert (small.status_code, large.status_code) == (200, 413)


@pytest.mark.proves("I1")
def test_a_head_and_a_body_that_do_not_come_to_an_end_are_given_up(wire: Wire) -> None:
    began = time.monotonic()
    slow_body = wire.begin(wire.head("Content-Type: application/json", "Content-Length: 40") + b"{")
    slow_head = wire.begin(b"POST /case-facts/mcp HTTP/1.1\r\nHost: 127.")
    assert wire.lives()
    assert wire.read(slow_body).startswith(b"HTTP/1.1 408 ")
    assert wire.read(slow_head).startswith(b"HTTP/1.1 408 ")
    assert min(BODY_SECONDS, HEAD_SECONDS) <= time.monotonic() - began < 3 * BODY_SECONDS
    assert until(lambda: ("http_refused", "408") in codes(wire), process=wire.service.process, seconds=10)


@pytest.mark.proves("I1")
def test_in_the_handshake_era_the_errors_are_those_of_that_revision(wire: Wire) -> None:
    with httpx2.Client(headers={**wire.bearer, "mcp-protocol-version": HANDSHAKE}, timeout=40) as http:
        session = http.post(wire.url, json=HELLO).headers["mcp-session-id"]
        http.headers["mcp-session-id"] = session
        http.post(wire.url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})

        def code(message: object, **headers: str) -> tuple[int, int]:
            content = message if isinstance(message, str) else json.dumps(message)
            more = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = http.post(wire.url, content=content, headers=more)
            text = answer.text.partition("data: ")[2] if answer.status_code == 200 else answer.text
            found = json.loads(text)
            return answer.status_code, found.get("error", {}).get("code", 0)

        assert code(calling()) == (200, 0)
        assert code("{") == (400, PARSE_ERROR)
        assert code([calling(), calling(6)])[0] == 400
        assert code(calling(method="no/such")) == (200, NO_METHOD)
        assert code(calling(name="get_case", arguments=[1])) == (200, INVALID_PARAMS)
        assert code(calling(), mcp_session_id="of-nobody") == (404, INVALID_REQUEST)
        assert code(calling(), mcp_protocol_version="1999-01-01")[0] == 400
        assert [code(calling("same")), code(calling("same"))] == [(200, 0)] * 2
        del http.headers["mcp-session-id"]
        assert code(calling()) == (400, INVALID_REQUEST)
    assert wire.lives()
    assert {"method_closed", "message_malformed"} <= {found for found, _ in codes(wire)}


@pytest.mark.proves("I1")
def test_a_refusal_without_a_caller_is_in_no_tenants_audit(wire: Wire) -> None:
    before = len(denials(wire))
    for headers in ({}, {"authorization": "Bearer abc"}):
        assert httpx2.post(wire.url, content=b"{nope", headers=headers, timeout=20).status_code == 401
    assert len(denials(wire)) == before
