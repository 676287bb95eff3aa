"""A real local server that speaks the Anthropic Messages wire format: replies in one piece, streams, token counts.

It plays a script, or asks a scripted model for each reply. A script is strict: a request that it does not expect
fails the test, and so does a step nobody asked for. It listens on loopback alone, in the test's own event loop
(`messages_server`) or in a thread (`model_server`), for tests whose subject is a process.
"""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from tests.support.anthropic_messages import error, events, written

API_KEY = "test-key-not-a-secret"
CHARACTERS_A_TOKEN = 4
_SERVED = ("POST /v1/messages HTTP/1.1", "POST /v1/messages/count_tokens HTTP/1.1")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One scripted reply. A message is streamed if the request asks for a stream."""

    status: int = 200
    body: object = None
    """A JSON document, or bytes sent as they are."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hang: bool = False
    """Never answer; the client has to give up."""
    breaks: Literal["", "drop", "stall", "error", "end", "nonsense"] = ""
    """What happens to a reply half-way: the connection is lost, or nothing comes any more. Of a stream also: an event
    says that the service is overloaded, it ends as if it were whole, or an event is no JSON."""


Answering = Callable[[dict[str, Any]], Step]
"""A scripted model: the body of a request in, a reply out."""


@dataclass
class MessagesServer:
    """What answers, and what was asked."""

    script: Sequence[Step] = ()
    model: Answering | None = None
    base_url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    counted: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Requests to count tokens; no step of a script."""
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
        except Exception as error:  # noqa: BLE001 -- boundary: what a scripted model raises fails its test
            self.unexpected.append(f"no answer could be made: {type(error).__name__}: {error}")
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
        step, streamed = self._next_step(head[0], headers, content)
        if step.hang:
            await reader.read()
            return False
        if streamed and step.status == 200 and isinstance(step.body, dict):
            return await self._stream(reader, writer, step)
        payload = step.body if isinstance(step.body, bytes) else json.dumps(step.body).encode()
        sent = {"content-type": "application/json", "content-length": str(len(payload)), **step.headers}
        writer.write(self._head(step.status, sent) + (payload[: len(payload) // 2] if step.breaks else payload))
        await writer.drain()
        if step.breaks == "stall":
            await reader.read()
        return not step.breaks

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, step: Step) -> bool:
        sent = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked", **step.headers}
        writer.write(self._head(step.status, sent))
        told = list(events(cast(dict[str, Any], step.body)))
        for event in told[: len(told) // 2] if step.breaks else told:
            await _chunk(writer, written(event))
        match step.breaks:
            case "drop":
                return False
            case "stall":
                await reader.read()
                return False
            case "error":
                await _chunk(writer, written(error("overloaded_error")))
            case "nonsense":
                await _chunk(writer, b'event: content_block_delta\ndata: {"type": \n\n')
            case "" | "end":
                pass
        await _chunk(writer, b"")
        return True

    def _head(self, status: int, headers: Mapping[str, str]) -> bytes:
        named = {"request-id": f"req_{len(self.requests)}", **headers}
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in named.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    def _next_step(self, request_line: str, headers: Mapping[str, str], content: bytes) -> tuple[Step, bool]:
        """The step, and whether it is to be streamed."""
        problem = self._problem(request_line, headers)
        if problem:
            self.unexpected.append(problem)
            return Step(status=404, body=error("not_found_error")), False
        asked: dict[str, Any] = json.loads(content)
        if request_line == _SERVED[1]:
            self.counted.append(asked)
            return Step(body={"input_tokens": len(content) // CHARACTERS_A_TOKEN}), False
        if self.model is None and len(self.requests) >= len(self.script):
            self.unexpected.append("one request more than the script has")
            return Step(status=404, body=error("not_found_error")), False
        self.requests.append(asked)
        step = self.model(asked) if self.model else self.script[len(self.requests) - 1]
        return step, bool(asked.get("stream"))

    def _problem(self, request_line: str, headers: Mapping[str, str]) -> str:
        if request_line not in _SERVED:
            return f"not a Messages call: {request_line}"
        return "" if headers.get("authorization") == f"Bearer {API_KEY}" else "the API key is missing or wrong"


async def _chunk(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
    await writer.drain()


@asynccontextmanager
async def messages_server(*script: Step) -> AsyncGenerator[MessagesServer]:
    """Serve `script`; at the end, everything has to have happened as written."""
    scripted = MessagesServer(script)
    async with _listening(scripted):
        yield scripted
    assert not scripted.unexpected, scripted.unexpected
    assert len(scripted.requests) == len(script), f"{len(script) - len(scripted.requests)} steps were not used"


@contextmanager
def model_server(model: Answering) -> Generator[MessagesServer]:
    """Have `model` answer, in a thread with an event loop of its own; requests that are none fail the test."""
    scripted, ready, finished = MessagesServer(model=model), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with _listening(scripted):
            ready.set()
            await finished.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="model-server", daemon=True)
    thread.start()
    try:
        assert ready.wait(10), "the scripted model did not start to listen"
        yield scripted
    finally:
        loop.call_soon_threadsafe(finished.set)
        thread.join(10)
        loop.close()
    assert not scripted.unexpected, scripted.unexpected


@asynccontextmanager
async def _listening(scripted: MessagesServer) -> AsyncGenerator[None]:
    server = await asyncio.start_server(scripted.handle, "127.0.0.1", 0, limit=2**22)
    host, port = cast(tuple[str, int], server.sockets[0].getsockname())
    scripted.base_url = f"http://{host}:{port}"
    try:
        yield
    finally:
        server.close()
        async with asyncio.timeout(5):
            await scripted.hang_up()
            await server.wait_closed()
