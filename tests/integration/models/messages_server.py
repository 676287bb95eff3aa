"""A local server that speaks the Messages wire format from a script.

Strict: a request the script does not expect fails the test, and so does a step nobody asked for.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

API_KEY = "test-key-not-a-secret"
MODEL = "claude-scripted-1"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One scripted reply."""

    status: int = 200
    body: object = None
    """A JSON document, or bytes sent as they are."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hang: bool = False
    """Never answer; the client has to give up."""


@dataclass
class MessagesServer:
    """The script and what was asked."""

    script: Sequence[Step]
    base_url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    unexpected: list[str] = field(default_factory=list[str])
    _open: dict[asyncio.StreamWriter, "asyncio.Task[None] | None"] = field(
        default_factory=dict["asyncio.StreamWriter", "asyncio.Task[None] | None"]
    )

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = asyncio.current_task()
        try:
            while await self._answer_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def hang_up(self) -> None:
        """Close every connection and wait for its handler."""
        for writer in self._open:
            writer.close()
        await asyncio.gather(*(task for task in self._open.values() if task), return_exceptions=True)

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        step = self._next_step(head[0], headers, content)
        if step.hang:
            await reader.read()
            return False
        payload = step.body if isinstance(step.body, bytes) else json.dumps(step.body).encode()
        lines = [f"HTTP/1.1 {step.status} Scripted", f"content-length: {len(payload)}"]
        sent = {"content-type": "application/json", "request-id": f"req_{len(self.requests)}", **step.headers}
        lines += [f"{name}: {value}" for name, value in sent.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + payload)
        await writer.drain()
        return True

    def _next_step(self, request_line: str, headers: Mapping[str, str], content: bytes) -> Step:
        problem = self._problem(request_line, headers)
        if problem:
            self.unexpected.append(problem)
            return Step(status=404, body=error("not_found_error"))
        self.requests.append(json.loads(content))
        return self.script[len(self.requests) - 1]

    def _problem(self, request_line: str, headers: Mapping[str, str]) -> str:
        if request_line != "POST /v1/messages HTTP/1.1":
            return f"not a Messages call: {request_line}"
        if headers.get("authorization") != f"Bearer {API_KEY}":
            return "the API key is missing or wrong"
        if len(self.requests) >= len(self.script):
            return "one request more than the script has"
        return ""


@asynccontextmanager
async def messages_server(*script: Step) -> AsyncGenerator[MessagesServer]:
    """Serve `script` on loopback; at the end, everything has to have happened as written."""
    scripted = MessagesServer(script)
    server = await asyncio.start_server(scripted.handle, "127.0.0.1", 0)
    host, port = cast(tuple[str, int], server.sockets[0].getsockname())
    scripted.base_url = f"http://{host}:{port}"
    try:
        yield scripted
    finally:
        server.close()
        async with asyncio.timeout(5):
            await scripted.hang_up()
            await server.wait_closed()
    assert not scripted.unexpected, scripted.unexpected
    assert len(scripted.requests) == len(script), f"{len(script) - len(scripted.requests)} steps were not used"


def message(text: object, *, stop_reason: str = "end_turn", **usage: int) -> dict[str, Any]:
    """A Messages reply with one text block; a document is sent as JSON text."""
    content = text if isinstance(text, str) else json.dumps(text)
    return _reply([{"type": "text", "text": content}], stop_reason, usage)


def empty_message() -> dict[str, Any]:
    return _reply([], "end_turn", {})


def tool_message(document: object) -> dict[str, Any]:
    """A reply through the forced tool."""
    return _reply([{"type": "tool_use", "id": "toolu_1", "name": "answer", "input": document}], "tool_use", {})


def error(kind: str, text: str = "scripted") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": text}}


def _reply(content: list[dict[str, Any]], stop_reason: str, usage: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20, **usage},
    }
