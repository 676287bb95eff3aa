"""Resumes a run and kills itself (SIGKILL) at one database event; started by the chaos test.

Arguments: data folder, tenant, run, event ("after INSERT outbox"), and which occurrence of it.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from tests.integration.graphs.reviews import World, opened


class NamedFuse:
    """Kills the process when an event of that name happens for the given time."""

    def __init__(self, name: str, occurrence: int) -> None:
        self._name = name
        self._left = occurrence

    def watch(self, world: World) -> None:
        engine = world.services.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._statement("before"))
        event.listen(engine, "after_cursor_execute", self._statement("after"))

    def _statement(self, when: str) -> Any:
        def heard(*arguments: Any) -> None:
            verb, *rest = arguments[2].split()
            if verb in ("INSERT", "UPDATE"):
                self._burn(f"{when} {verb} {rest[1] if verb == 'INSERT' else rest[0]}")

        return heard

    def _burn(self, name: str) -> None:
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


async def main(home: Path, tenant: str, run_id: str, fuse: NamedFuse) -> None:
    async with opened(home) as world:
        fuse.watch(world)
        await world.runner.resume(tenant, run_id)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], NamedFuse(sys.argv[4], int(sys.argv[5]))))
