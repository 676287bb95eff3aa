"""What a request may bring in size and time, and what ends when a server is stopped; no network."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from servers.wire import Draining, HeadLimit, Refused, Replay, WireLimits, whole_body
from servers.wire_server import listening

LIMITS = WireLimits(body_bytes=100, body_seconds=0.05, head_bytes=200, target_bytes=50)
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


def receiving(messages: Iterable[Message]) -> Receive:
    """Gives these messages, then nothing any more."""
    left = list(messages)

    async def receive() -> Message:
        if left:
            return left.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("nobody waits so long")

    return receive


def parts(*contents: bytes) -> list[Message]:
    last = len(contents) - 1
    return [
        {"type": "http.request", "body": content, "more_body": number < last} for number, content in enumerate(contents)
    ]


async def answered(app: Handler, scope: Scope, receive: Receive | None = None) -> list[Message]:
    """What an application sends."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive or receiving([]), send)
    return sent


def scope(path: bytes = b"/case-facts/mcp", **headers: str) -> Scope:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "raw_path": path, "query_string": b"", "headers": pairs}


@pytest.mark.proves("I1")
@given(contents=st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_a_body_arrives_whole_or_is_refused_by_its_size_however_it_is_cut(contents: list[bytes]) -> None:
    whole = b"".join(contents)

    async def read() -> bytes:
        return await whole_body(Headers({}), receiving(parts(*contents)), LIMITS)

    if len(whole) <= LIMITS.body_bytes:
        assert asyncio.run(read()) == whole
    else:
        with pytest.raises(Refused) as refused:
            asyncio.run(read())
        assert refused.value.response.status_code == 413


@pytest.mark.proves("I1")
@pytest.mark.parametrize(
    ("length", "messages", "status"),
    [("101", [], 413), ("-1", [], 400), ("²", [], 400), ("", [], 400), ("10", parts(b"abc", b"")[:1], 408)],
)
async def test_a_length_that_is_too_much_or_none_and_a_body_without_an_end_are_refused(
    length: str, messages: list[Message], status: int
) -> None:
    headers = Headers(raw=[(b"content-length", length.encode("latin-1"))])
    with pytest.raises(Refused) as refused:
        await whole_body(headers, receiving(messages), LIMITS)
    assert refused.value.response.status_code == status
    assert refused.value.response.headers["connection"] == "close"


@pytest.mark.proves("I1")
async def test_a_client_that_goes_away_is_nobody_to_answer() -> None:
    with pytest.raises(ConnectionError):
        await whole_body(Headers({}), receiving([{"type": "http.disconnect"}]), LIMITS)


@pytest.mark.proves("I1")
async def test_a_body_that_was_read_is_handed_on_once_and_then_what_the_client_does() -> None:
    replay = Replay(b"abc", receiving([{"type": "http.disconnect"}]))
    assert (await replay())["body"] == b"abc"
    assert (await replay())["type"] == "http.disconnect"


@pytest.mark.proves("I1")
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (scope(), 204),
        (scope(b"/" + b"x" * 60), 414),
        (scope(x_padding="y" * 300), 431),
        (scope(content_length="3", transfer_encoding="chunked"), 400),
    ],
)
async def test_heads_are_bounded_before_any_application_sees_them(asked: Scope, status: int) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})

    assert (await answered(HeadLimit(app, LIMITS), asked))[0]["status"] == status


@pytest.mark.proves("I1")
async def test_a_stream_ends_in_order_when_the_server_is_stopped_and_a_new_one_at_once() -> None:
    draining, begun = Draining(), asyncio.Event()

    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        begun.set()
        await asyncio.Event().wait()

    async def stream(given: Scope, receive: Receive, send: Send) -> None:
        await draining.stream(endless, given, receive, send)

    running = asyncio.create_task(answered(stream, scope()))
    await asyncio.wait_for(begun.wait(), 5)
    assert not running.done()
    draining.begin()
    sent = await asyncio.wait_for(running, 5)
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert len(await asyncio.wait_for(answered(stream, scope()), 5)) <= 3


@pytest.mark.proves("I1")
async def test_a_stream_that_ends_by_itself_is_left_as_it_is() -> None:
    async def short(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"all"})

    async def stream(given: Scope, receive: Receive, send: Send) -> None:
        await Draining().stream(short, given, receive, send)

    sent: list[Any] = await answered(stream, scope())
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


async def test_an_answer_in_two_pieces_waits_for_no_acknowledgement() -> None:
    found: list[int] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        found.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listening("127.0.0.1", 0) as bound:
        server = await asyncio.start_server(serve, sock=bound)
        async with server:
            reader, writer = await asyncio.open_connection("127.0.0.1", bound.getsockname()[1])
            await asyncio.wait_for(reader.read(), 5)
            writer.close()
    assert found
    assert all(found)
