"""A run that waits for information: what it says is missing, what wakes it, and how often it asks."""

from pathlib import Path
from typing import Any

import pytest

from casewright.config import Budgets
from tests.integration.graphs.reviews import changed, opened, sample_cases

CASE = "HL-2026-0015"
"""Only its authentication log is missing."""
AUTHENTICATION_LOG = {
    "evidence_id": "e3",
    "kind": "device_log",
    "title": "Card authentication log",
    "text": "No strong authentication was requested; the device is not one of the customer's.",
    "source": "card platform",
    "trust": "system",
    "supports": "customer",
    "received_on": "2026-10-05",
}
ROOMY = Budgets(steps=60, tool_calls=300)
"""Enough for several rounds."""


def with_evidence(*items: dict[str, Any]) -> dict[str, Any]:
    return {"evidence": [*sample_cases()[CASE]["evidence"], *items]}


@pytest.mark.proves("E3", "B3", "C4")
async def test_the_missing_evidence_wakes_the_run_which_then_proposes(home: Path) -> None:
    async with opened(home, budgets=ROOMY) as world:
        report = await world.start(CASE)
        assert report.status == "waiting_information"
        before = await world.footprint()
        assert await world.resume(report) == report
        assert await world.start(CASE) == report
        assert await world.footprint() == before, "waiting for information costs nothing and records nothing"
        await world.add(changed(CASE, **with_evidence(AUTHENTICATION_LOG)))
        after = await world.resume(report)
        assert (after.run_id, after.status) == (report.run_id, "waiting_approval")
        assert after.evidence is not None
        assert after.evidence.complete
        assert after.draft_id == report.draft_id, "the draft goes on as its next version"
        assert after.recommendation != report.recommendation
        assert after.budget.spent.tool_calls > report.budget.spent.tool_calls
        assert await world.outbox_rows() == 0
        await world.vote(after, "selma")
        done = await world.resume(after)
        assert done.status == "completed", done.because
        assert await world.outbox_rows() == 1


@pytest.mark.proves("E3")
async def test_a_change_while_the_run_was_reading_is_not_missed(home: Path) -> None:
    async with opened(home, budgets=ROOMY) as world:
        report = await world.start(CASE)
        await world.add(changed(CASE, issue="Unauthorized purchases in an app"))
        noted = await world.records.events(report.run_id, kind="reading")
        again = await world.resume(report)
        assert again.status == "waiting_information"
        assert again.budget.spent.steps > report.budget.spent.steps
        assert len(await world.records.events(report.run_id, kind="reading")) == len(noted) + 1


@pytest.mark.proves("E2", "E6")
async def test_changes_that_bring_nothing_go_to_a_person_and_end_after_a_bounded_number_of_rounds(home: Path) -> None:
    async with opened(home, budgets=Budgets(steps=90, tool_calls=600, delegations=20)) as world:
        report = await world.start(CASE)
        rounds = asked = 0
        while report.status in ("waiting_information", "waiting_answer") and rounds + asked < 20:
            if report.asked is not None:
                asked += 1
                rosa = world.person("rosa")
                question_id = report.asked.question_id
                await world.services.questions.answer(rosa.tenant, report.run_id, question_id, "continue", by=rosa)
            else:
                rounds += 1
                await world.add(changed(CASE, issue=f"Unauthorized app purchases, told for the {rounds}. time"))
            report = await world.resume(report)
        assert report.status == "incomplete"
        assert "information was asked for 4 times" in report.because
        assert (rounds, asked) == (4, 2)
        assert await world.outbox_rows() == 0


@pytest.mark.proves("E3", "E5")
async def test_who_is_stopped_right_after_the_missing_evidence_woke_a_run_leaves_that_to_the_next(home: Path) -> None:
    async with opened(home, budgets=ROOMY) as world:
        report = await world.start(CASE)
        await world.add(changed(CASE, **with_evidence(AUTHENTICATION_LOG)))
        world.runner.drain()
        assert (await world.resume(report)).status == "queued"
    async with opened(home, budgets=ROOMY) as world:
        assert (await world.resume(report)).status == "waiting_approval"
