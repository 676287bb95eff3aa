"""Runs that ask a person: about a loop, and about what a case concerns; the answer in the store decides alone."""

from pathlib import Path

import pytest

from casewright.config import Budgets
from casewright.contracts.question import RunQuestion
from casewright.contracts.run import RunReport
from casewright.errors import ConflictError, InputError
from casewright.models.classification import ClassifyInput, ClassifyOutput, Topic
from casewright.models.offline import OfflineProvider
from casewright.models.provider import ModelReply, ModelRequest, NoReply
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, changed, opened

LOOPING_CASE = "HL-2026-0015"
"""It lacks an authentication log, which nobody adds here."""
ROOMY = Budgets(steps=100, tool_calls=600, delegations=20)
TENANT = "harborline"

pytestmark = pytest.mark.thorough


async def in_circles(world: World) -> RunReport:
    """A review that was told twice in a row something that changes nothing."""
    report = await world.start(LOOPING_CASE)
    for number in range(2):
        assert report.status == "waiting_information"
        report = await told_nothing(world, report, number)
    return report


async def told_nothing(world: World, report: RunReport, number: int) -> RunReport:
    await world.add(changed(LOOPING_CASE, issue=f"Unauthorized app purchases, told for the {number}. time"))
    return await world.resume(report)


async def answered(world: World, report: RunReport, value: str) -> RunQuestion:
    assert report.asked is not None
    questions, rosa = world.services.questions, world.person("rosa")
    return await questions.answer(TENANT, report.run_id, report.asked.question_id, value, by=rosa)


async def kinds(world: World, report: RunReport, prefix: str) -> list[str]:
    events = await world.services.audit.events(tenant=TENANT, run_id=report.run_id)
    return [event.kind for event in events if event.kind.startswith(prefix)]


@pytest.mark.proves("E6", "E3")
async def test_a_run_in_circles_shows_a_person_the_loop_and_waits(home: Path) -> None:
    async with opened(home, budgets=ROOMY) as world:
        report = await in_circles(world)
        assert (report.status, report.pending, report.receipt) == ("waiting_answer", (), None)
        asked = report.asked
        assert asked is not None
        assert (asked.kind, asked.state, asked.case_id) == ("loop", "open", LOOPING_CASE)
        assert [option.value for option in asked.options] == ["continue", "stop"]
        assert asked.detail["repeated"] == 2
        shown = asked.detail["loop"]
        repeated = [line for line in shown if line.startswith(f"{asked.detail['delegate']} ")]
        assert len(repeated) == 3
        assert repeated[0] == repeated[1] == repeated[2], "given the same, and the evidence was the same"
        before = await world.footprint()
        assert await world.resume(report) == report
        assert await world.start(LOOPING_CASE) == report
        assert await world.footprint() == before, "waiting for an answer costs nothing and records nothing"
        assert await kinds(world, report, "question.") == ["question.asked"]


@pytest.mark.proves("E6")
async def test_who_says_stop_ends_the_run_as_incomplete_with_their_name(home: Path) -> None:
    async with opened(home, budgets=ROOMY) as world:
        report = await in_circles(world)
        with pytest.raises(InputError):
            await answered(world, report, "pay everybody")
        await answered(world, report, "stop")
        ended = await world.resume(report)
        assert (ended.status, ended.asked, ended.receipt) == ("incomplete", None, None)
        assert ended.because == "rosa stopped it: drafter had found nothing new 2 times in a row"
        assert await kinds(world, report, "question.") == ["question.asked", "question.answered"]
        assert await world.outbox_rows() == 0


@pytest.mark.proves("E6", "E2")
async def test_continuing_gives_one_more_round_and_then_asks_again(home: Path) -> None:
    async with opened(home, budgets=ROOMY) as world:
        report = await in_circles(world)
        await answered(world, report, "continue")
        again = await world.resume(report)
        assert (again.status, again.asked) == ("waiting_information", None)
        assert again.steps[-3:] == ("ask_person", "heed", "verify")
        twice = await told_nothing(world, again, 7)
        thrice = await told_nothing(world, twice, 8) if twice.status == "waiting_information" else twice
        assert thrice.status == "waiting_answer"
        assert thrice.asked is not None
        assert thrice.asked.question_id != report.asked.question_id if report.asked else False
        with pytest.raises(ConflictError, match="answered already"):
            await answered(world, report, "stop")
        assert (await world.resume(thrice)).status == "waiting_answer", (
            "the old answer is no answer to the new question"
        )


async def test_a_cancelled_run_takes_its_question_back(home: Path) -> None:
    async with opened(home, budgets=ROOMY) as world:
        report = await in_circles(world)
        await world.runner.cancel(TENANT, report.run_id, by="rosa")
        with pytest.raises(ConflictError, match="withdrawn"):
            await answered(world, report, "continue")
        (question,) = await world.services.questions.of_run(TENANT, report.run_id)
        assert question.state == "withdrawn"


class Unsure(OfflineProvider):
    """The offline provider, but it cannot tell what a case is about until a person has said so."""

    def __init__(self) -> None:
        super().__init__()
        self.clarified: list[Topic | None] = []

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        reply = await super().complete(request)
        if not isinstance(request.input, ClassifyInput) or not isinstance(reply, ModelReply):
            return reply
        self.clarified.append(request.input.clarified)
        if request.input.clarified is not None:
            return reply
        told = ClassifyOutput.model_validate_json(reply.text)
        unsure = {"needs_clarification": True, "candidates": (Topic.TRANSFER_ERROR, Topic.DUPLICATE_CLAIM)}
        return ModelReply(text=told.model_copy(update=unsure).model_dump_json(), model=reply.model, usage=reply.usage)


@pytest.mark.proves("E3", "B3")
async def test_a_case_that_intake_cannot_place_is_clarified_by_a_person_and_goes_on(home: Path) -> None:
    provider = Unsure()
    async with opened(home, provider=provider) as world:
        report = await world.start(CREDIT_CASE)
        assert (report.status, report.steps) == ("waiting_answer", ("intake", "inquire"))
        asked = report.asked
        assert asked is not None
        assert asked.text == f"Intake cannot tell what case {CREDIT_CASE} is about. What does it concern?"
        assert [option.value for option in asked.options] == ["transfer_error", "duplicate_claim", "as_recorded"]
        await answered(world, report, "duplicate_claim")
        after = await world.resume(report)
        assert (after.status, after.run_id) == ("waiting_approval", report.run_id)
        assert after.steps[:5] == ("intake", "inquire", "ask_person", "heed", "intake")
        assert provider.clarified == [None, Topic.DUPLICATE_CLAIM]
        assert after.budget.spent.delegations["intake"] == 2


@pytest.mark.proves("E3")
async def test_a_case_that_is_as_it_was_recorded_goes_on_without_asking_the_model_again(home: Path) -> None:
    provider = Unsure()
    async with opened(home, provider=provider) as world:
        report = await world.start(CREDIT_CASE)
        await answered(world, report, "as_recorded")
        after = await world.resume(report)
        assert (after.status, provider.clarified) == ("waiting_approval", [None])


@pytest.mark.proves("E2")
async def test_a_question_that_the_steps_do_not_reach_ends_the_run_and_names_the_budget(home: Path) -> None:
    async with opened(home, provider=Unsure(), budgets=Budgets(steps=3)) as world:
        report = await world.start(CREDIT_CASE)
        await answered(world, report, "as_recorded")
        after = await world.resume(report)
        assert after.status == "incomplete"
        assert "CASEWRIGHT_BUDGET_STEPS" in after.because
