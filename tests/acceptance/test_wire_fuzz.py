"""Anything at all over real transports: after each example the server still answers a good call."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.stdio_wire import StdioWire, stdio_wire
from tests.acceptance.test_mcp_http import Service, started
from tests.acceptance.wire import META, Message, Wire, modern

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(400)]
EXAMPLES = 40
METHODS = (
    "tools/call",
    "tools/list",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "initialize",
    "ping",
    "x",
)
TOOLS = ("get_case", "get_evidence", "list_cases", "no_such_tool", "", "get_case\x00")
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Something like a request, with anything in any place."""
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": draw(st.integers(1, 99) | scalars)}
    body["method"] = draw(st.sampled_from(METHODS) | scalars)
    params: dict[str, Any] = {"_meta": draw(st.just(META) | values), "name": draw(st.sampled_from(TOOLS) | values)}
    params["arguments"] = draw(st.dictionaries(st.sampled_from(["evidence_id", "case_id", "zzz"]), values) | values)
    params |= draw(
        st.dictionaries(st.sampled_from(["uri", "ref", "argument", "requestState", "inputResponses"]), values)
    )
    body["params"] = draw(st.just(params) | values)
    return body | draw(
        st.dictionaries(st.sampled_from(["jsonrpc", "result", "error", "access_token"]), values, max_size=1)
    )


headers = st.dictionaries(
    st.sampled_from(["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "content-type", "origin"]),
    st.sampled_from(["2026-07-28", "2025-11-25", "tools/call", "get_case", "application/json"])
    | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
    max_size=4,
)


@pytest.fixture(scope="module")
def service(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    found = started(Path(shutil.copytree(installation, tmp_path_factory.mktemp("fuzz") / "home")))
    try:
        yield found
    finally:
        found.process.kill()
        found.process.communicate(timeout=10)


@pytest.fixture(scope="module")
def wire(service: Service) -> Wire:
    return Wire(service=service, server="case-facts", token=service.token("case-facts"))


@pytest.fixture(scope="module")
def lines(service: Service) -> Iterator[StdioWire]:
    with stdio_wire(service.home, "case-facts", service.token("case-facts")) as found:
        yield found


@pytest.mark.proves("I1")
@given(body=bodies(), more=headers)
@bounded
def test_whatever_is_posted_the_server_answers_without_failing_and_lives_on(
    wire: Wire, body: dict[str, Any], more: dict[str, str]
) -> None:
    answer = wire.send(Message(body=body, headers=dict(modern().headers) | more))
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text
    assert wire.lives()


@pytest.mark.proves("I1")
@given(content=st.binary(max_size=300))
@bounded
def test_whatever_bytes_come_the_server_lives_on(wire: Wire, content: bytes) -> None:
    assert 400 <= wire.send(content).status_code < 500
    connection = wire.begin(content + b"\r\n\r\n")
    connection.close()
    assert wire.lives()


@pytest.mark.proves("I1")
@given(body=bodies())
@bounded
def test_whatever_line_comes_over_stdio_the_server_lives_on(lines: StdioWire, body: dict[str, Any]) -> None:
    lines.send(json.dumps(body).encode())
    assert lines.lives()


@pytest.mark.proves("I1")
def test_the_fuzzed_servers_are_the_ones_that_answer(wire: Wire, lines: StdioWire) -> None:
    assert httpx2.get(f"http://127.0.0.1:{wire.service.port}/healthz", timeout=20).status_code == 200
    assert wire.lives() and lines.lives()
