"""Timing of calls over MCP clients: latencies in alternating blocks, throughput with many callers.

Two servers are measured in turns, block by block, so that whatever else the machine does falls on
both. It knows nothing of guards; `commands.bench_guard` says what is compared.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Work = Callable[[], Awaitable[object]]
BLOCKS = 10
WARM_UP = 20
CALLERS = (1, 16)


@dataclass(frozen=True, kw_only=True)
class Timings:
    """What one server took, in milliseconds; `calls_per_second` by the number of callers at once."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    calls_per_second: dict[int, float]

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "p50_ms": round(self.p50_ms, 3),
            "p95_ms": round(self.p95_ms, 3),
            "p99_ms": round(self.p99_ms, 3),
            "calls_per_second": {str(callers): round(rate, 1) for callers, rate in self.calls_per_second.items()},
        }


async def measured(works: Mapping[str, Work], calls: int) -> dict[str, Timings]:
    """Timings of several calls, each made `calls` times for every number of callers."""
    for work in works.values():
        for _ in range(WARM_UP):
            await work()
    samples: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(BLOCKS):
        for name, work in works.items():
            samples[name] += await _latencies(work, max(1, calls // BLOCKS))
    rates = {name: dict[int, float]() for name in works}
    for callers in CALLERS:
        took = dict.fromkeys(works, 0.0)
        for _ in range(BLOCKS):
            for name, work in works.items():
                took[name] += await _together(work, callers, max(callers, calls // BLOCKS))
        for name in works:
            rates[name][callers] = BLOCKS * max(callers, calls // BLOCKS) / took[name]
    return {name: _timings(samples[name], rates[name]) for name in works}


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a server gave to several callers at once; milliseconds are those of single calls."""

    calls_per_second: float
    p50_ms: float
    p95_ms: float

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        shown = {"calls_per_second": self.calls_per_second, "p50_ms": self.p50_ms, "p95_ms": self.p95_ms}
        return {name: round(value, 2) for name, value in shown.items()}


async def under_load(works: Mapping[str, Sequence[Work]], calls: int) -> dict[str, Load]:
    """What several servers give, measured in turns; each of its works is one caller of a server."""
    took = dict.fromkeys(works, 0.0)
    samples: dict[str, list[float]] = {name: [] for name in works}
    for block in range(BLOCKS + 1):
        for name, callers in works.items():
            begun, found = time.perf_counter(), await _latencies_together(callers, calls // BLOCKS)
            if block:  # the first one warms up
                took[name] += time.perf_counter() - begun
                samples[name] += found
    return {
        name: Load(calls_per_second=len(found) / took[name], p50_ms=percentile(found, 50), p95_ms=percentile(found, 95))
        for name, found in samples.items()
    }


async def _latencies_together(callers: Sequence[Work], calls: int) -> list[float]:
    """Milliseconds of each call, at least one by every caller."""
    async with asyncio.TaskGroup() as group:
        each = max(1, calls // len(callers))
        tasks = [group.create_task(_latencies(work, each)) for work in callers]
    return [sample for task in tasks for sample in task.result()]


def percentile(samples: list[float], percent: int) -> float:
    """The value that so many percent of the samples are not above."""
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]


async def latencies_of(work: Work, calls: int) -> list[float]:
    """Milliseconds of each call, after a warm-up."""
    for _ in range(WARM_UP):
        await work()
    return await _latencies(work, calls)


async def _latencies(work: Work, calls: int) -> list[float]:
    samples: list[float] = []
    for _ in range(calls):
        began = time.perf_counter()
        await work()
        samples.append((time.perf_counter() - began) * 1000)
    return samples


async def _together(work: Work, callers: int, calls: int) -> float:
    """Seconds that so many callers take for all the calls."""
    left = calls

    async def caller() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await work()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
    return time.perf_counter() - began


def _timings(samples: list[float], rates: dict[int, float]) -> Timings:
    p50, p95, p99 = (percentile(samples, percent) for percent in (50, 95, 99))
    return Timings(p50_ms=p50, p95_ms=p95, p99_ms=p99, calls_per_second=rates)
