"""Fetching keys over real sockets on loopback: no redirect, no size without end, no credential sent."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from casewright.errors import InputError
from casewright.identity.keyset import MAX_DOCUMENT_BYTES, fetch_document


class Keys(BaseHTTPRequestHandler):
    """Answers by path, and keeps what it was sent."""

    seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        match self.path:
            case "/keys":
                self._answer(200, b"keys")
            case "/moved":
                self.send_response(302)
                self.send_header("location", "/keys")
                self.end_headers()
            case "/huge":
                self._answer(200, b"x" * (MAX_DOCUMENT_BYTES + 1))
            case _:
                self._answer(500, b"keys")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    Keys.seen.clear()
    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(timeout=10)


@pytest.mark.proves("I2")
def test_a_document_is_fetched_without_any_credential(address: str) -> None:
    assert fetch_document(f"{address}/keys") == b"keys"
    (sent,) = Keys.seen
    assert set(sent) == {"host", "accept", "accept-encoding"}


@pytest.mark.proves("I2")
@pytest.mark.parametrize("path", ["moved", "huge", "broken"])
def test_what_is_no_plain_answer_is_no_key_set(address: str, path: str) -> None:
    with pytest.raises((ValueError, http.client.HTTPException)):
        fetch_document(f"{address}/{path}")
    assert len(Keys.seen) == 1


def test_an_address_that_is_not_secure_is_not_asked() -> None:
    for elsewhere in ("http://192.0.2.1/keys", "https://user@192.0.2.1/keys", "https://192.0.2.1/keys?x=1"):
        with pytest.raises(InputError):
            fetch_document(elsewhere)


def test_a_file_is_read_within_the_same_bound(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(b"keys")
    assert fetch_document(str(path)) == b"keys"
    path.write_bytes(b"x" * (MAX_DOCUMENT_BYTES + 1))
    with pytest.raises(ValueError, match="larger"):
        fetch_document(str(path))
    with pytest.raises(OSError, match="absent"):
        fetch_document(str(tmp_path / "absent.json"))
