"""`casewright api` in a process of its own, on a free port of this machine."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.support.installation import CHECKOUT, process_environment

SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class ApiProcess:
    """A running API, and what a person asks of it."""

    process: subprocess.Popen[bytes]
    port: int
    home: Path
    log: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, identity: str = "rosa") -> str:
        """A token as `casewright token` prints it."""
        return str(json.loads(command(self.home, "token", "orchestrator", "--as", identity))["token"])

    def client(self, identity: str = "rosa") -> httpx2.Client:
        """A client that sends the person's token with each request."""
        headers = {"authorization": f"Bearer {self.token(identity)}"}
        return httpx2.Client(base_url=self.base, headers=headers, timeout=SECONDS, trust_env=False)

    def stopped(self) -> tuple[int, str]:
        """Tell it to stop; its exit code and what it said."""
        self.process.terminate()
        code = self.process.wait(SECONDS)
        return code, self.log.read_text(encoding="utf-8")


def command(home: Path, *arguments: str) -> str:
    """The output of one command that must succeed, as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "casewright.launch", *arguments, "--json"],
        env=process_environment(home),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextlib.contextmanager
def api_process(home: Path, *options: str) -> Generator[ApiProcess]:
    """Start it, wait until it lives, and end it whatever happens."""
    from tests.acceptance.test_mcp_http import free_port

    port, log = free_port(), home.parent / "api.log"
    line = [sys.executable, "-m", "casewright.launch", "api", "--port", str(port), *options]
    with log.open("wb") as out:
        process = subprocess.Popen(line, env=process_environment(home), cwd=CHECKOUT, stdout=out, stderr=out)
    found = ApiProcess(process=process, port=port, home=home, log=log)
    try:
        waited_for(lambda: _lives(found))
        yield found
    finally:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
        process.kill()
        process.wait(10)


def waited_for(happened: Any, seconds: float = SECONDS) -> Any:
    """What `happened` answers as soon as it is true.

    Raises:
        AssertionError: it was not in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := happened():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def _lives(found: ApiProcess) -> bool:
    assert found.process.poll() is None, found.log.read_text(encoding="utf-8")
    try:
        return httpx2.get(f"{found.base}/v1/health", timeout=5, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False
