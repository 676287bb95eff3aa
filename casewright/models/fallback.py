"""Who is asked next: one provider after another, or two of them in a race, until an answer is valid.

It knows nothing of how one of them is asked; see `casewright.models.dialogue`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from casewright.errors import BudgetError
from casewright.models.dialogue import Answer, NoAnswer
from casewright.models.task import OutputT


@dataclass(frozen=True, kw_only=True)
class Asking(Generic[OutputT]):
    """One provider that may be asked."""

    provider: str
    may_race: bool
    """Whether it may be asked beside another one."""
    ask: Callable[[], Coroutine[Any, Any, Answer[OutputT] | NoAnswer]]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why one provider gave no answer."""

    provider: str
    because: NoAnswer


@dataclass(frozen=True, kw_only=True)
class Found(Generic[OutputT]):
    """What came of asking."""

    answer: Answer[OutputT] | None
    provider: str = ""
    """Of the answer."""
    failures: tuple[Failure, ...] = ()
    """In the order in which they came."""
    overtaken: tuple[str, ...] = ()
    """Providers that were asked before the one that answered, and were slower."""


async def first_answer(askings: Sequence[Asking[OutputT]], *, hedge_after_seconds: float | None) -> Found[OutputT]:
    """Ask in order until there is an answer; with `hedge_after_seconds`, a slow one has the next one asked beside it.

    Of two, the first valid answer counts, and the other one is given up before this returns. What one of them raises
    is raised, and gives up the other one as well; but that there is no money for one of them is only said when the
    other one, which is paid for, has not answered.
    """
    if hedge_after_seconds is None:
        return await _in_turn(askings)
    race = _Race(askings, hedge_after_seconds)
    try:
        return await race.run()
    finally:
        await race.give_up()


async def _in_turn(askings: Sequence[Asking[OutputT]]) -> Found[OutputT]:
    failures: list[Failure] = []
    for asking in askings:
        result = await asking.ask()
        if isinstance(result, Answer):
            return Found(answer=result, provider=asking.provider, failures=tuple(failures))
        failures.append(Failure(provider=asking.provider, because=result))
    return Found(answer=None, failures=tuple(failures))


class _Race(Generic[OutputT]):
    """At most two at a time."""

    def __init__(self, askings: Sequence[Asking[OutputT]], hedge_after_seconds: float) -> None:
        self._waiting = deque(askings)
        self._hedge_after_seconds = hedge_after_seconds
        self._running: dict[asyncio.Task[Answer[OutputT] | NoAnswer], Asking[OutputT]] = {}
        self._failures: list[Failure] = []
        self._unaffordable: BudgetError | None = None

    async def run(self) -> Found[OutputT]:
        while self._running or (self._waiting and self._unaffordable is None):
            if not self._running:
                self._start()
            patience = self._hedge_after_seconds if self._may_hedge() else None
            done, _ = await asyncio.wait(self._running, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                self._start()
                continue
            found = self._settled(done)
            if found is not None:
                return found
        if self._unaffordable is not None:
            raise self._unaffordable
        return Found(answer=None, failures=tuple(self._failures))

    async def give_up(self) -> None:
        """Cancel whoever is still asked, and wait until they know."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self) -> None:
        asking = self._waiting.popleft()
        self._running[asyncio.create_task(asking.ask())] = asking

    def _may_hedge(self) -> bool:
        alone = next(iter(self._running.values())) if len(self._running) == 1 else None
        return alone is not None and alone.may_race and bool(self._waiting) and self._waiting[0].may_race

    def _settled(self, done: set[asyncio.Task[Answer[OutputT] | NoAnswer]]) -> Found[OutputT] | None:
        """The answer of whoever began first among those that are done."""
        for task in [one for one in self._running if one in done]:
            asking = self._running.pop(task)
            try:
                result = task.result()
            except BudgetError as error:
                self._unaffordable = error
                continue
            if isinstance(result, Answer):
                overtaken = tuple(one.provider for one in self._running.values())
                return Found(
                    answer=result, provider=asking.provider, failures=tuple(self._failures), overtaken=overtaken
                )
            self._failures.append(Failure(provider=asking.provider, because=result))
        return None
