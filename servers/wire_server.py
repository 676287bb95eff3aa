"""uvicorn as our servers use it: a limit for heads that come slowly, and a stop that lets calls finish.

Called by `commands.serving` and by measurements; applications know nothing of it.
"""

import asyncio
import os
import socket
import sys

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from servers.wire import Draining, WireLimits

DRAIN_SECONDS = 10
"""How long calls may go on after the server was told to stop."""
BACKLOG = 2_048
LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class DrainingServer(uvicorn.Server):
    """Stops in order: takes no more connections, ends streams, waits for calls, bounded."""

    def __init__(self, config: uvicorn.Config, draining: Draining) -> None:
        super().__init__(config)
        self._draining = draining
        self.ends_with_input = False
        """Stop when the standard input ends: the process that began this one is gone."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self.ends_with_input:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read_input)
        await super().startup(sockets)

    def _read_input(self) -> None:
        if not os.read(sys.stdin.fileno(), 4_096):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._draining.begin()
        await super().shutdown(sockets)


def wire_server(app: ASGIApp, draining: Draining, limits: WireLimits) -> DrainingServer:
    """A server for this application; run it with a socket that listens already."""
    from sse_starlette.sse import AppStatus

    AppStatus.disable_automatic_graceful_drain()  # it would cut calls that are answered as a stream
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # or a client could say from which address it comes
        server_header=False,
        ws="none",
        http=_timed(limits.head_seconds),
        h11_max_incomplete_event_size=limits.head_bytes + limits.target_bytes,
        limit_concurrency=limits.connections,
        timeout_keep_alive=int(limits.silent_seconds),
        timeout_graceful_shutdown=DRAIN_SECONDS,
        backlog=BACKLOG,
    )
    return DrainingServer(config, draining)


def _timed(seconds: float) -> type[H11Protocol]:
    """The protocol whose requests begin in time."""
    return type("TimedHeads", (TimedHead,), {"head_seconds": seconds})


class TimedHead(H11Protocol):
    """Closes a connection whose next request has begun and whose head does not arrive in time.

    A connection that says nothing at all costs little and stays; how many there may be is limited.
    """

    head_seconds: float
    _deadline: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        answering = bool(self.cycle) and not self.cycle.response_complete  # there is none before the first request
        if answering or not self.conn.trailing_data[0] or self.transport.is_closing():
            self._disarm()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.write(LATE)
            self.transport.close()


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there, to be shared by every process that serves.

    Raises:
        OSError: the address is not ours, or somebody else listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio switches Nagle's algorithm off only where it reads that a connection is TCP: without that,
    # every answer in two pieces waits 40 ms for the client's delayed acknowledgement.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)
    except OSError:
        found.close()
        raise
    return found


def inherited(number: int) -> socket.socket:
    """The listening socket that a parent process handed over."""
    return socket.socket(fileno=number)
