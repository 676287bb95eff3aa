"""A server over stdio as a process, spoken to in raw lines."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from casewright.contracts.principal import ServerName
from tests.acceptance.wire import HELLO, calling
from tests.support.installation import CHECKOUT, process_environment

SECONDS = 40


class StdioWire:
    """Sends lines and takes the answers as they come."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._number = 1_000
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def send(self, line: bytes | dict[str, Any]) -> None:
        """One line as it is, or one message."""
        assert self.process.stdin is not None
        content = json.dumps(line).encode() if isinstance(line, dict) else line
        self.process.stdin.write(content + b"\n")
        self.process.stdin.flush()

    def answer(self, request_id: object) -> dict[str, Any]:
        """The answer to a request; others that come before are let go.

        Raises:
            queue.Empty: it did not come in time.
        """
        while True:
            found = json.loads(self._lines.get(timeout=SECONDS))
            if found.get("id") == request_id and "method" not in found:
                return found

    def asked(self, message: dict[str, Any]) -> dict[str, Any]:
        """A request and its answer."""
        self.send(message)
        return self.answer(message["id"])

    def lives(self) -> bool:
        """Whether a good call still succeeds."""
        self._number += 1
        return "error" not in self.asked(calling(self._number)) and self.process.poll() is None


@contextlib.contextmanager
def stdio_wire(home: Path, server: ServerName, token: str, *, handshake: bool = True) -> Generator[StdioWire]:
    """A server of ours, after the handshake of the older era or before any message, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "casewright.launch", "mcp", server],
        env=process_environment(home, CASEWRIGHT_TOKEN=token),
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        wire = StdioWire(process)
        if handshake:
            wire.asked(HELLO)
            wire.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        yield wire
    finally:
        process.kill()
        process.communicate(timeout=10)
