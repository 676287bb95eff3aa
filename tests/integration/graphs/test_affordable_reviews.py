"""Reviews whose next model call could cost too much: it is not made, and the review ends with the budget named."""

from pathlib import Path

import pytest

from casewright.config import Budgets, app_root
from casewright.models.cassette import CassetteLayer
from casewright.models.gateway import Gateway
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Usage
from casewright.services import Services
from commands.orchestrator import AuditRecorder, build_budget, build_permission, build_question_driver, build_runner
from graphs.inquiries import Inquiries, Inquiry
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, opened

pytestmark = pytest.mark.thorough
EACH = Usage(input_tokens=900, output_tokens=100)


class Paid:
    """The offline rules as a model behind a wire, with tokens and a price."""

    def __init__(self) -> None:
        self._rules = OfflineProvider()
        self.asked: list[str] = []

    @property
    def name(self) -> str:
        return "offline"

    @property
    def model(self) -> str:
        return "claude-sonnet-5"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(structured_output=True, leaves_process=True, region="us")

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.asked.append(request.task)
        reply = await self._rules.complete(request)
        return ModelReply(text=reply.text, model=self.model, usage=EACH) if isinstance(reply, ModelReply) else reply

    async def aclose(self) -> None:
        return None


def paying(services: Services, model: Paid) -> Gateway:
    """A gateway whose only model is paid from the budgets of the product."""
    layers = (build_budget(services), CassetteLayer(services.contents))
    return Gateway(
        [model],
        PromptLibrary(app_root() / "agents" / "prompts"),
        AuditRecorder(services),
        permission=build_permission(services),
        layers=layers,
    )


async def reviewed(world: World, model: Paid) -> tuple[str, str]:
    runner = build_runner(world.services, paying(world.services, model))
    report = await runner.start(world.person("tomas"), CREDIT_CASE)
    assert report.budget.spent.cost_micro == len(model.asked) * (900 * 2 + 100 * 10)
    return report.status, report.because


@pytest.mark.proves("E2", "F5")
async def test_a_review_ends_before_the_call_that_its_budget_could_not_pay(home: Path) -> None:
    model = Paid()
    async with opened(home, budgets=Budgets(cost_micro=60_000)) as world:
        status, because = await reviewed(world, model)
    assert status == "incomplete" and model.asked == ["intake.classify"]
    assert "millionths of a USD" in because and "57200 are left to the run (CASEWRIGHT_BUDGET_COST_MICRO)" in because


@pytest.mark.proves("F5")
async def test_a_review_ends_before_the_call_that_its_tenants_limit_has_no_room_for(home: Path) -> None:
    (home / "spending.toml").write_text('currency = "USD"\n[tenant.harborline]\ndaily = 1000\n')
    model = Paid()
    async with opened(home) as world:
        status, because = await reviewed(world, model)
    assert (status, model.asked) == ("incomplete", [])
    assert "1000 of this day's 1000 are left to tenant 'harborline' (spending.toml)" in because


@pytest.mark.proves("F5", "F8")
async def test_a_review_that_can_be_paid_goes_on_and_each_call_is_recorded_with_its_estimate(home: Path) -> None:
    model = Paid()
    async with opened(home) as world:
        status, _ = await reviewed(world, model)
        events = await world.services.audit.events(tenant="harborline")
    called = [event.body for event in events if event.kind == "model.called"]
    assert (status, len(called)) == ("waiting_approval", 3)
    assert all(body["estimated_cost_micro"] > body["cost_micro"] == 2_800 for body in called)
    assert all(len(body["cassettes"]) == 1 and body["priced"] for body in called)


@pytest.mark.proves("F5")
async def test_a_question_that_cannot_be_paid_ends_at_once_as_incomplete_and_is_not_tried_again(home: Path) -> None:
    model = Paid()
    async with opened(home, budgets=Budgets(tokens=100)) as world:
        asked = Inquiry(question="When must a provisional credit be issued?", as_of="2026-11-06")
        await Inquiries(world.services, world.records).begin(world.person("rosa"), asked, run_id="ask-1")
        driver = build_question_driver(world.services, paying(world.services, model))
        change = await driver.resume("harborline", "ask-1")
        row = await world.records.get("harborline", "ask-1")
        ended = await world.services.audit.events(tenant="harborline", run_id="ask-1")
    assert (change.status, row.status, row.not_before_ns, model.asked) == ("incomplete", "incomplete", 0, [])
    assert "100 are left to the run (CASEWRIGHT_BUDGET_TOKENS)" in change.because
    assert [event.kind for event in ended][-1] == "run.ended"
