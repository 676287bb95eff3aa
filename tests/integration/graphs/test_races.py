"""Two who work on one case or one run at the same time: one run, one writer, one effect."""

import asyncio
from pathlib import Path

import pytest

from casewright.contracts.run import RunReport
from casewright.errors import ConflictError
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, opened


@pytest.mark.proves("C4", "E4")
async def test_two_runners_that_wake_one_run_execute_once_and_one_is_told_to_wait(
    waiting: tuple[Path, RunReport],
) -> None:
    home, report = waiting
    async with opened(home) as one, opened(home) as other:
        await one.vote(report, "selma")
        outcomes = await asyncio.gather(one.resume(report), other.resume(report), return_exceptions=True)
        done = [outcome for outcome in outcomes if isinstance(outcome, RunReport)]
        refused = [outcome for outcome in outcomes if not isinstance(outcome, RunReport)]
        assert [report.status for report in done] == ["completed"]
        (error,) = refused
        assert isinstance(error, ConflictError)
        assert "another process" in str(error)
        assert await other.resume(report) == done[0]
        assert len(await one.effects(CREDIT_CASE)) == await one.outbox_rows() == 1
        assert await one.audited("effect.executed") == 1


@pytest.mark.proves("C4", "E5")
async def test_a_cancellation_and_a_wake_up_at_once_leave_one_end(waiting: tuple[Path, RunReport]) -> None:
    home, report = waiting
    async with opened(home) as one, opened(home) as other:
        await one.vote(report, "selma")
        outcomes = await asyncio.gather(
            one.resume(report), other.runner.cancel("harborline", report.run_id, by="tomas"), return_exceptions=True
        )
        done = [outcome for outcome in outcomes if isinstance(outcome, RunReport)]
        assert len(done) == 1, outcomes
        assert await one.outbox_rows() == (1 if done[0].status == "completed" else 0)
        assert await one.resume(report) == done[0]
        assert await one.audited("run.ended") == 1


@pytest.mark.proves("E5")
async def test_a_run_that_ended_while_the_canceller_waited_stays_as_it_ended(waiting: tuple[Path, RunReport]) -> None:
    home, report = waiting
    async with opened(home) as world:
        await world.vote(report, "selma")
        done = await world.resume(report)
        with pytest.raises(ConflictError, match="completed"):
            await world.runner.cancel("harborline", report.run_id, by="tomas")
        assert await world.resume(report) == done


@pytest.mark.proves("E4")
async def test_two_who_start_a_review_of_one_case_at_once_get_one_run(home: Path) -> None:
    async with opened(home) as one, opened(home) as other:
        outcomes = await asyncio.gather(one.start(CREDIT_CASE), other.start(CREDIT_CASE), return_exceptions=True)
        started = [outcome for outcome in outcomes if isinstance(outcome, RunReport)]
        assert [report.status for report in started] == ["waiting_approval"]
        assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 1
        assert [row.run_id for row in await one.records.list("harborline")] == [started[0].run_id]
        assert await other.start(CREDIT_CASE) == started[0]
        assert await one.audited("run.started") == 1
        await check_fresh_start(one, started[0])


async def check_fresh_start(world: World, before: RunReport) -> None:
    """Asked for a new run explicitly, there is one, and the other stays as it is."""
    fresh = await world.start(CREDIT_CASE, fresh=True)
    assert fresh.run_id != before.run_id
    assert await world.resume(before) == before
