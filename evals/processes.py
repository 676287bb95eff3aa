"""Starts the processes of an evaluation and reads what they find, line by line; every wait is bounded."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from casewright.config import app_root
from evals.shard import ShardLine, ShardOrder

SILENCE_SECONDS = 120.0
"""A process that says nothing for so long after its case should have ended is killed; its cases are errored."""
_LONGEST_LINE = 4_000_000
Wrapped = Callable[[Sequence[str]], Sequence[str]]
"""Puts something around a command, such as a network of its own."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended."""

    unavailable: str
    """Why its suite cannot be tried here; empty: it can."""
    code: int
    last_words: str
    """The last line of its log."""


async def run_shard(
    order: ShardOrder, *, log: Path, seconds: float, heard: Callable[[ShardLine], None], wrapped: Wrapped
) -> Ended:
    """Try the cases of an order in a process of its own.

    Args:
        log: what it says on stderr.
        seconds: for one case.
        heard: called with every line, in order.
    """
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *wrapped([sys.executable, "-m", "casewright.launch", "eval", "shard"]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=environment(os.environ),
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
    unavailable = ""
    try:
        await _give(process, order)
        while line := await _line(process, seconds):
            unavailable = line.unavailable or unavailable
            heard(line)
        code = await asyncio.wait_for(process.wait(), timeout=30)
    except TimeoutError:
        code = -signal.SIGKILL
    finally:
        await _ended(process)
    return Ended(unavailable=unavailable, code=code, last_words=_last_line(log))


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a process of an evaluation sees: this application's folders and the policies at hand, no key and no other
    setting.
    """
    kept = {name: value for name, value in given.items() if not name.startswith(("CASEWRIGHT_", "ANTHROPIC_"))}
    path = os.pathsep.join(part for part in (str(app_root()), given.get("PYTHONPATH", "")) if part)
    policies = given.get("CASEWRIGHT_POLICIES")
    own = {"CASEWRIGHT_POLICIES": str(Path(policies).resolve())} if policies else {}
    return kept | own | {"PYTHONPATH": path}


async def _give(process: asyncio.subprocess.Process, order: ShardOrder) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died at once, which its exit code says
        process.stdin.write(order.model_dump_json().encode())
        await process.stdin.drain()
        process.stdin.close()


async def _line(process: asyncio.subprocess.Process, seconds: float) -> ShardLine | None:
    """The next line; None: the process closed its output.

    Raises:
        TimeoutError: it says nothing.
    """
    assert process.stdout is not None
    while raw := await asyncio.wait_for(process.stdout.readline(), timeout=seconds + SILENCE_SECONDS):
        with contextlib.suppress(ValidationError):  # half a line of a process that was killed
            return ShardLine.model_validate_json(raw)
    return None


def _last_line(log: Path) -> str:
    """At most 500 characters of it."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1][:500] if lines else ""


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End the process and whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
