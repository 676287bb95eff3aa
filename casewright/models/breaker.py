"""The circuit breaker: a model that keeps failing is left alone for a while, instead of being waited for by every call.

One breaker belongs to one model of one provider. It opens after several failures in a row that asking again might have
mended; when its time is over, exactly one request probes the model, and its outcome closes or opens it again. A reply
that does not hold, a refusal or a denied request says nothing about whether the service is there, and opens nothing.
It is deliberately *not* a retry policy: it never waits. All gateways of one data folder in a process share breakers.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

from casewright.models.layer import CallContext, ProviderAround
from casewright.models.permission import full_name
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider

State = Literal["closed", "open", "half_open"]
_Outcome = Literal["replied", "failed", "abandoned"]
_LONGEST_COOLDOWN_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class BreakerPolicy:
    """When to leave a model alone, and for how long."""

    failures: int = 5
    """In a row."""
    window_seconds: float = 60.0
    """Only failures that lie no further apart than this count together."""
    cooldown_seconds: float = 30.0
    """Until a request may probe it; longer where the service asked for more, up to ten minutes."""


@dataclass(frozen=True)
class Blocked:
    """The model is left alone."""

    seconds: float
    """Until a request may probe it; 0: one is probing it now."""


class Pass:
    """Leave to send one request; whoever has it says once how that ended."""

    def __init__(self, settle: Callable[[_Outcome, float], None]) -> None:
        self._settle = settle

    def replied(self) -> None:
        """The service answered."""
        self._settle("replied", 0.0)

    def failed(self, retry_after_seconds: float = 0.0) -> None:
        """It did not, and asking again may help."""
        self._settle("failed", retry_after_seconds)

    def abandoned(self) -> None:
        """Nothing was sent, or nobody waited for the outcome."""
        self._settle("abandoned", 0.0)


class CircuitBreaker:
    """Of one model; safe to share between threads."""

    def __init__(self, policy: BreakerPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that never run backwards."""
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._state: State = "closed"
        self._failed_at: deque[float] = deque(maxlen=policy.failures)
        self._open_until = 0.0
        self._probing = False
        self._generation = 0
        """A change of state begins another; what was sent before it no longer counts."""

    @property
    def state(self) -> State:
        """`half_open`: the next request probes it, or one is doing so."""
        with self._lock:
            self._cool_down()
            return self._state

    def admit(self) -> Pass | Blocked:
        """Leave to send one request now, or how long there is none."""
        with self._lock:
            self._cool_down()
            if self._state == "open":
                return Blocked(self._open_until - self._clock())
            if self._state == "half_open":
                if self._probing:
                    return Blocked(0.0)
                self._probing = True
            return Pass(partial(self._settle, self._generation))

    def _cool_down(self) -> None:
        if self._state == "open" and self._clock() >= self._open_until:
            self._become("half_open")

    def _settle(self, generation: int, outcome: _Outcome, asked: float) -> None:
        with self._lock:
            if generation != self._generation:
                return
            if outcome == "abandoned":
                self._probing = False
            elif outcome == "failed":
                self._count(asked)
            elif self._state == "half_open":
                self._become("closed")
            else:
                self._failed_at.clear()

    def _count(self, retry_after_seconds: float) -> None:
        now = self._clock()
        self._failed_at.append(now)
        in_a_row = len(self._failed_at) == self._policy.failures
        recent = now - self._failed_at[0] <= self._policy.window_seconds
        if self._state == "half_open" or (in_a_row and recent):
            asked = min(retry_after_seconds, _LONGEST_COOLDOWN_SECONDS)
            self._open_until = now + max(self._policy.cooldown_seconds, asked)
            self._become("open")

    def _become(self, state: State) -> None:
        self._state = state
        self._generation += 1
        self._probing = False
        if state == "closed":
            self._failed_at.clear()


class Breakers:
    """The breakers of all models, by full name; each is there from the first time it is asked for."""

    def __init__(self, policy: BreakerPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._breakers: dict[str, CircuitBreaker] = {}
        self._lock = threading.Lock()

    def of(self, model: str) -> CircuitBreaker:
        with self._lock:
            return self._breakers.setdefault(model, CircuitBreaker(self._policy, self._clock))

    def around(self, provider: Provider, context: CallContext) -> Provider:
        """The provider behind its breaker; one that leaves nothing to a service has none."""
        if not provider.capabilities.leaves_process:
            return provider
        return _Broken(provider, self.of(full_name(provider.name, provider.model)))


class _Broken(ProviderAround):
    """A provider that is not asked while its breaker is open."""

    def __init__(self, provider: Provider, breaker: CircuitBreaker) -> None:
        super().__init__(provider)
        self._breaker = breaker

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        admitted = self._breaker.admit()
        if isinstance(admitted, Blocked):
            return NoReply(reason=_left_alone(admitted), retryable=False, calls=0)
        try:
            reply = await self.inner.complete(request)
        except BaseException:
            admitted.abandoned()
            raise
        _settle(admitted, reply)
        return reply


def _settle(admitted: Pass, reply: ModelReply | NoReply) -> None:
    if isinstance(reply, ModelReply):
        admitted.replied()
    elif not reply.calls:
        admitted.abandoned()
    elif reply.retryable:
        admitted.failed(reply.retry_after_seconds or 0.0)
    else:
        admitted.replied()


def _left_alone(blocked: Blocked) -> str:
    if not blocked.seconds:
        return "it failed repeatedly; one request is finding out whether it is back"
    return f"it failed repeatedly and is left alone for another {blocked.seconds:.0f} s"


@cache
def breakers_of(home: Path, policy: BreakerPolicy) -> Breakers:
    """The breakers that every gateway of a data folder shares in this process."""
    return Breakers(policy)
