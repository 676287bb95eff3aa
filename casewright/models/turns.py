"""How many calls do what at once, so that hundreds of them on one event loop starve neither each other nor others.

An event loop runs everything that is ready before it looks at anything else: five hundred calls that are each ready
for a millisecond of work hold it for half a second. Work that does not wait therefore goes by turns, one for each
round of the loop; and a provider is sent only so many requests at a time.
"""

import asyncio
from types import TracebackType


class Turns:
    """Used as `async with turns:` around work that does not wait; first come, first served."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._lock.acquire()
        try:
            await asyncio.sleep(0)  # the rest of the loop goes first, in each of its rounds
        except BaseException:
            self._lock.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


class Places:
    """For each provider, how many requests it is sent at the same time."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._places: dict[str, asyncio.Semaphore] = {}

    def of(self, provider: str) -> asyncio.Semaphore:
        return self._places.setdefault(provider, asyncio.Semaphore(self._each))
