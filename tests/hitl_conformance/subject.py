"""What a system under test shows the probes: one gated action, the people around it, and its effects.

An adapter implements `Subject` over the real system, with its real stores. It raises `Refused` where the system refuses
and lets every other exception through: an error is not a refusal.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol


class Refused(Exception):
    """The system says no."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What an approver is shown while a run waits."""

    key: str
    """What a decision names: an approval, an interrupt, a task."""
    arguments: Mapping[str, Any]
    """Exactly what is to be executed."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One thing that was done, as the world records it; never what the graph says of itself."""

    run: str
    arguments: Mapping[str, Any]


class Subject(Protocol):
    """One gated action. Each probe gets a new one."""

    @property
    def requester(self) -> str:
        """On whose behalf runs are started."""
        ...

    @property
    def approvers(self) -> tuple[str, str]:
        """Two people, one of whom suffices."""
        ...

    @property
    def stranger(self) -> str:
        """Somebody who may not approve."""
        ...

    async def start(self) -> str:
        """Start a run that proposes the action; return its id when it waits for people."""
        ...

    async def shown(self, run: str) -> Shown | None:
        """What waits for a decision; None: nothing does."""
        ...

    async def decide(self, run: str, key: str, *, approve: bool, by: str) -> None:
        """Let a person decide, as the system lets them; the run may or may not go on by itself."""
        ...

    async def wake(self, run: str, value: object = None) -> None:
        """Let the run go on, with whatever value the outside can hand it."""
        ...

    async def again(self, run: str) -> None:
        """Send the run its first input again while it waits."""
        ...

    async def drift(self, run: str) -> None:
        """From now on the model (or the world it looks at) would propose other arguments for the run."""
        ...

    async def force(self, run: str, node: str) -> None:
        """Walk around the gate with what a process beside the system holds, as if `node` had just finished."""
        ...

    async def break_after_effect(self) -> None:
        """Let the next step fail that has executed the action, as a crash right after it would."""
        ...

    async def restart(self) -> None:
        """Forget everything in memory, as a new process over the same stores."""
        ...

    async def effects(self) -> list[Effect]:
        """Everything that was done so far."""
        ...


Factory = Callable[[], AbstractAsyncContextManager[Subject]]
"""Opens a new subject over empty stores and closes it again."""
