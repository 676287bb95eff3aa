"""Real processes: several that serve one address, and a stop that lets calls finish."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from casewright.contracts.principal import SERVERS
from tests.acceptance.issuing import answering, until
from tests.acceptance.test_mcp_http import Service
from tests.acceptance.wire import HANDSHAKE, HELLO, Message, Wire, modern
from tests.support.installation import CASE, CHECKOUT, MODES, Mode, process_environment, structured
from tests.support.opa import free_port

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]
SECONDS = 40
STOP_SECONDS = 30


@contextlib.contextmanager
def running(home: Path, port: int, *command: str) -> Generator[Service]:
    """A process that answers on a port, killed with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=process_environment(home),
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        answering(process, f"http://127.0.0.1:{port}/healthz")
        yield Service(process=process, port=port, home=home)
    finally:
        process.kill()
        process.communicate(timeout=10)


@contextlib.contextmanager
def several(home: Path) -> Generator[Service]:
    """`casewright serve` in two processes."""
    port = free_port()
    options = ("--port", str(port), "--processes", "2", "--no-worker")
    with running(home, port, "casewright.launch", "serve", *options) as service:
        yield service


def children(service: Service) -> list[int]:
    """The processes that it began."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(service.process.pid)],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return [int(line) for line in listed.stdout.split()]


def two_serve(service: Service) -> bool:
    return len(children(service)) == 2


@pytest.mark.proves("I1")
@pytest.mark.parametrize("mode", MODES)
async def test_several_processes_serve_one_address_in_both_eras(home: Path, mode: Mode) -> None:
    with several(home) as service:
        assert until(lambda: two_serve(service), process=service.process, seconds=SECONDS)
        token = service.token("case-facts")
        for _ in range(3):
            async with service.client("case-facts", token, mode=mode) as client:
                assert structured(await client.call_tool("get_case", {}))["case_id"] == CASE
                assert "get_case" in {tool.name for tool in (await client.list_tools()).tools}


@pytest.mark.proves("I1")
def test_no_session_is_kept_where_the_next_request_may_reach_another_process(home: Path) -> None:
    with several(home) as service:
        wire = Wire(service=service, server="case-facts", token=service.token("case-facts"))
        hello = httpx2.post(
            wire.url, json=HELLO, headers={**wire.bearer, "mcp-protocol-version": HANDSHAKE}, timeout=SECONDS
        )
        assert hello.status_code == 200
        assert "mcp-session-id" not in hello.headers


@pytest.mark.proves("I1")
def test_a_process_that_dies_is_begun_again_and_all_end_together(home: Path) -> None:
    with several(home) as service:
        assert until(lambda: two_serve(service), process=service.process, seconds=SECONDS)
        first = children(service)
        os.kill(first[0], signal.SIGKILL)
        assert until(
            lambda: two_serve(service) and first[0] not in children(service), process=service.process, seconds=SECONDS
        )
        wire = Wire(service=service, server="case-facts", token=service.token("case-facts"))
        assert all(wire.lives() for _ in range(4))
        last = children(service)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(STOP_SECONDS) in (0, -signal.SIGTERM)
        assert not [pid for pid in last if Path(f"/proc/{pid}").exists()]


@pytest.mark.proves("I1")
@pytest.mark.parametrize("mode", MODES)
def test_a_call_that_runs_when_the_server_is_stopped_is_answered_and_streams_end(
    home: Path, tmp_path: Path, mode: Mode
) -> None:
    port = free_port()
    with running(home, port, "tests.acceptance.waiting_server", str(port), str(tmp_path)) as service:
        wire = Wire(service=service, server="case-facts", token=service.token("case-facts"))
        with httpx2.Client(headers={**wire.bearer, "mcp-protocol-version": HANDSHAKE}, timeout=SECONDS) as http:
            session = http.post(wire.url, json=HELLO).headers["mcp-session-id"]
            http.headers["mcp-session-id"] = session
            http.post(wire.url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
            message = modern(name="get_evidence", arguments={"evidence_id": "EV-1"})
            with ThreadPoolExecutor() as pool, http.stream("GET", wire.url) as stream:
                assert stream.status_code == 200
                answer = pool.submit(_call, wire, http, message, mode)
                assert until((tmp_path / "begun").exists, process=service.process, seconds=SECONDS)
                service.process.send_signal(signal.SIGTERM)
                assert until(lambda: _refused(port), process=service.process, seconds=STOP_SECONDS)
                assert b"".join(stream.iter_bytes()) is not None  # the stream comes to an end
                assert not answer.done()
                (tmp_path / "go-on").touch()
                told = answer.result(timeout=SECONDS)
        assert (told.status_code, "EV-1" in told.text, "error" in told.text) == (200, True, False)
        assert service.process.wait(STOP_SECONDS) in (0, -signal.SIGTERM)


@pytest.mark.proves("I1")
def test_a_call_that_does_not_end_holds_up_a_stop_for_seconds_only(home: Path, tmp_path: Path) -> None:
    port = free_port()
    with running(home, port, "tests.acceptance.waiting_server", str(port), str(tmp_path)) as service:
        wire = Wire(service=service, server="case-facts", token=service.token("case-facts"))
        message = modern(name="get_evidence", arguments={"evidence_id": "EV-1"})
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(wire.send, message)
            assert until((tmp_path / "begun").exists, process=service.process, seconds=SECONDS)
            begun = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(STOP_SECONDS)
            assert 5 < time.monotonic() - begun < STOP_SECONDS
            with contextlib.suppress(httpx2.TransportError):
                assert answer.result(timeout=SECONDS).status_code >= 500


def _call(wire: Wire, http: httpx2.Client, message: Message, mode: Mode) -> httpx2.Response:
    if mode == "auto":
        return wire.send(message)
    body = {
        **message.body,
        "params": {name: value for name, value in message.body["params"].items() if name != "_meta"},
    }
    return http.post(wire.url, json=body)


def _refused(port: int) -> bool:
    try:
        httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=5)
    except httpx2.TransportError:
        return True
    return False


@pytest.mark.proves("I1")
@pytest.mark.parametrize("words", [("serve",), ("mcp", SERVERS[0], "--http")])
@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_local_identities_are_served_to_this_machine_alone(home: Path, words: tuple[str, ...], host: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "casewright.launch", *words, "--host", host, "--port", str(free_port())],
        env=process_environment(home),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "local identities are for this machine" in done.stderr


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_one_process_that_is_told_to_stop_ends_with_zero_and_without_a_complaint(home: Path, told: int) -> None:
    port = free_port()
    with running(home, port, "casewright.launch", "serve", "--port", str(port), "--no-worker") as service:
        service.process.send_signal(told)
        assert service.process.wait(STOP_SECONDS) == 0
        assert service.process.stderr is not None
        assert b"casewright: " not in service.process.stderr.read()


@pytest.mark.proves("I1", "D6")
def test_one_person_has_so_many_requests_a_minute_at_all_servers_and_another_their_own(home: Path) -> None:
    """The window may move on while a slow machine asks, so more is asked than it could let through."""
    most = 3
    port = free_port()
    options = ("--port", str(port), "--no-worker", "--requests-per-minute", str(most))
    with running(home, port, "casewright.launch", "serve", *options) as service:
        wires = [Wire(service=service, server=server, token=service.token(server)) for server in SERVERS]
        other = Wire(service=service, server="case-facts", token=service.token("case-facts", "selma"))
        answers = [wire.send(modern("tools/list")) for _ in range(3) for wire in wires]
        served = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(served) + len(refused) == len(answers)
        assert answers[:most] == served[:most]
        assert most <= len(served) <= 2 * most
        for answer in refused:
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert f"more than {most} requests a minute" in answer.json()["error"]["message"]
        assert other.send(modern("tools/list")).status_code == 200
    assert 1 <= refusals_on_record(home) < len(refused)


def refusals_on_record(home: Path) -> int:
    """How often the audit says that a person asked too often."""
    file = home / "audit.jsonl"
    command = [sys.executable, "-m", "casewright.launch", "audit", "export", str(file)]
    subprocess.run(command, env=process_environment(home), cwd=CHECKOUT, timeout=SECONDS, check=True)
    events = [json.loads(line).get("event", {}) for line in file.read_text(encoding="utf-8").splitlines()]
    bodies = [event["body"] for event in events if event.get("kind") == "call.denied"]
    return sum(body["code"] == "http_refused" and body["detail"] == "429" for body in bodies)
