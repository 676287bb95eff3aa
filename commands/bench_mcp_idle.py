"""What a server holds for clients that are connected and silent: sessions of the handshake era, each with its stream.

Memory is the resident memory of the server's process, read from the system. The clients are raw connections of this
process. `commands.bench_mcp` shows the figures.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from casewright.errors import CasewrightError
from commands.bench_mcp_start import MESSAGES
from commands.bench_process import HOST

AT_ONCE = 16
ANSWER_SECONDS = 60
VERSION = "2025-11-25"


async def idle(process: asyncio.subprocess.Process, port: int, path: str, token: str, count: int) -> dict[str, Any]:
    """Megabytes before anybody came and with so many sessions and open streams."""
    before = resident_mb(process.pid)
    async with AsyncExitStack() as stack:
        gate = asyncio.Semaphore(AT_ONCE)

        async def come() -> None:
            async with gate:
                writer = await asyncio.wait_for(_session(port, path, token), ANSWER_SECONDS)
                stack.callback(writer.close)

        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(come())
        held = resident_mb(process.pid)
    return {
        "connections": count,
        "before_mb": round(before, 1),
        "held_mb": round(held, 1),
        "each_kb": round((held - before) * 1024 / count, 1),
    }


def resident_mb(pid: int) -> float:
    """Resident memory of a process.

    Raises:
        CasewrightError: this system does not say.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError as error:
        raise CasewrightError("this system does not say how much memory a process has; measure on Linux") from error
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    if found is None:
        raise CasewrightError(f"process {pid} has ended")
    return int(found[1]) / 1024


async def _session(port: int, path: str, token: str) -> asyncio.StreamWriter:
    """A session whose stream is open; nothing more is said on it."""
    reader, writer = await asyncio.open_connection(HOST, port)
    headers = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
    hello, ready, _ = MESSAGES
    answered = await _asked(reader, writer, _request("POST", port, path, headers, hello))
    found = re.search(rb"mcp-session-id: (\S+)", answered, re.IGNORECASE)
    if found is None:
        raise CasewrightError(f"the server opened no session: {answered[:200]!r}")
    headers |= {"mcp-session-id": found[1].decode(), "mcp-protocol-version": VERSION}
    await _asked(reader, writer, _request("POST", port, path, headers, ready))
    writer.write(_request("GET", port, path, headers, None))
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise CasewrightError(f"the server opened no stream: {head[:200]!r}")
    return writer


def _request(method: str, port: int, path: str, headers: Mapping[str, str], message: Any) -> bytes:
    body = json.dumps(message).encode() if message is not None else b""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """The head of an answer whose body was read to its end."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    if length is not None:
        await reader.readexactly(int(length[1]))
    elif b"chunked" in head.lower():
        await reader.readuntil(b"\r\n0\r\n\r\n")
    return head
