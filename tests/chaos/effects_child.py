"""Executes the approved call and kills itself (SIGKILL) at one step; started by the chaos test.

The step is a number of a database event: before or after a statement, before or after a commit.
Arguments: database file, signing key file, step; step -1 only prints the events there are.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from casewright.clock import ManualClock
from casewright.identity.keys import SigningKey
from tests.unit.audit.kernel import START_NS, Kernel, caller, credit


class Fuse:
    """Counts database events and kills the process at the given one."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.seen: list[str] = []

    def watch(self, world: Kernel) -> None:
        engine = world.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._statement("before"))
        event.listen(engine, "after_cursor_execute", self._statement("after"))
        event.listen(engine, "commit", self._transaction("before COMMIT"))
        event.listen(engine, "begin", self._transaction("before BEGIN"))

    def _statement(self, when: str) -> Any:
        def heard(*arguments: Any) -> None:
            verb, *rest = arguments[2].split()
            if verb in ("INSERT", "UPDATE"):
                self._burn(f"{when} {verb} {rest[1] if verb == 'INSERT' else rest[0]}")

        return heard

    def _transaction(self, name: str) -> Any:
        def heard(_connection: Any) -> None:
            self._burn(name)

        return heard

    def _burn(self, name: str) -> None:
        self.seen.append(name)
        if len(self.seen) - 1 == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(path: Path, key: Path, step: int) -> None:
    world = Kernel.over(path, SigningKey.load(key), ManualClock(START_NS))
    fuse = Fuse(step)
    fuse.watch(world)
    await world.outbox.execute(credit(), caller=caller())
    await world.database.close()
    sys.stdout.write("\n".join(fuse.seen) + "\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
