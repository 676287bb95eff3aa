"""Many reviews at once on a few workers: all end as a single one would, in bounded memory.

Few by default; CASEWRIGHT_CHAOS_RUNS names how many (`make chaos`: 100). Prints the times and the peak memory.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from casewright.contracts.case import CaseFile
from tests.chaos.reviewing import TENANT, People, WorkerProcess, deadline
from tests.integration.graphs.reviews import World, opened, sample_cases

RUNS = int(os.environ.get("CASEWRIGHT_CHAOS_RUNS", "6"))
WORKERS = 2
AT_ONCE = 4
TEMPLATES = {"HL-2026-0012": "issue_final_credit", "HL-2026-0017": "issue_final_credit", "HL-2026-0018": "deny_claim"}
"""Cases of tomas that one supervisor approves, and what is proposed for them."""
MOST_RESIDENT_MB = 1_000
SECONDS_PER_RUN = 15

pytestmark = pytest.mark.thorough


@pytest.fixture
def workers(home: Path) -> Iterator[list[WorkerProcess]]:
    workers = [WorkerProcess(home, concurrency=AT_ONCE) for _ in range(WORKERS)]
    yield workers
    for worker in workers:
        worker.kill()


async def copies(world: World) -> dict[str, str]:
    """Import so many copies of the sample cases; the action that each has to end with."""
    wanted: dict[str, str] = {}
    files: list[CaseFile] = []
    for number in range(RUNS):
        template = list(TEMPLATES)[number % len(TEMPLATES)]
        case_id = f"{template}-{number:03}"
        files.append(CaseFile.model_validate(sample_cases()[template] | {"case_id": case_id}))
        wanted[case_id] = TEMPLATES[template]
    report = await world.services.cases.import_cases(files, importer=world.person("tomas"))
    assert not report.skipped, report
    return wanted


@pytest.mark.proves("E4")
@pytest.mark.timeout(120 + SECONDS_PER_RUN * RUNS)
async def test_many_reviews_at_once_all_end_as_one_alone_would(home: Path, workers: list[WorkerProcess]) -> None:
    async with opened(home) as world:
        wanted = await copies(world)
        people, tomas = People(world=world), world.person("tomas")
        processes = [worker.start() for worker in workers]
        begun = time.monotonic()
        rows = [await people.requests.start(tomas, case_id) for case_id in wanted]
        reports = await people.see_to([row.run_id for row in rows], until=deadline(60 + SECONDS_PER_RUN * RUNS))
        seconds = time.monotonic() - begun
        resident = [peak_mb(process.pid) for process in processes]
        for report in reports.values():
            assert (report.status, report.because) == ("completed", "the approved action was executed")
            assert report.receipt is not None
            assert report.receipt["action"] == wanted[report.case_id]
            assert await effects(world, report.case_id) == 1
        assert await world.outbox_rows() == await world.audited("run.ended") == RUNS
        assert (await world.services.audit.verify()).ok
        await say(world, list(reports), seconds, resident)
        codes = await asyncio.gather(*(asyncio.to_thread(worker.end) for worker in workers))
        assert codes == [0] * WORKERS
        assert max(resident) < MOST_RESIDENT_MB


async def effects(world: World, case_id: str) -> int:
    """How many effects the case has on record."""
    stored = await world.services.cases.load(TENANT, case_id)
    assert stored is not None
    return sum(event.source == "recorded effect" for event in stored.case.timeline)


def peak_mb(pid: int) -> int:
    """The most memory that the process ever had resident (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise AssertionError(f"process {pid} does not say how large it was")


async def say(world: World, run_ids: list[str], seconds: float, resident: list[int]) -> None:
    """Print how long reviews took from their first step to their proposal, and how much memory was used."""
    working = sorted([await working_seconds(world, run_id) for run_id in run_ids])
    p95 = working[min(len(working) - 1, int(0.95 * len(working)))]
    sys.stderr.write(
        f"{RUNS} reviews, {WORKERS} workers of {AT_ONCE}: {seconds:.1f} s in all; from first step to proposal p50 "
        f"{statistics.median(working):.2f} s, p95 {p95:.2f} s; peak resident {resident} MB; "
        f"load {os.getloadavg()[0]:.1f}\n"
    )


async def working_seconds(world: World, run_id: str) -> float:
    told = await world.records.events(run_id, kind="status")
    running = next(event.at_ns for event in told if event.body["status"] == "running")
    waiting = next(event.at_ns for event in told if event.body["status"] == "waiting_approval")
    return (waiting - running) / 1e9
