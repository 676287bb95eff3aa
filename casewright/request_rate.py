"""How many requests a minute somebody may make: counted in the memory of one process, over a sliding window.

A restart forgets what was counted, and several processes count each for itself. It is *not* a control of access
and not a budget of a run: it keeps one client from taking all the time of a process from the others.
"""

import math
import time

MINUTE = 60


class RequestRate:
    """So many a minute for each name; a name is any text."""

    def __init__(self, per_minute: int) -> None:
        # imported here: only processes that serve count
        from limits import RateLimitItemPerMinute
        from limits.aio.storage import MemoryStorage
        from limits.aio.strategies import SlidingWindowCounterRateLimiter

        self.per_minute = per_minute
        self._item = RateLimitItemPerMinute(per_minute)
        self._counter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def over(self, kind: str, name: str) -> int:
        """Count one request; in how many seconds (1 to 60) to come again if it is one too many, else 0."""
        if await self._counter.hit(self._item, kind, name):
            return 0
        window = await self._counter.get_window_stats(self._item, kind, name)
        return min(max(1, math.ceil(window.reset_time - time.time())), MINUTE)
