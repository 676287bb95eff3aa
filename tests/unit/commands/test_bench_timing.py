"""How calls are timed: in turns, so that a busy machine falls on both sides, with as many callers as said."""

import asyncio
from collections import Counter

from commands.bench_timing import BLOCKS, CALLERS, WARM_UP, latencies_of, measured, percentile


class Server:
    """Counts its calls and the most that it had at once."""

    def __init__(self, log: list[str], name: str) -> None:
        self._log = log
        self._name = name
        self.now = 0
        self.most = 0

    async def call(self) -> None:
        self._log.append(self._name)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1


async def test_servers_are_measured_in_turns_block_by_block() -> None:
    log: list[str] = []
    servers = {name: Server(log, name) for name in ("bare", "guarded")}
    timings = await measured({name: server.call for name, server in servers.items()}, 100)
    assert Counter(log)["bare"] == Counter(log)["guarded"]
    timed = log[2 * WARM_UP : 2 * WARM_UP + 2 * 100]
    blocks = [set(timed[start : start + 100 // BLOCKS]) for start in range(0, len(timed), 100 // BLOCKS)]
    assert blocks == [{"bare"}, {"guarded"}] * BLOCKS
    assert [server.most for server in servers.values()] == [max(CALLERS)] * 2
    for found in timings.values():
        assert 0 < found.p50_ms <= found.p95_ms <= found.p99_ms
        assert set(found.calls_per_second) == set(CALLERS)
        assert set(found.document()["calls_per_second"]) == {"1", "16"}


async def test_a_warm_up_is_not_among_the_samples() -> None:
    log: list[str] = []
    assert len(await latencies_of(Server(log, "x").call, 7)) == 7
    assert len(log) == WARM_UP + 7


def test_percentiles_are_those_of_the_samples() -> None:
    samples = [float(number) for number in range(101)]
    assert [percentile(samples, wanted) for wanted in (50, 95, 99)] == [50.0, 95.0, 99.0]
