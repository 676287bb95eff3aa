"""What no client would send, over stdio: the error of the specification, nothing but protocol on stdout, a server that
lives on, and an audit that has what a known caller did.
"""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.acceptance.stdio_wire import StdioWire, stdio_wire
from tests.acceptance.test_mcp_stdio import token
from tests.acceptance.wire import META, calling
from tests.support.installation import CASE, opened

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602


@pytest.fixture(scope="module")
def place(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    home = Path(shutil.copytree(installation, tmp_path_factory.mktemp("stdio-wire") / "home"))
    return home, token(home, "case-facts", "--as", "rosa", "--case", CASE)


@pytest.fixture(scope="module")
def wire(place: tuple[Path, str]) -> Iterator[StdioWire]:
    with stdio_wire(place[0], "case-facts", place[1]) as found:
        yield found


@pytest.mark.proves("I1")
@pytest.mark.parametrize(
    "line",
    [
        b"{nope",
        b"",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b'{"jsonrpc":"2.0"}',
        b'{"jsonrpc":"1.0","id":3,"method":"tools/list"}',
        b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
        b'{"jsonrpc":"2.0","id":1,"result":{}}',
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"jsonrpc":"2.0","method":"notifications/no/such","params":{"x":1}}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"of-nobody"}}',
        b"x" * 5_000_000,
    ],
)
def test_a_line_that_is_no_message_ends_nothing(wire: StdioWire, line: bytes) -> None:
    wire.send(line)
    assert wire.lives()


@pytest.mark.proves("I1", "D2")
@pytest.mark.parametrize(
    ("message", "code"),
    [
        (calling("a", method="no/such"), NO_METHOD),
        (calling("b", method="logging/setLevel", level="info"), NO_METHOD),
        (calling("c", name="get_case", arguments=[1]), INVALID_PARAMS),
        (calling("d", name=3, arguments={}), INVALID_PARAMS),
        (calling("e", method="resources/read", uri=7), INVALID_PARAMS),
        (calling("f", method="resources/read", uri="case://HL-2026-0002/overview"), INVALID_PARAMS),
        (calling("g", method="prompts/get", name="no_such_prompt"), INVALID_PARAMS),
    ],
)
def test_a_request_that_cannot_be_served_gets_the_error_of_the_specification(
    wire: StdioWire, message: dict[str, Any], code: int
) -> None:
    assert wire.asked(message)["error"]["code"] == code
    assert wire.lives()


@pytest.mark.proves("I1")
def test_requests_of_one_id_are_each_answered_and_unknown_arguments_are_named(wire: StdioWire) -> None:
    wire.send(calling("twice"))
    wire.send(calling("twice"))
    answers = [wire.answer("twice") for _ in range(2)]
    assert any("result" in answer for answer in answers)
    found = wire.asked(calling("unknown", name="get_case", arguments={"zzz": 1}))["result"]
    assert found["isError"] is True
    assert "has no argument 'zzz'" in json.dumps(found["content"])
    assert wire.lives()


@pytest.mark.proves("I1", "D2")
def test_a_forged_state_is_refused_and_audited(place: tuple[Path, str]) -> None:
    home, value = place

    async def codes() -> set[str]:
        claims: dict[str, Any] = jwt.decode(value, options={"verify_signature": False})
        async with opened(home) as world:
            events = await world.events(run_id=claims["run"])
        return {event.body["code"] for event in events if event.kind == "call.denied"}

    with stdio_wire(home, "case-facts", value, handshake=False) as wire:
        forged = calling(9, name="get_case", arguments={}, requestState="forged", inputResponses={}, _meta=META)
        assert wire.asked(forged)["error"]["code"] == INVALID_PARAMS
        assert wire.asked(calling(10, method="no/such", _meta=META))["error"]["code"] == NO_METHOD
        good = wire.asked(calling(11, name="get_case", arguments={}, _meta=META))["result"]
        assert good["structuredContent"]["case_id"] == CASE
    assert {"request_state_refused", "method_closed"} <= asyncio.run(codes())
