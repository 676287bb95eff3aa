"""A circuit breaker: stops asking a part that does not answer, and finds out when it does again.

Closed, it lets everything through. After too many failures in a row it opens and refuses at
once. After a rest it is half open: one caller probes, the others are refused; the probe's outcome
closes or opens it again. It is deliberately *not* aware of what it guards; `OpaEngine` uses it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, kw_only=True)
class BreakerLimits:
    """When it opens and when it probes."""

    failures: int = 5
    """So many in a row, within the window, open it."""
    window_seconds: float = 10.0
    """Seconds; failures that are longer ago do not count."""
    rest_seconds: float = 1.0
    """Seconds from opening to the first probe, and between probes."""


_LIMITS = BreakerLimits()


class CircuitBreaker:
    """Counts failures. Safe to use from several threads; `clock` gives monotonic seconds."""

    def __init__(self, limits: BreakerLimits = _LIMITS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: deque[float] = deque(maxlen=limits.failures)
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Where it stands; `half_open` also while a probe is due and nobody has asked yet."""
        with self._lock:
            return self._state()

    def admit(self) -> bool:
        """Whether to ask now. Whoever is admitted reports `succeeded` or `failed`, or it stays half open."""
        with self._lock:
            match self._state():
                case "closed":
                    return True
                case "open":
                    return False
                case "half_open":
                    admitted = not self._probing
                    self._probing = True
                    return admitted

    def succeeded(self) -> None:
        """The part answered, whatever it said."""
        with self._lock:
            self._failures.clear()
            self._opened_at = None
            self._probing = False

    def failed(self) -> None:
        """The part did not answer, or nothing that can be read."""
        with self._lock:
            now = self._clock()
            self._failures.append(now)
            full = len(self._failures) == self._limits.failures
            recent = full and now - self._failures[0] <= self._limits.window_seconds
            if self._probing or recent:
                self._opened_at = now
            self._probing = False

    def _state(self) -> BreakerState:
        if self._opened_at is None:
            return "closed"
        rested = self._clock() - self._opened_at >= self._limits.rest_seconds
        return "half_open" if self._probing or rested else "open"
