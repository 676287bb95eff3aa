"""How much one client may send and ask for: sizes of what arrives, and requests per minute.

Sizes are refused before anything is parsed, and an address is counted before anybody is
authenticated. Counting is per process and in memory: a restart forgets it, and behind a proxy all
clients share one address. It is *not* a control of access.
"""

from dataclasses import dataclass

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiProblemError
from casewright.request_rate import RequestRate


@dataclass(frozen=True, kw_only=True)
class ApiLimits:
    """The limits of one API process."""

    requests_per_minute: int = 600
    """Of one identity."""
    requests_per_minute_of_an_address: int = 3_000
    """Also of those without a token."""
    body_bytes: int = 64 * 1024
    header_bytes: int = 16 * 1024
    """All names and values together; a token takes up to half of it."""
    target_bytes: int = 4 * 1024
    """Path and query."""
    body_seconds: float = 15.0
    """How long a body may take to arrive."""
    streams: int = 200
    """Event streams of this process at a time."""
    streams_of_an_identity: int = 8
    heartbeat_seconds: float = 15.0
    recheck_seconds: float = 10.0
    """How long a stream may go on before its permission is asked for again."""
    send_seconds: float = 20.0
    """How long a client may take to read an event before its stream is ended."""
    stream_seconds: float = 3_600.0
    """After that a client comes again with `Last-Event-ID`."""


class RateLimit:
    """Refuses what is one too many, with a problem document."""

    def __init__(self, per_minute: int) -> None:
        self._rate = RequestRate(per_minute)

    async def count(self, kind: str, name: str) -> None:
        """Count one request.

        Raises:
            ApiProblemError: it is one too many; `Retry-After` says in how many seconds to come again.
        """
        seconds = await self._rate.over(kind, name)
        if not seconds:
            return
        detail = f"more than {self._rate.per_minute} requests a minute; come again in {seconds} seconds"
        raise ApiProblemError("too-many-requests", detail, {"retry-after": str(seconds)})


class AddressLimit:
    """Counts requests by the address they come from and refuses oversized heads, before anything else."""

    def __init__(self, app: ASGIApp, limits: ApiLimits) -> None:
        self._app = app
        self._limits = limits
        self._rate = RateLimit(limits.requests_per_minute_of_an_address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            client = scope.get("client")
            await self._rate.count("address", client[0] if client else "unknown")
            self._check_head(scope)
        await self._app(scope, receive, send)

    def _check_head(self, scope: Scope) -> None:
        target = len(scope.get("raw_path", b"")) + len(scope.get("query_string", b""))
        if target > self._limits.target_bytes:
            raise ApiProblemError("uri-too-long", f"path and query may have {self._limits.target_bytes} bytes")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > self._limits.header_bytes:
            raise ApiProblemError("headers-too-large", f"headers may have {self._limits.header_bytes} bytes")


class BodyLimit:
    """Reads a body whole, within its size and time, and hands it on; only JSON is taken."""

    def __init__(self, app: ASGIApp, limits: ApiLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        self._check_length(headers)
        body = await self._whole(receive)
        if body and media_type(headers) != "application/json":
            raise ApiProblemError("unsupported-media-type", "send the body as application/json")
        scope["state"]["body"] = body
        await self._app(scope, _Replay(body, receive), send)

    def _check_length(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise ApiProblemError("unreadable", "the length of the body is no number")
        if int(length) > self._limits.body_bytes:
            raise self._too_large()

    async def _whole(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            with anyio.fail_after(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise ApiProblemError("unreadable", "the client went away")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > self._limits.body_bytes:
                        raise self._too_large()
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError as error:
            raise ApiProblemError("timeout", "the body did not arrive in time", {"connection": "close"}) from error

    def _too_large(self) -> ApiProblemError:
        return ApiProblemError("too-large", f"a body may have {self._limits.body_bytes} bytes", {"connection": "close"})


class _Replay:
    """A body that was read, once more; afterwards whatever the client does."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()


def media_type(headers: Headers) -> str:
    """The type of the body without parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()
