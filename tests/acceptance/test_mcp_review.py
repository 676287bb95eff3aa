"""Real processes: the review server over stdio with the worker that it brings, and the user asked by the client."""

import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.acceptance.test_mcp_http import Service, started
from tests.support.asking import APPROVE, User
from tests.support.installation import CASE, CHECKOUT, MODES, Mode, process_environment, structured

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]
SECONDS = 60
LONGEST_SECONDS = 120


def client(home: Path, user: User, *options: str, mode: Mode) -> Client:
    """A client that starts `casewright mcp review` itself, not yet open."""
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "casewright.launch", "mcp", "review", *options],
        env=process_environment(home),
        cwd=str(CHECKOUT),
    )
    return Client(parameters, mode=mode, elicitation_callback=user.answer, read_timeout_seconds=SECONDS)


async def standing(session: Client, run_id: str, wanted: str) -> dict[str, object]:
    """The review as soon as it stands so; other standings are waited through, for a bounded time."""
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        found = structured(await session.call_tool("get_review", {"run_id": run_id, "wait_seconds": 20}))
        if found["status"] == wanted:
            return found
        assert found["status"] in ("queued", "running", "waiting_approval"), found
        await anyio.sleep(0.2)
    raise AssertionError(f"{run_id} did not become {wanted}")


@pytest.mark.proves("I5", "I4")
@pytest.mark.parametrize("mode", MODES)
async def test_a_review_over_stdio_goes_from_its_case_to_its_receipt(home: Path, mode: Mode) -> None:
    user = User(APPROVE)
    async with client(home, User(None), "--as", "rosa", mode=mode) as rosa:
        run_id = structured(await rosa.call_tool("start_review", {"case_id": CASE}))["run_id"]
        waiting = await standing(rosa, run_id, "waiting_approval")
        async with client(home, user, "--as", "selma", "--no-worker", mode=mode) as selma:
            given = {"approval_id": waiting["waiting_for"]}
            assert structured(await selma.call_tool("decide_approval", given))["status"] == "recorded"
        done = await standing(rosa, run_id, "completed")
    assert len(user.shown) == 1 and str(waiting["waiting_for"]) in user.shown[0]
    report = done["report"]
    assert isinstance(report, dict) and report["receipt"]["approval_id"] == waiting["waiting_for"]


@pytest.mark.proves("I5", "I4", "I1")
@pytest.mark.parametrize("mode", MODES)
async def test_over_http_the_user_of_the_request_is_asked_and_the_worker_beside_it_goes_on(
    home: Path, mode: Mode
) -> None:
    service = started(home)
    try:
        user = User(APPROVE)
        async with (
            over_http(service, "rosa", User(None), mode) as rosa,
            over_http(service, "selma", user, mode) as selma,
        ):
            run_id = structured(await rosa.call_tool("start_review", {}))["run_id"]
            waiting = await standing(rosa, run_id, "waiting_approval")
            given = {"approval_id": waiting["waiting_for"]}
            assert structured(await selma.call_tool("decide_approval", given))["status"] == "recorded"
            done = await standing(rosa, run_id, "completed")
        assert len(user.shown) == 1
        report = done["report"]
        assert isinstance(report, dict) and report["receipt"]["approval_id"] == waiting["waiting_for"]
    finally:
        service.process.terminate()
        service.process.communicate(timeout=SECONDS)


@asynccontextmanager
async def over_http(service: Service, identity: str, user: User, mode: Mode) -> AsyncGenerator[Client]:
    """A client of the served review server, whose user answers."""
    headers = {"authorization": f"Bearer {service.token('review', identity)}"}
    async with httpx2.AsyncClient(headers=headers, timeout=SECONDS, trust_env=False) as http:
        transport = streamable_http_client(service.url("review"), http_client=http)
        asking = Client(transport, mode=mode, elicitation_callback=user.answer, read_timeout_seconds=SECONDS)
        async with asking as client:
            yield client


@pytest.mark.proves("I5")
def test_a_token_for_the_review_server_is_printed_like_any_other(home: Path) -> None:
    command = [sys.executable, "-m", "casewright.launch", "token", "review", "--as", "selma", "--json"]
    done = subprocess.run(
        command, env=process_environment(home), cwd=CHECKOUT, capture_output=True, text=True, timeout=40, check=True
    )
    made = json.loads(done.stdout)
    assert (made["server"], made["identity"], made["case_id"]) == ("review", "selma", "")


@pytest.mark.proves("I5")
@pytest.mark.skipif(sys.platform != "linux", reason="it reads the processes of Linux")
@pytest.mark.parametrize("end", ["its input ends", "terminated", "killed"])
def test_the_worker_of_a_review_server_does_not_outlive_it(home: Path, end: str) -> None:
    command = [sys.executable, "-m", "casewright.launch", "mcp", "review", "--as", "rosa"]
    environment = process_environment(home)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdin=pipe, stdout=pipe) as server:
        try:
            worker = until_found(lambda: next(iter(children(server.pid)), 0))
            until_found(lambda: b"worker" in Path(f"/proc/{worker}/cmdline").read_bytes())
            assert server.stdin is not None
            {"its input ends": server.stdin.close, "terminated": server.terminate, "killed": server.kill}[end]()
            until_found(lambda: not Path(f"/proc/{worker}").exists())
            server.wait(timeout=SECONDS)
        finally:
            server.kill()


def children(process_id: int) -> list[int]:
    return [int(found) for found in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]


def until_found(look: Callable[[], int]) -> int:
    """What is found in the end, within a bounded time."""
    ended = time.monotonic() + SECONDS
    while time.monotonic() < ended:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come about in time")
