"""A worker that makes review after review for a day stays as large as a few of them made it.

What is measured is what the operating system gives the process while it rests between two groups of reviews.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from casewright.contracts.case import CaseFile
from evals.reviewing.series import TEMPLATES
from evals.scorers.growth import growth
from tests.chaos.reviewing import People, WorkerProcess, deadline
from tests.integration.graphs.reviews import World, opened, sample_cases

GROUPS = 8
AT_ONCE = 4
WARM_UP = 4
"""The first groups load what every later one uses."""
MOST_KB_A_REVIEW = 300
"""Caches that are still filling take about 100 at this stage, and 30 after a hundred reviews."""
AT_LEAST_GIVEN_BACK_KB = 1_000
"""Of what a group took for a moment; it is about 3,000, and less than 100 of a worker that keeps what threads freed."""
REST_SECONDS = 3.0
LOOK_SECONDS = 0.02

T = TypeVar("T")

pytestmark = pytest.mark.thorough


@pytest.fixture
def worker(home: Path) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(home, concurrency=AT_ONCE)
    yield worker
    worker.kill()


@pytest.mark.proves("E4")
@pytest.mark.timeout(600)
async def test_a_worker_at_rest_grows_by_little_with_each_review(home: Path, worker: WorkerProcess) -> None:
    async with opened(home) as world:
        people, watch = People(world=world), Watch(worker.start().pid)
        at_work: list[float] = []
        at_rest: list[float] = []
        for group in range(GROUPS):
            run_ids = [await people_ask(people, case_id) for case_id in await copies(world, group)]
            reports, seen = await watch.during(people.see_to(run_ids, until=deadline()))
            assert {report.status for report in reports.values()} == {"completed"}
            at_work.append(max(seen))
            at_rest.append(min((await watch.during(asyncio.sleep(REST_SECONDS)))[1]))
        assert await asyncio.to_thread(worker.end) == 0
    grown = growth(at_rest[WARM_UP:])
    given_back = [most - least for most, least in zip(at_work, at_rest, strict=True)]
    sys.stderr.write(
        f"resident KB after each {AT_ONCE} reviews {[int(kb) for kb in at_rest]}, given back before "
        f"{[int(kb) for kb in given_back]}; {grown.slope / AT_ONCE:.0f} KB a review since group {WARM_UP + 1}; "
        f"load {os.getloadavg()[0]:.1f}\n"
    )
    assert grown.slope / AT_ONCE < MOST_KB_A_REVIEW
    assert min(given_back[WARM_UP:]) > AT_LEAST_GIVEN_BACK_KB


async def people_ask(people: People, case_id: str) -> str:
    """A review of a copy of a case of tomas; its run."""
    return (await people.requests.start(people.world.person("tomas"), case_id)).run_id


async def copies(world: World, group: int) -> list[str]:
    """Import another group of copies of the sample cases."""
    templates = [list(TEMPLATES)[number % len(TEMPLATES)] for number in range(AT_ONCE)]
    named = [f"{template}-{group:02}{number}" for number, template in enumerate(templates)]
    files = [
        CaseFile.model_validate(sample_cases()[template] | {"case_id": case_id})
        for template, case_id in zip(templates, named, strict=True)
    ]
    report = await world.services.cases.import_cases(files, importer=world.person("tomas"))
    assert not report.skipped, report
    return named


class Watch:
    """Looks at what a process has resident while something goes on."""

    def __init__(self, pid: int) -> None:
        self._statm = Path(f"/proc/{pid}/statm")

    async def during(self, going_on: Awaitable[T]) -> tuple[T, list[float]]:
        """What it came to, and the kilobytes that were seen meanwhile."""
        seen, task = [self._kb()], asyncio.ensure_future(going_on)
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_SECONDS)
            seen.append(self._kb())
        return await task, seen

    def _kb(self) -> float:
        return int(self._statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
