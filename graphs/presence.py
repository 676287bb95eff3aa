"""Which workers were seen lately: one small file for each in the data folder, written anew while it looks.

A worker notes itself with its looks; the API's readiness reads it. It holds no run and decides nothing: who may
drive a run is said by leases (`graphs.lease`).
"""

import contextlib
import os
import re
from pathlib import Path

from casewright.clock import Clock

WORKER_SECONDS = 30
"""A worker that was not seen for so long is taken for gone; it notes itself many times as often."""
FOLDER = "workers"
_NAME = re.compile(r"[a-z0-9-]{1,80}")


class Presence:
    """One worker's note of itself; `with` it ends with the worker's work."""

    def __init__(self, home: Path, clock: Clock, *, every_seconds: float = 2.0) -> None:
        self._path = home / FOLDER / f"worker-{os.getpid()}"
        self._clock = clock
        self._every_ns = int(every_seconds * 1e9)
        self._noted_ns = 0

    def __enter__(self) -> "Presence":
        self.note()
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def note(self) -> None:
        """Say that the worker is at work; costs nothing if it was said a moment ago. A full disk stops no run."""
        now = self._clock.now_ns()
        if 0 <= now - self._noted_ns < self._every_ns:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            temporary = self._path.with_suffix(".new")
            temporary.write_text(str(now))
            temporary.replace(self._path)
            self._noted_ns = now


def last_seen(home: Path) -> int | None:
    """When any worker was last at work, in nanoseconds since the epoch; None: none is known."""
    seen: list[int] = []
    for path in sorted((home / FOLDER).glob("worker-*")):
        with contextlib.suppress(OSError, ValueError):
            if _NAME.fullmatch(path.name):
                seen.append(int(path.read_text()))
    return max(seen, default=None)
