"""Makes something happen at one statement of the database: the process dies, or the statement fails.

A moment is a name such as "after INSERT outbox" or "before UPDATE runs", and which occurrence of it.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from casewright.storage.database import Database


class NamedFuse:
    """Burns once, when a statement of that name comes for the given time."""

    def __init__(self, name: str, occurrence: int, burn: Callable[[], None] | None = None) -> None:
        """`burn` is what happens; None: the process kills itself, so that nothing of it can clean up."""
        self._name = name
        self._left = occurrence
        self._burn = burn or _die
        self.burnt = 0

    def watch(self, database: Database) -> None:
        """Hear every statement that goes through the database's engine."""
        engine = database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._statement("before"))
        event.listen(engine, "after_cursor_execute", self._statement("after"))

    def _statement(self, when: str) -> Any:
        def heard(*arguments: Any) -> None:
            verb, *rest = arguments[2].split()
            if verb in ("INSERT", "UPDATE"):
                self._seen(f"{when} {verb} {rest[1] if verb == 'INSERT' else rest[0]}")

        return heard

    def _seen(self, name: str) -> None:
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            self.burnt += 1
            self._burn()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
