"""What a request may bring over HTTP, in size and in time, and what ends when the server is stopped.

Checked before anything is parsed. It is deliberately *not* the transport's own rules (host, origin,
content type, protocol headers: the SDK's) nor who may call (`servers.bearer`, and the guard).
`servers.wire_server` puts what uvicorn has to know beside it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casewright.request_rate import RequestRate

INVALID_REQUEST = -32_600
"""JSON-RPC 2.0, section 5.1."""


@dataclass(frozen=True, kw_only=True)
class WireLimits:
    """The most that one request and one server take."""

    body_bytes: int = 4 * 1024 * 1024
    body_seconds: float = 15.0
    """How long a body may take to arrive."""
    head_bytes: int = 32 * 1024
    """Of the request line and all headers together."""
    head_seconds: float = 15.0
    """How long they may take, from their first byte on."""
    target_bytes: int = 2_048
    silent_seconds: float = 60.0
    """How long a connection may stay open between requests."""
    connections: int = 4_096
    requests_per_minute: int = 6_000
    """Of one identity, at all servers of the process together."""
    sessions: int = 2_000
    """Of the handshake era, for each server; a client that comes later is told to come again."""
    session_seconds: float = 1_800.0
    """How long such a session may stay unused."""


class Refused(Exception):
    """Answer this and close the connection: the body is not read to its end."""

    def __init__(self, status: int, why: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.response = refusal(status, why, headers)


def refusal(status: int, why: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal before a message was read: JSON-RPC without an id."""
    error: Mapping[str, Any] = {"code": INVALID_REQUEST, "message": why}
    body = {"jsonrpc": "2.0", "id": None, "error": error}
    return JSONResponse(body, status, headers={"connection": "close", "cache-control": "no-store", **(headers or {})})


async def whole_body(headers: Headers, receive: Receive, limits: WireLimits) -> bytes:
    """The body of a request, however it is sent.

    Raises:
        Refused: it is too large, came too slowly, or its length is no number.
        ConnectionError: the client went away.
    """
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Refused(400, "the length of the body is no number")
    if int(length) > limits.body_bytes:
        raise _too_large(limits)
    content = bytearray()
    try:
        with anyio.fail_after(limits.body_seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ConnectionError("the client went away before its request was there")
                content += message.get("body", b"")
                if len(content) > limits.body_bytes:
                    raise _too_large(limits)
                if not message.get("more_body", False):
                    return bytes(content)
    except TimeoutError as error:
        raise Refused(408, f"the body did not arrive within {limits.body_seconds:g} seconds") from error


def _too_large(limits: WireLimits) -> Refused:
    return Refused(413, f"a request may have {limits.body_bytes} bytes")


class Replay:
    """A body that was read, handed on once; afterwards whatever the client does."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class HeadLimit:
    """Refuses long addresses and large headers before any application sees them."""

    def __init__(self, app: ASGIApp, limits: WireLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refused(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _refused(self, scope: Scope) -> Response | None:
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) > self._limits.target_bytes:
            return refusal(414, f"path and query may have {self._limits.target_bytes} bytes")
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}:
            return refusal(400, "the length of the body is said twice")  # or a proxy could read another request
        if sum(len(name) + len(value) for name, value in scope["headers"]) > self._limits.head_bytes:
            return refusal(431, f"headers may have {self._limits.head_bytes} bytes")
        return None


class IdentityRate:
    """Counts the requests of each identity at all servers of a process; a flood leaves one record a minute."""

    def __init__(self, limits: WireLimits) -> None:
        self._rate = RequestRate(limits.requests_per_minute)
        self._records = RequestRate(1)

    async def count(self, identity: str) -> None:
        """Count one request.

        Raises:
            Refused: it is one too many; `Retry-After` says in how many seconds to come again.
        """
        seconds = await self._rate.over("identity", identity)
        if seconds:
            why = f"more than {self._rate.per_minute} requests a minute; come again in {seconds} seconds"
            raise Refused(429, why, {"retry-after": str(seconds)})

    async def is_to_record(self, identity: str) -> bool:
        """Whether no refusal of this identity was recorded within the last minute."""
        return not await self._records.over("identity", identity)


class Draining:
    """Ends what would never end by itself when the server is stopped; calls that run are left to finish."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    def begin(self) -> None:
        """From now on streams end, the open ones and new ones."""
        self._begun.set()

    async def stream(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve something without an end, until the client or the server ends it."""
        said = Said(send)
        async with anyio.create_task_group() as group:
            group.start_soon(self._cancel, group.cancel_scope)
            await app(scope, receive, said)
            group.cancel_scope.cancel()
        await said.end()

    async def _cancel(self, scope: anyio.CancelScope) -> None:
        await self._begun.wait()
        scope.cancel()


class Said:
    """What was sent of an answer, so that one that is cut short still ends in order."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open = False
        self.status = 0
        """Of the answer; 0: none was begun."""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
        await self._send(message)
        self._open = message["type"] == "http.response.start" or bool(message.get("more_body", False))

    async def end(self) -> None:
        if self._open:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
