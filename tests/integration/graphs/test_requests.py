"""What people ask of runs is committed and audited, and drives nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from casewright.contracts.run import RunReport
from casewright.errors import ConflictError, DeniedError, InputError, NotFoundError
from graphs.lease import leased
from graphs.requests import RunRequests
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, opened

Waiting = tuple[Path, RunReport]
TENANT = "harborline"


def requests(world: World) -> RunRequests:
    return RunRequests(world.services, world.records, world.services.questions)


async def statuses(world: World, run_id: str) -> list[str]:
    return [event.body["status"] for event in await world.records.events(run_id, kind="status")]


async def steered(world: World, run_id: str) -> list[str]:
    events = await world.services.audit.events(tenant=TENANT, run_id=run_id)
    return [event.body["asked"] for event in events if event.kind == "run.steered"]


@pytest.mark.proves("E4")
async def test_a_start_is_a_queued_row_and_a_second_one_finds_it(home: Path) -> None:
    async with opened(home) as world:
        tomas = world.person("tomas")
        row = await requests(world).start(tomas, CREDIT_CASE)
        assert (row.status, row.subject, row.report, row.revision) == ("queued", "tomas", None, 1)
        assert await requests(world).start(tomas, CREDIT_CASE) == row
        fresh = await requests(world).start(tomas, CREDIT_CASE, fresh=True)
        assert fresh.run_id != row.run_id
        assert await world.audited("run.started") == 2
        assert await statuses(world, row.run_id) == ["queued"]
        assert await world.records.events(row.run_id, kind="step") == ()


@pytest.mark.proves("E5")
async def test_a_run_that_nobody_drives_is_cancelled_at_once_with_what_it_asked_for(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        row = await requests(world).cancel(world.person("tomas"), report.run_id, why="a duplicate")
        assert row.status == "cancelled"
        assert row.report is not None
        assert (row.report.because, row.report.pending) == ("cancelled by tomas: a duplicate", ())
        assert row.report.recommendation == report.recommendation
        with pytest.raises(DeniedError, match="revoked"):
            await world.vote(report, "selma")
        with pytest.raises(ConflictError, match="has ended already: cancelled"):
            await requests(world).cancel(world.person("tomas"), report.run_id, why="")
        assert await steered(world, report.run_id) == ["cancel"]
        assert (await statuses(world, report.run_id))[-1] == "cancelled"
        assert await world.audited("run.ended") == 1


@pytest.mark.proves("E5")
async def test_a_run_that_is_queued_is_cancelled_with_a_report_of_nothing_done(home: Path) -> None:
    async with opened(home) as world:
        row = await requests(world).start(world.person("tomas"), CREDIT_CASE)
        ended = await requests(world).cancel(world.person("tomas"), row.run_id, why="")
        assert ended.report is not None
        assert (ended.status, ended.report.steps, ended.report.draft_id) == ("cancelled", (), "")


@pytest.mark.proves("E5")
async def test_a_cancellation_of_a_run_that_somebody_drives_is_noted_for_them(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        settings = world.services.settings
        async with leased(settings.checkpoints, settings.home / "locks", report.run_id, world.services.clock):
            for why in ("too late", "still too late"):
                row = await requests(world).cancel(world.person("tomas"), report.run_id, why=why)
                assert (row.status, row.wanted, row.wanted_by) == ("waiting_approval", "cancel", "tomas")
                assert row.wanted_why == "too late"
            paused = await requests(world).pause(world.person("tomas"), report.run_id, why="")
            assert paused.wanted == "cancel", "a pause does not take a cancellation back"
        assert await steered(world, report.run_id) == ["cancel"]
        assert await world.audited("run.ended") == 0


@pytest.mark.proves("E5")
async def test_a_pause_keeps_what_is_asked_and_a_resume_queues_the_run(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        asked = requests(world)
        row = await asked.pause(world.person("tomas"), report.run_id, why="on leave")
        assert (row.status, row.wanted) == ("paused", "")
        assert await asked.pause(world.person("tomas"), report.run_id, why="once more") == row
        assert row.report is not None
        assert (row.report.because, row.report.pending) == ("paused by tomas: on leave", report.pending)
        assert (await asked.resume(world.person("tomas"), report.run_id)).status == "queued"
        with pytest.raises(ConflictError, match="is queued, not paused"):
            await asked.resume(world.person("tomas"), report.run_id)
        assert await steered(world, report.run_id) == ["pause", "resume"]


@pytest.mark.proves("E5")
async def test_a_retry_is_for_a_failed_run_only(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        with pytest.raises(ConflictError, match="is waiting_approval; only a run that failed"):
            await requests(world).retry(world.person("tomas"), report.run_id)
        await world.records.mark(report.run_id, "failed")
        with pytest.raises(ConflictError, match="has failed and rests"):
            await requests(world).pause(world.person("tomas"), report.run_id, why="")
        row = await requests(world).retry(world.person("tomas"), report.run_id)
        assert (row.status, row.attempts, row.not_before_ns) == ("queued", 0, 0)


@pytest.mark.proves("E5")
async def test_a_fork_is_a_queued_run_of_the_next_revision_with_a_parent(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        asked = requests(world)
        row = await asked.fork(world.person("tomas"), report.run_id, at="drafter")
        assert (row.status, row.parent, row.revision, row.waiting_for) == ("queued", report.run_id, 2, "")
        (event,) = await world.records.events(row.run_id, kind="forked")
        assert event.body == {"parent": report.run_id, "at": "drafter"}
        assert await world.audited("run.forked") == 1
        assert await world.services.approvals.list(TENANT, run_id=row.run_id) == ()
        with pytest.raises(ConflictError, match="is queued; pause it before"):
            await asked.fork(world.person("tomas"), row.run_id)
        with pytest.raises(InputError, match="no step 'act'"):
            await asked.fork(world.person("tomas"), report.run_id, at="act")


@pytest.mark.proves("E5")
async def test_runs_of_another_tenant_are_absent_for_every_request(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        asked, stranger, before = requests(world), world.person("lena"), await world.footprint()
        for attempt in (
            asked.cancel(stranger, report.run_id, why=""),
            asked.pause(stranger, report.run_id, why=""),
            asked.resume(stranger, report.run_id),
            asked.retry(stranger, report.run_id),
            asked.fork(stranger, report.run_id),
            asked.answer(stranger, report.run_id, "q-1", "stop"),
        ):
            with pytest.raises(NotFoundError, match="there is no run"):
                await attempt
        assert await world.footprint() == before
        row = await asked.cancel(world.person("tomas"), report.run_id, why="x" * 1000)
        assert row.status == "cancelled"


async def test_a_reason_that_is_too_long_is_refused(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        with pytest.raises(InputError, match="has 1001 characters"):
            await requests(world).cancel(world.person("tomas"), report.run_id, why="x" * 1001)


async def test_events_can_be_read_from_where_one_left_off(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        events = await world.records.events(report.run_id)
        assert await world.records.events(report.run_id, after=3, limit=2) == events[3:5]
        assert await world.records.events(report.run_id, after=len(events)) == ()


def test_requests_are_made_without_the_graph_library() -> None:
    code = "import sys, graphs.requests; sys.exit('langgraph' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=50).returncode == 0
