"""A real process: all servers over Streamable HTTP on a free port of this machine."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from casewright.contracts.principal import SERVERS, ServerName
from tests.support.installation import CASE, CHECKOUT, MODES, Mode, process_environment, said, structured

SECONDS = 40
PING: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Service:
    """`casewright serve` in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    home: Path

    def url(self, server: ServerName) -> str:
        return f"http://127.0.0.1:{self.port}/{server}/mcp"

    def token(self, server: ServerName, identity: str = "rosa") -> str:
        """A token as `casewright token` prints it."""
        command = [sys.executable, "-m", "casewright.launch", "token", server, "--case", CASE, "--as", identity]
        environment = process_environment(self.home)
        done = subprocess.run(
            [*command, "--json"],
            env=environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        return str(json.loads(done.stdout)["token"])

    def post(self, server: ServerName, **headers: str) -> httpx2.Response:
        """One raw request for the tools."""
        sent = {**ACCEPT, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return httpx2.post(self.url(server), json=PING, headers=sent, timeout=SECONDS)

    @asynccontextmanager
    async def client(self, server: ServerName, token: str, *, mode: Mode = "auto") -> AsyncGenerator[Client]:
        """An MCP client that sends the token with each request."""
        headers = {"authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=SECONDS, trust_env=False) as http:
            transport = streamable_http_client(self.url(server), http_client=http)
            async with Client(transport, mode=mode, read_timeout_seconds=SECONDS) as client:
                yield client


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def started(home: Path) -> Service:
    """Start and wait until it answers.

    Raises:
        AssertionError: it ended, or did not answer in time.
    """
    port = free_port()
    command = [sys.executable, "-m", "casewright.launch", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, env=process_environment(home), cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200:
                return Service(process=process, port=port, home=home)
        except httpx2.TransportError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
    process.kill()
    raise AssertionError(process.communicate(timeout=10)[1].decode())


@pytest.fixture(scope="module")
def service(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    found = started(Path(shutil.copytree(installation, tmp_path_factory.mktemp("serve") / "home")))
    try:
        yield found
    finally:
        found.process.kill()
        found.process.communicate(timeout=10)


@pytest.mark.proves("I2", "D2")
@pytest.mark.parametrize("server", SERVERS)
def test_without_a_token_the_answer_is_401_and_says_where_the_metadata_is(service: Service, server: ServerName) -> None:
    answer = service.post(server)
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    metadata = f"http://127.0.0.1:{service.port}/.well-known/oauth-protected-resource/{server}/mcp"
    assert challenge.startswith("Bearer") and f'resource_metadata="{metadata}"' in challenge


@pytest.mark.proves("I2")
@pytest.mark.parametrize("server", SERVERS)
def test_the_metadata_names_the_resource(service: Service, server: ServerName) -> None:
    url = f"http://127.0.0.1:{service.port}/.well-known/oauth-protected-resource/{server}/mcp"
    document = httpx2.get(url, timeout=SECONDS).json()
    assert document["resource"] == service.url(server)
    assert document["authorization_servers"]
    assert document["bearer_methods_supported"] == ["header"]


@pytest.mark.proves("I2")
@pytest.mark.parametrize("value", ["Bearer abc", "Bearer", "Basic cm9zYTpyb3Nh", "abc"])
def test_what_is_no_token_of_ours_is_refused(service: Service, value: str) -> None:
    assert service.post("case-facts", authorization=value).status_code == 401


@pytest.mark.proves("I2")
def test_a_token_counts_in_one_header_and_nowhere_else(service: Service) -> None:
    token = service.token("case-facts")
    url, good = service.url("case-facts"), ("authorization", f"Bearer {token}")

    def status(address: str, *headers: tuple[str, str]) -> int:
        return httpx2.post(address, json=PING, headers=[*ACCEPT.items(), *headers], timeout=SECONDS).status_code

    assert status(url) == 401
    assert status(url, good, good) == 400
    assert status(f"{url}?access_token={token}") == 400
    assert status(f"{url}?x=1&access%5Ftoken={token}", good) == 400
    assert httpx2.post(url, data={"access_token": token}, headers=[good], timeout=SECONDS).status_code == 400


@pytest.mark.proves("I2")
def test_a_token_of_another_server_is_refused(service: Service) -> None:
    value = service.token("drafting")
    for server in SERVERS:
        status = service.post(server, authorization=f"Bearer {value}").status_code
        assert (status == 401) is (server != "drafting")


@pytest.mark.proves("I1", "I2", "D2")
@pytest.mark.parametrize("mode", MODES)
async def test_with_its_token_a_client_lists_and_calls_over_http(service: Service, mode: Mode) -> None:
    async with service.client("case-facts", service.token("case-facts"), mode=mode) as client:
        assert "get_case" in {tool.name for tool in (await client.list_tools()).tools}
        assert structured(await client.call_tool("get_case", {}))["case_id"] == CASE
        assert "not available" in said(await client.call_tool("no_such_tool", {}))


@pytest.mark.proves("D2")
async def test_the_guard_decides_on_http_as_it_does_elsewhere(service: Service) -> None:
    async with service.client("case-facts", service.token("case-facts", "tomas")) as client:
        assert "not available" in said(await client.call_tool("get_case", {}))


@pytest.mark.proves("I1")
@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("host", "evil.example", 421),
        ("host", "127.0.0.1.evil.example:80", 421),
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
    ],
)
def test_another_host_or_origin_is_refused_even_with_a_token(
    service: Service, header: str, value: str, status: int
) -> None:
    headers = {"authorization": f"Bearer {service.token('case-facts')}", header: value}
    assert service.post("case-facts", **headers).status_code == status


@pytest.mark.proves("D2", "I2")
def test_another_persons_session_gives_nothing_of_theirs(service: Service) -> None:
    """The handshake era has sessions; what counts is the token of each request."""
    mine, theirs = (f"Bearer {service.token('case-facts', person)}" for person in ("rosa", "tomas"))
    version = {"mcp-protocol-version": "2025-11-25"}
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    with httpx2.Client(headers={**ACCEPT, **version}, timeout=SECONDS) as http:
        url = service.url("case-facts")
        begin = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
        session = http.post(url, json=begin, headers={"authorization": mine}).headers["mcp-session-id"]
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        http.post(url, json=ready, headers={"authorization": mine, "mcp-session-id": session})
        call: dict[str, Any] = {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "get_case", "arguments": {}},
        }
        answers = [
            http.post(url, json=call, headers={"authorization": bearer, "mcp-session-id": session})
            for bearer in (mine, theirs)
        ]
    assert "Stolen wallet" in answers[0].text
    assert "Stolen wallet" not in answers[1].text


@pytest.mark.proves("I1")
@pytest.mark.parametrize("path", ["/", "/mcp", "/case-facts", "/case-facts/mcp/", "/other/mcp", "/case-facts/mcp/../x"])
def test_nothing_is_served_at_any_other_path(service: Service, path: str) -> None:
    assert httpx2.post(f"http://127.0.0.1:{service.port}{path}", json=PING, timeout=SECONDS).status_code == 404


@pytest.mark.proves("I1")
def test_a_stop_signal_ends_the_process_cleanly(installation: Path, tmp_path: Path) -> None:
    service = started(Path(shutil.copytree(installation, tmp_path / "home")))
    os.kill(service.process.pid, signal.SIGTERM)
    _, errors = service.process.communicate(timeout=SECONDS)
    assert service.process.returncode in (0, -signal.SIGTERM)
    assert b"Traceback" not in errors
