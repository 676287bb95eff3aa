"""One writer at a time: an advisory lock on a file in the index folder.

The operating system drops the lock when its owner dies, so a stale lock cannot be; the
process id in the file only tells people who holds it.
"""

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from casewright.errors import UnavailableError

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[str]) -> None:
        file.seek(0x7FFF)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


_POLL_SECONDS = 0.05


@contextmanager
def exclusive(path: Path, *, wait_seconds: float) -> Generator[None]:
    """Hold the lock file at `path`.

    Raises:
        UnavailableError: another process still holds it after `wait_seconds`.
        OSError: the file cannot be made.
    """
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                _take(file)
                break
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise UnavailableError(
                        f"process {_owner(path)} is ingesting into {str(path.parent)!r}; wait for it to end and try "
                        "again"
                    ) from error
                time.sleep(_POLL_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _owner(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")[:20] or "unknown"
    except OSError:
        return "unknown"
