"""Why a run was not driven to its end is told at once, to whoever asks, and not after the last attempt alone."""

import asyncio
from pathlib import Path

import pytest

from api.run_views import RunView
from casewright.clock import iso
from graphs.attempts import PAUSES_SECONDS
from graphs.records import RunRow
from tests.integration.graphs.reviews import opened
from tests.unit.commands.conftest import Casewright

pytestmark = pytest.mark.thorough
CASE = "HL-2026-0012"


async def begun(home: Path) -> str:
    """A review that was asked for and that nobody has driven yet."""
    from graphs.requests import RunRequests

    async with opened(home) as world:
        requests = RunRequests(world.services, world.records, world.services.questions)
        return (await requests.start(world.person("tomas"), CASE)).run_id


async def kept(home: Path, run_id: str) -> RunRow:
    async with opened(home) as world:
        return await world.records.get("harborline", run_id)


@pytest.mark.proves("E5")
def test_a_run_whose_index_is_gone_says_so_after_its_first_attempt_and_when_it_is_tried_again(
    casewright: Casewright, home: Path
) -> None:
    run_id = asyncio.run(begun(home))
    (home / "index").rename(home / "elsewhere")
    tried = casewright("runs", "resume", run_id, "--as", "tomas", "--json")
    assert tried.code == 1
    row = asyncio.run(kept(home, run_id))
    assert (row.status, row.attempts) == ("queued", 1)
    assert row.updated_ns + PAUSES_SECONDS[0] * 10**9 >= row.not_before_ns > row.created_ns
    reason = tried.refusal.replace(str(home / "index"), "index")  # where the data folder is stays here
    because = f"attempt 1 failed because {reason}; the next is due at {iso(row.not_before_ns)}"
    assert f"run {run_id} is queued: {because}" in " ".join(tried.errors.split())
    shown = casewright("runs", "show", run_id, "--as", "tomas", "--json")
    assert (shown.code, shown.document["status"], shown.document["because"]) == (0, "queued", because)
    view = RunView.of(row)
    assert view.report is not None
    assert (view.status, view.attempts, view.report.because) == ("queued", 1, because)
    assert str(home) not in because
    (home / "elsewhere").rename(home / "index")
    done = casewright("runs", "resume", run_id, "--as", "tomas", "--json")
    assert (done.code, done.document["status"]) == (4, "waiting_approval")
