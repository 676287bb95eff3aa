"""Real processes: a server over stdio, as an MCP client starts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError

from casewright.contracts.principal import SERVERS, ServerName
from servers.boundary import HOW_TO_AUTHENTICATE
from tests.support.installation import CASE, CHECKOUT, MODES, Mode, process_environment, said, structured

SECONDS = 40


def client(home: Path, server: ServerName, *options: str, mode: Mode = "auto", **environment: str) -> Client:
    """A client that starts `casewright mcp SERVER` itself, not yet open."""
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "casewright.launch", "mcp", server, *options],
        env=process_environment(home, **environment),
        cwd=str(CHECKOUT),
    )
    return Client(parameters, mode=mode, read_timeout_seconds=SECONDS)


def token(home: Path, server: ServerName, *options: str) -> str:
    """A token as `casewright token` prints it."""
    command = [sys.executable, "-m", "casewright.launch", "token", server, *options, "--json"]
    done = subprocess.run(
        command,
        env=process_environment(home),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return str(json.loads(done.stdout)["token"])


@pytest.mark.proves("I1", "D2")
@pytest.mark.parametrize("mode", MODES)
async def test_a_local_identity_lists_and_calls_over_stdio(home: Path, mode: Mode) -> None:
    async with client(home, "policy-search", "--as", "rosa", mode=mode) as session:
        assert "search_policies" in {tool.name for tool in (await session.list_tools()).tools}
        found = structured(await session.call_tool("search_policies", {"query": "provisional credit"}))
        assert {hit["document_id"][:3] for hit in found["hits"]} == {"hl-"}


@pytest.mark.proves("I1", "B2")
async def test_the_case_that_is_named_at_the_start_is_the_only_one(home: Path) -> None:
    async with client(home, "case-facts", "--as", "rosa", "--case", CASE) as session:
        assert structured(await session.call_tool("get_case", {}))["case_id"] == CASE
    async with client(home, "case-facts", "--as", "tomas", "--case", CASE) as session:
        assert "not available" in said(await session.call_tool("get_case", {}))


@pytest.mark.proves("I2", "D2")
@pytest.mark.parametrize("mode", MODES)
async def test_without_a_token_every_request_over_stdio_is_refused(home: Path, mode: Mode) -> None:
    async with client(home, "policy-search", mode=mode) as session:
        for attempt in (session.list_tools, lambda: session.call_tool("search_policies", {"query": "credit"})):
            with pytest.raises(MCPError) as refused:
                await attempt()
            assert refused.value.error.message == HOW_TO_AUTHENTICATE


@pytest.mark.proves("I2")
async def test_a_token_from_the_environment_counts_and_only_for_its_server(home: Path) -> None:
    value = token(home, "case-facts", "--as", "rosa", "--case", CASE)
    async with client(home, "case-facts", CASEWRIGHT_TOKEN=value) as session:
        assert structured(await session.call_tool("get_case", {}))["case_id"] == CASE
    async with client(home, "drafting", CASEWRIGHT_TOKEN=value) as session:
        with pytest.raises(MCPError):
            await session.list_tools()


@pytest.mark.proves("I1")
@pytest.mark.parametrize(
    ("options", "said_instead"),
    [
        (["no-such-server"], "invalid choice"),
        (["case-facts", "--as", "nobody"], "there is no local identity 'nobody'"),
        (["case-facts", "--as", "rosa", "--home", "/dev/null"], "is a file; name a folder"),
    ],
)
def test_a_start_that_cannot_work_says_why_on_stderr_and_nothing_on_stdout(
    home: Path, options: list[str], said_instead: str
) -> None:
    command = [sys.executable, "-m", "casewright.launch", "mcp", *options]
    done = subprocess.run(
        command,
        env=process_environment(home),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert said_instead in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.proves("I1")
def test_a_server_ends_by_itself_when_its_client_goes_away(home: Path) -> None:
    for server in SERVERS:
        command = [sys.executable, "-m", "casewright.launch", "mcp", server]
        done = subprocess.run(
            command,
            env=process_environment(home),
            cwd=CHECKOUT,
            input=b"",
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
