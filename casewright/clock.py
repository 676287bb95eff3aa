"""The clock as a seam, so that time in tests is a value and not a wait."""

import datetime as dt
import time
from dataclasses import dataclass
from typing import Protocol

NANOSECONDS = 1_000_000_000


class Clock(Protocol):
    """Where the present comes from."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        return time.time_ns()


@dataclass
class ManualClock:
    """A clock that moves only when told; for tests and replay."""

    at_ns: int

    def now_ns(self) -> int:
        return self.at_ns

    def advance(self, *, seconds: float) -> None:
        self.at_ns += int(seconds * NANOSECONDS)


def today(clock: Clock) -> dt.date:
    """The calendar date in UTC."""
    return dt.datetime.fromtimestamp(clock.now_ns() / NANOSECONDS, tz=dt.UTC).date()


def iso(at_ns: int) -> str:
    """RFC 3339 in UTC, to the second, for people."""
    return dt.datetime.fromtimestamp(at_ns // NANOSECONDS, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
