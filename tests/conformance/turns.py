"""Lets the suite's clients run a few at a time: `python -m tests.conformance.turns FOLDER bare|ours URL`.

The suite starts a client for every scenario at once; on a small machine they would all be too slow together. Each waits
here for one of the locks in FOLDER before it imports anything.
"""

import fcntl
import os
import sys
import time
from pathlib import Path

SLOTS = max(2, os.cpu_count() or 2)
PAUSE_SECONDS = 0.1


def wait_for_turn(folder: Path) -> int:
    """Take one of the slots; held until this process ends."""
    files = [os.open(folder / f"slot-{number}", os.O_CREAT | os.O_RDWR) for number in range(SLOTS)]
    while True:  # the suite ends a client that waits too long
        for file in files:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return file
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    wait_for_turn(Path(sys.argv[1]))
    import asyncio

    from tests.conformance.client import examined

    asyncio.run(examined(sys.argv[2], sys.argv[3], os.environ))
