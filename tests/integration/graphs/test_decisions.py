"""What a run does with people's decisions: approved, rejected, too late, cancelled, overtaken by events."""

import time
from pathlib import Path
from typing import Any

import pytest

from casewright.clock import ManualClock
from casewright.contracts.run import RunReport
from casewright.errors import ConflictError, DeniedError, NotFoundError
from casewright.identity.local import LocalIdentities, load_identities, save_identities
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import changed, opened, sample_cases

Waiting = tuple[Path, RunReport]


@pytest.mark.proves("E3", "E2")
async def test_a_resume_without_a_decision_changes_nothing_and_spends_nothing(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        before = await world.footprint()
        assert [await world.resume(report) for _ in range(3)] == [report] * 3
        assert await world.start(CREDIT_CASE) == report
        assert await world.footprint() == before


@pytest.mark.proves("C3", "C4", "E3")
async def test_an_approved_action_is_executed_once_and_leaves_its_receipt(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        assert await world.effects(CREDIT_CASE) == []
        await world.vote(report, "selma")
        assert await world.effects(CREDIT_CASE) == [], "a vote executes nothing by itself"
        done = await world.resume(report)
        assert (done.status, done.because) == ("completed", "the approved action was executed")
        assert done.receipt is not None
        action = (done.receipt["action"], done.receipt["amount_minor"], done.receipt["approval_id"])
        assert action == ("issue_final_credit", 31240, report.pending[0].approval_id)
        assert done.steps[-3:] == ("gate", "act", "record")
        assert done.pending == ()
    async with opened(home) as world:
        assert await world.resume(report) == done
        (effect,) = await world.effects(CREDIT_CASE)
        assert done.receipt["effect_id"] in effect
        assert await world.outbox_rows() == 1
        assert await world.audited("run.ended") == 1
        assert (await world.services.audit.verify()).ok


@pytest.mark.proves("C3", "C4")
async def test_another_review_of_the_case_does_not_execute_the_same_action_again(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        await world.vote(report, "selma")
        assert (await world.resume(report)).status == "completed"
        again = await world.start(CREDIT_CASE)
        assert again.run_id != report.run_id
        if again.status == "waiting_approval":
            await world.vote(again, "idris")
            again = await world.resume(again)
        assert again.status == "incomplete"
        assert again.receipt is None
        assert len(await world.effects(CREDIT_CASE)) == 1


@pytest.mark.proves("C3", "E3")
async def test_a_rejected_action_completes_the_run_with_nothing_executed(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        await world.vote(report, "selma", approve=False)
        done = await world.resume(report)
        assert (done.status, done.receipt) == ("completed", None)
        assert "rejected" in done.because
        assert await world.outbox_rows() == 0


@pytest.mark.proves("C3", "E3")
async def test_an_approval_that_expired_is_asked_for_anew_and_the_old_one_executes_nothing(waiting: Waiting) -> None:
    home, report = waiting
    clock = ManualClock(time.time_ns())
    async with opened(home, clock=clock) as world:
        await world.vote(report, "selma")
        clock.advance(seconds=(report.pending[0].expires_ns - clock.now_ns()) / 1e9 + 1)
        renewed = await world.resume(report)
        assert renewed.status == "waiting_approval"
        assert await world.outbox_rows() == 0
        (pending,) = renewed.pending
        assert pending.approval_id != report.pending[0].approval_id
        assert pending.digest == report.pending[0].digest
        assert await world.resume(report) == renewed, "it waits for the new approval, not for the old one"
        await world.vote(renewed, "idris")
        done = await world.resume(renewed)
        assert done.status == "completed"
        assert done.receipt is not None
        assert done.receipt["approval_id"] == pending.approval_id
        assert await world.outbox_rows() == 1


@pytest.mark.proves("C3", "E2")
async def test_approvals_that_expire_for_ever_end_with_the_budget(waiting: Waiting) -> None:
    home, report = waiting
    clock = ManualClock(time.time_ns())
    async with opened(home, clock=clock) as world:
        seen: set[str] = set()
        while report.status == "waiting_approval" and len(seen) < 50:
            seen.add(report.pending[0].approval_id)
            clock.advance(seconds=(report.pending[0].expires_ns - clock.now_ns()) / 1e9 + 1)
            report = await world.resume(report)
        assert report.status == "incomplete"
        assert "'executor'" in report.because
        assert "CASEWRIGHT_BUDGET_DELEGATIONS" in report.because
        assert 1 < len(seen) < 40
        assert await world.outbox_rows() == 0


@pytest.mark.proves("C3")
@pytest.mark.parametrize("change", ["another amount", "evidence withdrawn"])
async def test_a_case_that_changed_after_the_proposal_is_not_acted_on(waiting: Waiting, change: str) -> None:
    home, report = waiting
    case = sample_cases()[CREDIT_CASE]
    fields: dict[str, Any] = {"evidence": []}
    if change == "another amount":
        fields = {"transactions": [item | {"amount_minor": 99} for item in case["transactions"]]}
    async with opened(home) as world:
        await world.vote(report, "selma")
        await world.add(changed(CREDIT_CASE, **fields))
        done = await world.resume(report)
        assert (done.status, done.receipt) == ("incomplete", None)
        assert "changed after the proposal" in done.because
        assert await world.outbox_rows() == 0


@pytest.mark.proves("E3")
async def test_a_cancelled_run_takes_its_approval_back_and_executes_nothing(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        cancelled = await world.runner.cancel("harborline", report.run_id, by="tomas")
        assert (cancelled.status, cancelled.because, cancelled.pending) == ("cancelled", "cancelled by tomas", ())
        assert cancelled.recommendation == report.recommendation
        with pytest.raises(DeniedError, match="revoked") as refused:
            await world.vote(report, "selma")
        assert refused.value.code == "approval_revoked"
        assert await world.resume(report) == cancelled
        with pytest.raises(ConflictError, match="has ended already"):
            await world.runner.cancel("harborline", report.run_id, by="tomas")
        assert await world.outbox_rows() == 0
        assert await world.audited("run.ended") == 1


async def test_a_run_of_another_tenant_looks_absent(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        with pytest.raises(NotFoundError, match="there is no run"):
            await world.runner.resume("millbrook", report.run_id)
        with pytest.raises(NotFoundError, match="there is no run"):
            await world.runner.cancel("millbrook", report.run_id, by="lena")


@pytest.mark.proves("E1")
async def test_a_question_is_not_resumed_as_if_it_were_a_review(home: Path) -> None:
    async with opened(home) as world:
        await world.records.begin("run-question", world.person("rosa"), "", kind="ask")
        with pytest.raises(NotFoundError, match="is no review"):
            await world.runner.resume("harborline", "run-question")
        with pytest.raises(NotFoundError, match="is no review"):
            await world.runner.cancel("harborline", "run-question", by="rosa")


@pytest.mark.proves("E3", "B2")
async def test_the_review_of_a_reviewer_who_was_removed_stops_before_its_effect(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        await world.vote(report, "selma")
    remove(home, "tomas")
    async with opened(home) as world:
        done = await world.runner.resume("harborline", report.run_id)
        assert (done.status, done.receipt) == ("incomplete", None)
        assert "'tomas'" in done.because
        assert await world.outbox_rows() == 0


@pytest.mark.proves("E3", "B2")
async def test_the_review_of_a_reviewer_who_lost_the_case_stops_before_its_effect(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        await world.vote(report, "selma")
        await world.add(changed(CREDIT_CASE, assigned_to=["rosa"]))
        done = await world.resume(report)
        assert (done.status, done.receipt) == ("incomplete", None)
        assert done.because
        assert await world.outbox_rows() == 0


def remove(home: Path, identity: str) -> None:
    """Take a person out of the identities of an installation."""
    path = home / "identities.json"
    known = load_identities(path)
    people = tuple(person for person in known.people if person.id != identity)
    save_identities(path, LocalIdentities(people=people, defaults=known.defaults))
