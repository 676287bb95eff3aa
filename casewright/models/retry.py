"""Bounded retries with full jitter under one deadline, the same for every provider.

It decides when to ask again; it does not look at what a reply says.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from casewright.models.attempts import AttemptLog
from casewright.models.layer import CallContext, ProviderAround
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider


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

    def earlier(self, seconds: float) -> "Deadline":
        """The point that leaves `seconds` until this one."""
        return Deadline(self.at - seconds)


@dataclass(frozen=True, kw_only=True)
class Trying:
    """Under what one provider is asked: how often, until when, when there is a place, and where it is written down."""

    policy: RetryPolicy
    deadline: Deadline
    place: AbstractAsyncContextManager[object]
    log: AttemptLog

    async def complete(self, provider: Provider, request: ModelRequest) -> ModelReply | NoReply:
        """Ask until there is a reply, a final refusal, or no attempt or time left.

        A wait that would pass the deadline is not begun.
        """
        attempt = 0
        while True:
            attempt += 1
            outcome = await self._once(provider, request)
            if isinstance(outcome, ModelReply) or not outcome.retryable:
                return outcome
            if attempt >= self.policy.attempts:
                return replace(outcome, reason=f"{outcome.reason}; gave up after {attempt} attempts")
            wait = self.policy.wait_seconds(attempt, outcome)
            if wait >= self.deadline.remaining_seconds:
                return replace(outcome, reason=f"{outcome.reason}; no time is left to wait {wait:.1f} s and ask again")
            await self.policy.pause(wait)

    async def _once(self, provider: Provider, request: ModelRequest) -> ModelReply | NoReply:
        waiting = asyncio.timeout(max(0.0, self.deadline.remaining_seconds))
        try:
            async with waiting, self.place:
                waiting.reschedule(None)  # from here on the request's own time holds
                remaining = self.deadline.remaining_seconds
                if remaining <= 0:
                    return NoReply(reason="the task's time is spent", retryable=False, calls=0)
                bounded = replace(request, timeout_seconds=min(request.timeout_seconds, remaining))
                with self.log.making(provider) as attempt:
                    attempt.outcome = await provider.complete(bounded)
                    return attempt.outcome
        except TimeoutError:
            if not waiting.expired():
                raise
            return NoReply(reason="there was no free place for a request in time", retryable=False, calls=0)


class InTime:
    """Holds every provider to the time of its request, whether or not it does so itself."""

    def around(self, provider: Provider, context: CallContext) -> Provider:
        return _InTime(provider)


class _InTime(ProviderAround):
    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        deadline = asyncio.timeout(request.timeout_seconds)
        try:
            async with deadline:
                return await self.inner.complete(request)
        except TimeoutError:
            if not deadline.expired():
                raise
            return NoReply(reason=f"no reply within {request.timeout_seconds:.1f} s", retryable=True)
