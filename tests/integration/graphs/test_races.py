"""Two who work on one case or one run at the same time: one run, one writer, one effect.

Which of them is first, and whether the other comes while the first works or after it, is the machine's choice, so
these tests take either; that whoever comes in between is refused is shown with a run that is held meanwhile.
"""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest

from casewright.contracts.run import RunReport
from casewright.errors import ConflictError
from graphs.lease import HeldElsewhereError, leased
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, opened


@pytest.mark.proves("C4", "E4")
async def test_two_runners_that_wake_one_run_execute_once_and_one_is_told_to_wait(
    waiting: tuple[Path, RunReport],
) -> None:
    home, report = waiting
    async with opened(home) as one, opened(home) as other:
        await one.vote(report, "selma")
        done = await at_once(one.resume(report), other.resume(report))
        assert done.status == "completed"
        assert await other.resume(report) == done
        assert len(await one.effects(CREDIT_CASE)) == await one.outbox_rows() == 1
        assert await one.audited("effect.executed") == 1


@pytest.mark.proves("C4", "E4")
async def test_who_wakes_a_run_that_another_holds_is_refused_and_changes_nothing(
    waiting: tuple[Path, RunReport],
) -> None:
    home, report = waiting
    async with opened(home) as world:
        await world.vote(report, "selma")
        settings = world.services.settings
        before = await world.footprint()
        async with leased(settings.checkpoints, settings.home / "locks", report.run_id, world.services.clock):
            with pytest.raises(HeldElsewhereError, match="another process"):
                await world.resume(report)
            with pytest.raises(HeldElsewhereError, match="another process"):
                await world.start(CREDIT_CASE)
        assert await world.footprint() == before
        assert (await world.resume(report)).status == "completed"
        assert await world.outbox_rows() == 1


@pytest.mark.proves("C4", "E5")
async def test_a_cancellation_and_a_wake_up_at_once_leave_one_end(waiting: tuple[Path, RunReport]) -> None:
    home, report = waiting
    async with opened(home) as one, opened(home) as other:
        await one.vote(report, "selma")
        outcomes = await asyncio.gather(
            one.resume(report), other.runner.cancel("harborline", report.run_id, by="tomas"), return_exceptions=True
        )
        done, *same = [outcome for outcome in outcomes if isinstance(outcome, RunReport)]
        assert all(outcome == done for outcome in same), outcomes  # woken after its end, it reports again
        assert all(isinstance(outcome, RunReport | ConflictError) for outcome in outcomes), outcomes
        assert done.status in ("completed", "cancelled")
        assert await one.outbox_rows() == (1 if done.status == "completed" else 0)
        assert await one.resume(report) == done
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
        started = await at_once(one.start(CREDIT_CASE), other.start(CREDIT_CASE))
        assert started.status == "waiting_approval"
        assert [row.run_id for row in await one.records.list("harborline")] == [started.run_id]
        assert await other.start(CREDIT_CASE) == started
        assert await one.audited("run.started") == 1
        await check_fresh_start(one, started)


async def at_once(*asked: Awaitable[RunReport]) -> RunReport:
    """The one report of two who ask at once; the other was told to wait, or came after it and got the same."""
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    report, *same = [outcome for outcome in outcomes if isinstance(outcome, RunReport)]
    assert all(outcome == report for outcome in same), outcomes
    refused = [outcome for outcome in outcomes if not isinstance(outcome, RunReport)]
    assert all(isinstance(error, HeldElsewhereError) and "another process" in str(error) for error in refused), outcomes
    return report


async def check_fresh_start(world: World, before: RunReport) -> None:
    """Asked for a new run explicitly, there is one, and the other stays as it is."""
    fresh = await world.start(CREDIT_CASE, fresh=True)
    assert fresh.run_id != before.run_id
    assert await world.resume(before) == before
