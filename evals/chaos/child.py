"""Drives a run and kills itself (SIGKILL) at one database event; started as a process of its own.

Arguments: data folder, tenant, run, event ("after INSERT outbox"), and which occurrence of it.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from casewright.config import app_root
from evals.chaos.fuse import NamedFuse
from evals.world import opened_reviews

LONGEST_SECONDS = 50


def environment(home: Path) -> dict[str, str]:
    """What a child process sees: this software, this data folder, no keys."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CASEWRIGHT_", "ANTHROPIC_"))}
    return kept | {"PYTHONPATH": str(app_root()), "CASEWRIGHT_HOME": str(home)}


def driven_until(home: Path, tenant: str, run_id: str, event: str, occurrence: int) -> subprocess.CompletedProcess[str]:
    """A process that drives the run and kills itself at the event; bounded."""
    arguments = [str(home), tenant, run_id, event, str(occurrence)]
    return subprocess.run(  # noqa: S603 - our own module, arguments of our own
        [sys.executable, "-m", "evals.chaos.child", *arguments],
        cwd=app_root(),
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )


async def main(home: Path, tenant: str, run_id: str, fuse: NamedFuse) -> None:
    """Drive the run until the fuse burns, or to its end."""
    async with opened_reviews(home) as world:
        fuse.watch(world.services.database)
        await world.runner.resume(tenant, run_id)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], NamedFuse(sys.argv[4], int(sys.argv[5]))))
