"""kill -9 of workers at random moments, over whole reviews, while people act: nothing is lost, nothing happens twice.

Small by default; CASEWRIGHT_CHAOS_KILLS names how many kills there are at least (`make chaos`: 200 and more).
"""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from casewright.contracts.run import RunReport
from casewright.storage.run_tables import run_events
from graphs.watch import DatabaseWatch
from tests.chaos.reviewing import CHECKOUT, PATIENCE_SECONDS, TENANT, People, at_a_random_moment, deadline, environment
from tests.integration.graphs.reviews import World, copied, opened

KILLS = int(os.environ.get("CASEWRIGHT_CHAOS_KILLS", "6"))
LONG = KILLS > 20
CASES = (
    "HL-2026-0012",
    "HL-2026-0001",
    "HL-2026-0017",
    "HL-2026-0002",
    "HL-2026-0003",
    "HL-2026-0008",
    "HL-2026-0011",
    "HL-2026-0013",
    "HL-2026-0014",
)
LONGEST_WORK_SECONDS = 1.5
"""A worker is killed at a random moment after the first step it did; one in eight already while it starts."""
CAMPAIGN_SECONDS = 1_800 if LONG else 420

pytestmark = pytest.mark.thorough


class Nursery:
    """Starts workers that are killed by their process id."""

    def __init__(self, folder: Path) -> None:
        self._errors = (folder / "nursery.log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.worker_nursery"],
            cwd=CHECKOUT,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self._answer() == "ready"

    def start(self, home: Path) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{home}\n")
        self._process.stdin.flush()
        return int(self._answer())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=PATIENCE_SECONDS)
        self._errors.close()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    nursery = Nursery(tmp_path)
    yield nursery
    nursery.close()


async def killing(nursery: Nursery, world: World, chance: random.Random, kills: list[int]) -> None:
    """Start a worker, kill it at a random moment, and so on until the campaign is over."""
    pid = 0
    try:
        while True:
            before = await steps(world)
            pid = nursery.start(world.services.settings.home)
            if chance.random() > 1 / 8:
                await something_done(world, before)
            await at_a_random_moment(chance, longest_seconds=LONGEST_WORK_SECONDS)
            killed(pid)
            kills.append(pid)
    finally:
        killed(pid)


async def something_done(world: World, before: int) -> None:
    """Wait until a step more is done; a campaign that is over ends this wait with it."""
    async with DatabaseWatch(world.services.settings.database) as watch:
        while await steps(world) == before:
            await watch.wait(watch.changes, timeout_seconds=1)


async def steps(world: World) -> int:
    """How many steps of runs were done."""
    query = select(func.count()).select_from(run_events).where(run_events.c.kind == "step")
    async with world.services.database.read() as connection:
        return int((await connection.execute(query)).scalar_one())


def killed(pid: int) -> None:
    """Send SIGKILL; whoever is gone already was killed before."""
    if pid:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            return


async def campaign(nursery: Nursery, home: Path, workers: int, seed: int) -> int:
    """Every case from its request to its end while workers are killed; how many kills there were."""
    kills: list[int] = []
    chance = random.Random(seed)
    async with opened(home) as world:
        people = People(world=world)
        run_ids = [await people.ask(case_id) for case_id in (CASES if LONG else CASES[:2])]
        killers = [
            asyncio.create_task(killing(nursery, world, random.Random(chance.random()), kills)) for _ in range(workers)
        ]
        try:
            reports = await people.see_to(run_ids, until=deadline(CAMPAIGN_SECONDS))
        finally:
            for killer in killers:
                killer.cancel()
            await asyncio.gather(*killers, return_exceptions=True)
        await check_nothing_lost_or_repeated(world, people, reports)
    return len(kills)


async def check_nothing_lost_or_repeated(world: World, people: People, reports: dict[str, RunReport]) -> None:
    for report in reports.values():
        assert (report.status, report.because) == ("completed", "the approved action was executed")
        assert report.receipt is not None
        assert len(await world.effects(report.case_id)) == 1
        assert report.steps[-3:] == ("gate", "act", "record")
    assert await world.outbox_rows() == await world.audited("effect.executed") == len(reports)
    assert await world.audited("approval.consumed") == await world.audited("run.ended") == len(reports)
    for approval_id, voters in people.votes.items():
        approval = await world.services.approvals.get(TENANT, approval_id)
        assert [vote.voter for vote in approval.votes] == voters, "a decision was lost"
    assert await world.services.outbox.recover() == ()
    assert (await world.services.audit.verify()).ok


@pytest.fixture
async def homes(installation: Path, tmp_path: Path) -> AsyncGenerator[Iterator[Path], None]:
    """As many fresh data folders as are asked for."""
    yield (copied(installation, tmp_path / f"home-{number}") for number in range(1_000))


@pytest.mark.proves("E4", "C4")
@pytest.mark.timeout(14_400 if LONG else 900)
@pytest.mark.parametrize("workers", [1, 2])
async def test_workers_killed_at_random_moments_lose_nothing_and_repeat_nothing(
    nursery: Nursery, homes: Iterator[Path], workers: int
) -> None:
    kills, seed = 0, random.SystemRandom().randrange(1 << 32)
    while kills < KILLS:
        kills += await campaign(nursery, next(homes), workers, seed)
        seed += 1
    sys.stderr.write(f"{kills} kills of {workers} worker(s), last seed {seed - 1}\n")
