"""Budgets of a run: spent ones end it with the reason and before any effect, and no resume grants more."""

from pathlib import Path

import pytest

from casewright.config import Budgets
from casewright.contracts.run import RunReport
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import opened


@pytest.mark.proves("E2")
@pytest.mark.parametrize(
    ("budgets", "because"),
    [
        (Budgets(steps=1), "1 steps"),
        (Budgets(steps=4), "4 steps"),
        (Budgets(steps=6), "6 steps"),
        (Budgets(steps=7), "7 steps"),
        (Budgets(tool_calls=1), "1 tool calls"),
        (Budgets(tool_calls=10), "10 tool calls"),
        (Budgets(tool_calls=19), "19 tool calls"),
        (Budgets(delegations=0), "handed over to 'intake' 0 times (CASEWRIGHT_BUDGET_DELEGATIONS)"),
        (Budgets(wall_clock_seconds=0), "0 seconds"),
    ],
    ids=lambda value: str(value),
)
async def test_a_spent_budget_ends_the_run_with_its_name_and_without_a_proposal(
    home: Path, budgets: Budgets, because: str
) -> None:
    async with opened(home, budgets=budgets) as world:
        report = await world.start(CREDIT_CASE)
        assert report.status == "incomplete"
        assert because in report.because
        assert report.budget.spent.steps <= budgets.steps
        assert report.budget.spent.tool_calls <= budgets.tool_calls
        assert report.pending == ()
        assert await world.services.approvals.list("harborline") == ()
        assert await world.resume(report) == report
        assert await world.outbox_rows() == 0


@pytest.mark.proves("E2", "C3")
@pytest.mark.parametrize("budgets", [Budgets(steps=7), Budgets(tool_calls=18), Budgets(wall_clock_seconds=0)], ids=str)
async def test_a_budget_that_is_spent_when_the_approval_comes_stops_the_effect(
    waiting: tuple[Path, RunReport], budgets: Budgets
) -> None:
    home, report = waiting
    async with opened(home, budgets=budgets) as world:
        await world.vote(report, "selma")
        done = await world.resume(report)
        assert (done.status, done.receipt) == ("incomplete", None)
        assert await world.outbox_rows() == 0
        assert (await world.resume(done)) == done


@pytest.mark.proves("E2", "E4")
async def test_a_new_process_goes_on_counting_where_the_last_one_stopped(waiting: tuple[Path, RunReport]) -> None:
    home, report = waiting
    async with opened(home) as world:
        await world.vote(report, "selma")
        done = await world.resume(report)
        spent, before = done.budget.spent, report.budget.spent
        assert spent.steps == before.steps + 2
        assert before.tool_calls < spent.tool_calls <= before.tool_calls + 4
        assert spent.wall_clock_ms >= before.wall_clock_ms > 0
