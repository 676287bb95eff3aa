"""Bounded retries with jitter under one deadline, the same for every provider.

It decides when to ask again; it does not look at what a reply says.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider, Usage


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently. `pause` and `jitter` are seams for tests."""

    attempts: int = 3
    base_seconds: float = 0.5
    cap_seconds: float = 8.0
    jitter: Callable[[], float] = random.random
    """A number from 0 to 1; full jitter below the exponential step."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    def wait_seconds(self, attempt: int, failure: NoReply) -> float:
        """How long to wait after the `attempt`-th failure (from 1); at least what was asked for."""
        step = min(self.cap_seconds, self.base_seconds * 2 ** (attempt - 1))
        return max(failure.retry_after_seconds or 0.0, step * self.jitter())


@dataclass(frozen=True)
class Deadline:
    """A point on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    @property
    def remaining_seconds(self) -> float:
        return self.at - time.monotonic()


async def complete(
    provider: Provider, request: ModelRequest, *, policy: RetryPolicy, deadline: Deadline
) -> ModelReply | NoReply:
    """Ask until there is a reply, a final refusal, or no attempt or time left.

    `calls` and `usage` of the result count every attempt. A wait that would pass the deadline is
    not begun.
    """
    calls, usage, attempt = 0, Usage(), 0
    while True:
        attempt += 1
        outcome = await _once(provider, request, deadline)
        calls, usage = calls + outcome.calls, usage + outcome.usage
        total = replace(outcome, calls=calls, usage=usage)
        if isinstance(total, ModelReply) or not total.retryable:
            return total
        if attempt >= policy.attempts:
            return replace(total, reason=f"{total.reason}; gave up after {attempt} attempts")
        wait = policy.wait_seconds(attempt, total)
        if wait >= deadline.remaining_seconds:
            return replace(total, reason=f"{total.reason}; no time is left to wait {wait:.1f} s and ask again")
        await policy.pause(wait)


async def _once(provider: Provider, request: ModelRequest, deadline: Deadline) -> ModelReply | NoReply:
    remaining = deadline.remaining_seconds
    if remaining <= 0:
        return NoReply(reason="the task's time is spent", retryable=False, calls=0)
    bounded = replace(request, timeout_seconds=min(request.timeout_seconds, remaining))
    try:
        async with asyncio.timeout(bounded.timeout_seconds):
            return await provider.complete(bounded)
    except TimeoutError:
        return NoReply(reason=f"no reply within {bounded.timeout_seconds:.1f} s", retryable=True)
