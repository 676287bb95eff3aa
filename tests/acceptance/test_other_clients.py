"""Clients that are not ours, as people have them: the Inspector's command line, both generations of the TypeScript SDK.

They list and call every server over stdio and HTTP, and sign in by OAuth with nothing but a server's address.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pytest

from casewright.contracts.principal import SERVERS, ServerName
from tests.acceptance.issuing import REDIRECT, Town, ended
from tests.acceptance.test_mcp_http import Service, started
from tests.conformance.node import TOOLS, needed, with_node
from tests.support.installation import CASE, CHECKOUT, process_environment
from tests.support.opa import free_port

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(300)]
SECONDS = 240
SCRIPT = Path(__file__).with_name("other_clients.mjs")
SDKS = ("handshake", "modern")
Transport = Literal["stdio", "http"]
MODERN_VERSION = "2026-07-28"


@pytest.fixture(scope="module")
def service(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    found = started(Path(shutil.copytree(installation, tmp_path_factory.mktemp("others") / "home")))
    try:
        yield found
    finally:
        found.process.kill()
        found.process.communicate(timeout=10)


@pytest.fixture(scope="module")
def tokens(service: Service) -> dict[ServerName, str]:
    return {server: service.token(server) for server in SERVERS}


def launching(server: ServerName) -> list[str]:
    return [sys.executable, "-m", "casewright.launch", "mcp", server]


def own_environment(service: Service, token: str) -> dict[str, str]:
    """What a client has to give a server that it starts."""
    path = process_environment(service.home)["PATH"]
    return {"CASEWRIGHT_HOME": str(service.home), "CASEWRIGHT_TOKEN": token, "PYTHONPATH": str(CHECKOUT), "PATH": path}


def driven(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the TypeScript SDK found, job by job."""
    node = needed("node")
    done = subprocess.run(
        [str(node), str(SCRIPT)],
        input=json.dumps({"tools": str(TOOLS), "jobs": jobs}),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def inspected(service: Service, transport: Transport, server: ServerName, token: str, *words: str) -> dict[str, Any]:
    """What the Inspector's command line prints, as JSON."""
    program = str(needed("mcp-inspector"))
    if transport == "http":
        target = ["--header", f"Authorization: Bearer {token}", *words, "--transport", "http", service.url(server)]
    else:
        own = own_environment(service, token)
        given = [part for name in own if name != "PATH" for part in ("-e", f"{name}={own[name]}")]
        target = [*given, *words, "--", *launching(server)]
    done = subprocess.run(
        [program, "--cli", *target],
        env=with_node(process_environment(service.home)) | {"HOME": str(service.home)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.proves("I1", "I3")
@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("server", SERVERS)
def test_the_inspectors_command_line_lists_and_calls_a_server(
    service: Service, tokens: dict[ServerName, str], server: ServerName, transport: Transport
) -> None:
    tools = inspected(service, transport, server, tokens[server], "--method", "tools/list")["tools"]
    reads = [tool for tool in tools if tool["annotations"]["readOnlyHint"] and not tool["inputSchema"].get("required")]
    assert all(tool["title"] and tool["description"] and tool["outputSchema"] for tool in tools)
    chosen = ("--method", "tools/call", "--tool-name", reads[0]["name"])
    answer = inspected(service, transport, server, tokens[server], *chosen)
    assert not answer.get("isError", False), answer
    assert answer["structuredContent"]


@pytest.mark.proves("I1", "I3")
@pytest.mark.parametrize("sdk", SDKS)
def test_the_typescript_sdk_lists_and_calls_every_server_over_both_transports(
    service: Service, tokens: dict[ServerName, str], sdk: str
) -> None:
    jobs: list[dict[str, Any]] = []
    for server in SERVERS:
        command, *args = launching(server)
        own = {"command": command, "args": args, "env": own_environment(service, tokens[server])}
        jobs.append({"name": f"{server} stdio", "sdk": sdk} | own)
        jobs.append({"name": f"{server} http", "sdk": sdk, "url": service.url(server), "token": tokens[server]})
    found = driven(jobs)
    assert [job.get("error") for job in found] == [None] * len(jobs)
    for job, server in zip(found, [server for server in SERVERS for _ in range(2)], strict=True):
        assert (job["server"], job["failed"]) == (server, False)
        assert job["structured"] is not None
        assert "not available" in job["refused"]
        assert (job["version"] == MODERN_VERSION) is (sdk == "modern")
    by_server = {(job["server"], tuple(job["tools"]), tuple(job["templates"])) for job in found}
    assert len(by_server) == len(SERVERS), "a server shows the same over stdio and HTTP"


@pytest.mark.proves("I1")
def test_the_case_of_the_token_is_what_another_client_reads(service: Service, tokens: dict[ServerName, str]) -> None:
    chosen = ("--method", "tools/call", "--tool-name", "get_case")
    answer = inspected(service, "http", "case-facts", tokens["case-facts"], *chosen)
    assert answer["structuredContent"]["case_id"] == CASE


@pytest.mark.proves("I2")
@pytest.mark.parametrize("sdk", SDKS)
def test_a_client_of_another_make_finds_the_issuer_by_the_servers_refusal_signs_in_and_calls(
    installation: Path, tmp_path: Path, sdk: str
) -> None:
    """401, the challenge, both metadata documents, sign-in with PKCE, the token, and the same request again."""
    home = Path(shutil.copytree(installation, tmp_path / "home"))
    town = Town(home=home, issuer_port=free_port(), port=free_port())
    with ExitStack() as stack:
        stack.callback(ended, town.issue())
        stack.callback(ended, town.serve())
        oauth = {"client": "other-client", "redirect": REDIRECT, "person": "rosa"}
        job: dict[str, Any] = {"name": "oauth", "sdk": sdk, "url": town.url("case-facts"), "oauth": oauth}
        without = {"name": "no token", "sdk": sdk, "url": town.url("case-facts")}
        signed_in, refused = driven([job, without])
    assert signed_in.get("error") is None
    assert signed_in["signedIn"] is True
    assert CASE in json.dumps(signed_in["structured"])
    assert "error" in refused and "tools" not in refused
