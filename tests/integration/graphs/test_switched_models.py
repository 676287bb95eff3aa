"""A model switched off in the middle of a review: the next call is refused, and the review ends without a draft."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from casewright.audit.log import AuditLog
from casewright.controls.reviewed import ReviewedData
from casewright.models.offline import OfflineProvider
from casewright.models.provider import ModelReply, ModelRequest, NoReply
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, opened

LAST_BEFORE_THE_DRAFT = "research.select"


class Interrupted(OfflineProvider):
    """The offline provider; after its answer to one task something happens, once."""

    def __init__(self, task: str) -> None:
        super().__init__()
        self._task = task
        self.then: Callable[[], Awaitable[None]] | None = None
        self.asked: list[str] = []

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.asked.append(request.task)
        reply = await super().complete(request)
        if request.task == self._task and self.then is not None:
            happens, self.then = self.then, None
            await happens()
        return reply


async def switch(world: World, value: str, *, by: str = "selma") -> None:
    await world.services.controls.set(
        "switches.models",
        value,
        principal=world.person(by),
        why="it invents clauses",
        reviewed=ReviewedData.read(world.services.settings.policies),
    )


async def model_calls(audit: AuditLog, run_id: str) -> list[tuple[object, object]]:
    """Task and outcome of every model call of a run, as the audit has them."""
    events = await audit.events(tenant="harborline", run_id=run_id)
    return [(event.body["task"], event.body["outcome"]) for event in events if event.kind == "model.called"]


@pytest.mark.thorough
@pytest.mark.proves("D6", "E2")
@pytest.mark.parametrize("name", ["offline/extractive", "offline"])
async def test_a_model_switched_off_in_the_middle_of_a_review_writes_no_draft_until_it_is_back(
    home: Path, name: str
) -> None:
    provider = Interrupted(LAST_BEFORE_THE_DRAFT)
    async with opened(home, provider=provider) as world:
        provider.then = lambda: switch(world, f"+{name}")
        report = await world.start(CREDIT_CASE)
        assert provider.then is None, "the switch was not thrown; the test proves nothing"
        assert report.status == "incomplete"
        assert "the model 'offline/extractive' is switched off" in report.because
        assert (report.draft_id, report.recommendation, report.pending, report.receipt) == ("", None, (), None)
        assert provider.asked == ["intake.classify", LAST_BEFORE_THE_DRAFT]
        calls = await model_calls(world.services.audit, report.run_id)
        assert calls[:2] == [("intake.classify", "answered"), (LAST_BEFORE_THE_DRAFT, "answered")]
        assert [outcome for _, outcome in calls[2:]] == ["failed"]
        assert await world.audited("draft.saved") == 0
        assert await world.resume(report) == report

        await switch(world, f"-{name}")
        again = await world.start(CREDIT_CASE)
        assert (again.status, again.run_id == report.run_id) == ("waiting_approval", False)
        assert again.draft_id


@pytest.mark.thorough
@pytest.mark.proves("D6")
async def test_a_model_that_another_tenant_switched_off_goes_on_for_this_one(home: Path) -> None:
    provider = Interrupted("intake.classify")
    async with opened(home, provider=provider) as world:
        provider.then = lambda: switch(world, "+offline", by="marc")
        report = await world.start(CREDIT_CASE)
        assert (report.status, provider.then) == ("waiting_approval", None)
