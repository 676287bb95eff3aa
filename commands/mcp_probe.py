"""Starts or reaches one configured server as its client would, and says what came of it.

Started with the arguments of the client's file, the few variables that clients pass on, and an
empty working folder: what needs more than that works in a terminal and fails in a client. Every
wait is bounded, and the process is ended whatever happens.
"""

import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import anyio

from casewright.clients.references import Resolved

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "casewright-mcp-doctor", "version": "1"},
    },
}
ACCEPTS = {"accept": "application/json, text/event-stream"}
BY_HAND = "it answered nothing of use; run the command of the file by hand and read what it says"
ADDRESS = "start the servers (`casewright serve`), or correct the address; it ends in /NAME/mcp"
LONGEST_SAID = 300
"""Characters of a server's own words that are shown."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What came of it."""

    state: Literal["ok", "mend", "unchecked"]
    era: str = ""
    """The protocol revision that was agreed on."""
    tools: tuple[str, ...] = ()
    milliseconds: int = 0
    problem: str = ""
    way_out: str = ""


async def probe(server: Resolved, *, seconds: float) -> Found:
    """Connect, list the tools, disconnect; at most about `seconds`, and as long again to end a process that hangs."""
    return await (_reach(server, seconds) if server.url else _start(server, seconds))


async def _start(server: Resolved, seconds: float) -> Found:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        tempfile.TemporaryDirectory() as cwd,
    ):
        parameters = StdioServerParameters(
            command=server.command,
            args=list(server.arguments),
            env=dict(server.environment),
            cwd=server.folder or cwd,
            encoding_error_handler="replace",
        )
        client = Client(stdio_client(parameters, errlog=errors), mode="auto", read_timeout_seconds=seconds)
        found = await _listed(client, seconds, by_hand=BY_HAND)
        errors.seek(0)
        said = _last_line(errors.read())
    if found.state == "ok" or not said:
        return found
    return Found(state="mend", problem=said, way_out="start it by hand as the file says, and mend what it says")


async def _reach(server: Resolved, seconds: float) -> Found:
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    if "authorization" not in {name.lower() for name in server.headers}:
        return await _challenge(server.url, seconds)
    async with _http(server, seconds) as http:
        transport = streamable_http_client(server.url, http_client=http)
        return await _listed(Client(transport, mode="auto", read_timeout_seconds=seconds), seconds, by_hand=ADDRESS)


async def _listed(client: Any, seconds: float, *, by_hand: str) -> Found:
    """The tools by the client's own way; a failure is a finding, with `by_hand` where no better way out is known."""
    from mcp.shared.exceptions import MCPError

    began = time.monotonic()
    try:
        with anyio.fail_after(seconds):
            async with client:
                tools = tuple(sorted(tool.name for tool in (await client.list_tools()).tools))
                era, milliseconds = client.protocol_version, round((time.monotonic() - began) * 1000)
    except TimeoutError:
        return _mend(f"no answer within {seconds:g} seconds", "run it by hand as the file says, or give --seconds more")
    except (MCPError, OSError, ValueError) as error:
        return _explained(error, by_hand)
    except ExceptionGroup as group:
        return _explained(_first(group), by_hand)
    if not tools:
        return _mend("it shows no tools to this identity or token", "check the roles of --as, or make another token")
    return Found(state="ok", era=era, tools=tools, milliseconds=milliseconds)


async def _challenge(url: str, seconds: float) -> Found:
    """Without a token a server has to refuse, and to say where a token is had (RFC 9728)."""
    import httpx2

    began = time.monotonic()
    try:
        async with _http(Resolved(url=url, headers={}, environment={}), seconds) as http:
            refused = await http.post(url, json=INITIALIZE, headers=ACCEPTS)
            where = _metadata_address(refused.headers.get("www-authenticate", ""))
            if refused.status_code != 401 or not where:
                said = f"HTTP {refused.status_code} instead of a refusal that says where a token is had"
                return _mend(said, "check the address; it ends in /NAME/mcp")
            metadata: Any = (await http.get(where)).json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        return _explained(error, ADDRESS)
    if not isinstance(metadata, dict) or metadata.get("resource") != url:  # pyright: ignore[reportUnknownMemberType]
        return _mend("its metadata names another address", f"set CASEWRIGHT_PUBLIC_URL of the server to fit {url!r}")
    said = "it answers and says where to sign in; the client does that, so its tools were not listed"
    return Found(state="unchecked", milliseconds=round((time.monotonic() - began) * 1000), problem=said)


@asynccontextmanager
async def _http(server: Resolved, seconds: float) -> AsyncGenerator[Any]:
    import httpx2

    near = urlsplit(server.url).hostname in ("127.0.0.1", "localhost", "::1")
    async with httpx2.AsyncClient(headers=dict(server.headers), timeout=seconds, trust_env=not near) as http:
        yield http


def _metadata_address(challenge: str) -> str:
    _, found, rest = challenge.partition('resource_metadata="')
    return rest.partition('"')[0] if found else ""


def _explained(error: BaseException, by_hand: str) -> Found:
    said = _cut(str(error) or type(error).__name__)
    match error:
        case FileNotFoundError() | PermissionError() | NotADirectoryError():
            return _mend(said, "Casewright moved or was removed; run `casewright mcp install` again")
        case _ if "token" in said:
            return _mend(said, "give the client a token that is valid now: `casewright token SERVER`")
        case _:
            return _mend(said, by_hand)


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner  # pyright: ignore[reportUnknownArgumentType]


def _mend(problem: str, way_out: str) -> Found:
    return Found(state="mend", problem=problem, way_out=way_out)


def _last_line(text: str) -> str:
    """What the server said last on stderr, its own errors before anything else."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    own = [line for line in lines if line.startswith("casewright")]
    return _cut((own or lines or [""])[-1])


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SAID else f"{text[:LONGEST_SAID]}…"
