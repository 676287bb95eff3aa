"""Messages as they stand on the wire, in both eras, for tests that send what no client would."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from casewright.contracts.principal import ServerName
from tests.acceptance.test_mcp_http import ACCEPT, Service

SECONDS = 40
MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"
META: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
HELLO: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


@dataclass(frozen=True, kw_only=True)
class Message:
    """One request: what is in its body, and the headers that have to fit."""

    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def but(self, body: Mapping[str, Any] | None = None, /, **headers: str | None) -> "Message":
        """The same with other fields of the body and other headers; None takes a header away."""
        renamed = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in (dict(self.headers) | renamed).items() if value is not None}
        return Message(body={**self.body, **(body or {})}, headers=kept)

    def with_params(self, **params: Any) -> "Message":
        """The same with other parameters."""
        return self.but({"params": {**self.body["params"], **params}})


def modern(method: str = "tools/call", **params: Any) -> Message:
    """A request of the stateless era; by default the call that reads the case."""
    given: dict[str, Any] = {"name": "get_case", "arguments": {}} if method == "tools/call" else {}
    given |= params
    headers = {"mcp-protocol-version": MODERN, "mcp-method": method}
    if "name" in given:
        headers["mcp-name"] = given["name"]
    return Message(
        body={"jsonrpc": "2.0", "id": 7, "method": method, "params": {"_meta": META, **given}}, headers=headers
    )


def calling(request_id: Any = 5, method: str = "tools/call", **params: Any) -> dict[str, Any]:
    """A request of the handshake era."""
    given = params or {"name": "get_case", "arguments": {}}
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": given}


@dataclass(frozen=True, kw_only=True)
class Wire:
    """One server of a running process, and a token for it."""

    service: Service
    server: ServerName
    token: str

    @property
    def url(self) -> str:
        return self.service.url(self.server)

    @property
    def bearer(self) -> dict[str, str]:
        return {**ACCEPT, "authorization": f"Bearer {self.token}"}

    def send(self, message: Message | bytes | str, **headers: str) -> httpx2.Response:
        """One request with the token; raw content goes with the headers of a good call."""
        good = modern()
        own = message.headers if isinstance(message, Message) else good.headers
        content = json.dumps(message.body) if isinstance(message, Message) else message
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx2.post(self.url, content=content, headers={**self.bearer, **own, **more}, timeout=SECONDS)

    def lives(self) -> bool:
        """Whether a good call still succeeds."""
        answer = self.send(modern())
        return answer.status_code == 200 and not answer.json()["result"].get("isError", False)

    def raw(self, head: bytes, *, wait_seconds: float = SECONDS) -> bytes:
        """What is answered to these very bytes."""
        return self.read(self.begin(head), wait_seconds=wait_seconds)

    def begin(self, head: bytes) -> socket.socket:
        """A connection on which these bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.service.port), timeout=SECONDS)
        connection.sendall(head)
        return connection

    @staticmethod
    def read(connection: socket.socket, *, wait_seconds: float = SECONDS) -> bytes:
        """All that is answered until the server closes the connection."""
        connection.settimeout(wait_seconds)
        answer = b""
        with connection:
            while part := connection.recv(65_536):
                answer += part
        return answer

    def head(self, *lines: str) -> bytes:
        """The head of a request with a token; more lines as given."""
        own = [f"Host: 127.0.0.1:{self.service.port}", f"Authorization: Bearer {self.token}"]
        return "\r\n".join([f"POST /{self.server}/mcp HTTP/1.1", *own, *lines, "", ""]).encode()
