"""A web server on loopback that misbehaves in whatever way a test wants, and remembers what it was asked."""

import contextlib
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[["Exchange"], None]
"""What is done with one request; the connection is closed afterwards."""
_LONGEST_STALL_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and the connection to answer on."""

    request: Request
    connection: socket.socket
    over: threading.Event

    def send(self, content: bytes) -> None:
        """Send as much as the other side takes."""
        with contextlib.suppress(OSError):
            self.connection.sendall(content)

    def answer(self, body: bytes, *, status: str = "200 OK", **headers: str) -> None:
        """A whole HTTP answer; a header is named with underscores."""
        shown = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
        shown |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in shown.items() if value)]
        self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def stall(self, seconds: float = _LONGEST_STALL_SECONDS) -> None:
        """Say nothing until the test is over, or for so long."""
        self.over.wait(seconds)

    def drip(self, content: bytes, *, seconds: float = 0.05) -> None:
        """Send one byte at a time, each well within any timeout of a read."""
        for index in range(len(content)):
            if self.over.wait(seconds):
                return
            self.send(content[index : index + 1])

    def reset(self) -> None:
        """End the connection with a reset instead of an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


@dataclass(kw_only=True)
class OddServer:
    """Answers every request by the behaviour that is set at the time."""

    behaviour: Behaviour
    port: int = 0
    requests: list[Request] = field(default_factory=list[Request])
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                request = received(self.request)
                if request is None:
                    return
                server.requests.append(request)
                server.behaviour(Exchange(request=request, connection=self.request, over=server.over))

        self._server = _Listener(("127.0.0.1", self.port), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End every stall and the server."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many of these tests are about."""


def received(connection: socket.socket) -> Request | None:
    """One whole request, or None when the client closed the connection."""
    connection.settimeout(_LONGEST_STALL_SECONDS)
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                return None
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        line, *rest = head.decode().split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (entry.partition(":") for entry in rest)}
        while len(body) < int(headers.get("content-length", "0")):
            body += connection.recv(65536)
    except OSError:
        return None
    return Request(line=line, headers=headers, body=body)


def as_json(value: object) -> bytes:
    """JSON bytes; what Python writes for NaN is what we want here."""
    return json.dumps(value).encode()
