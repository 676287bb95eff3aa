"""What a review spends of tokens, money, agents and time: counted from the records, also of steps that failed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer

from casewright.audit.meter import COUNTED
from casewright.config import Budgets
from casewright.contracts.principal import ServerName
from casewright.contracts.run import RunReport
from casewright.errors import UnavailableError
from casewright.models.offline import OfflineProvider
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Usage
from commands.orchestrator import build_desk, build_pins, build_records
from graphs.connections import Connections
from graphs.runner import ReviewRunner
from servers.build import ServerFactory
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, opened

pytestmark = pytest.mark.thorough
TENANT = "harborline"
EACH = Usage(input_tokens=900, output_tokens=100)
TASKS = 3
"""Model calls of one review: intake, research, draft."""
DEAREST_EACH = (900 * 15_000_000 + 100 * 75_000_000) // 1_000_000


class Costly:
    """The offline provider under the name of a model without a price, and with tokens."""

    def __init__(self, *, before: Callable[[ModelRequest], Awaitable[None]] | None = None) -> None:
        self._honest = OfflineProvider()
        self._before = before

    @property
    def name(self) -> str:
        return self._honest.name

    @property
    def model(self) -> str:
        return "unheard-of-model"

    @property
    def capabilities(self) -> Capabilities:
        return self._honest.capabilities

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        if self._before is not None:
            await self._before(request)
        reply = await self._honest.complete(request)
        return ModelReply(text=reply.text, model=self.model, usage=EACH) if isinstance(reply, ModelReply) else reply

    async def aclose(self) -> None:
        return None


async def calls_audited(world: World, report: RunReport) -> int:
    events = await world.services.audit.events(tenant=TENANT, run_id=report.run_id)
    return sum(event.kind in COUNTED for event in events)


@pytest.mark.proves("E2", "F5")
async def test_a_review_reports_tokens_money_calls_and_agents_as_the_audit_has_them(home: Path) -> None:
    async with opened(home, provider=Costly()) as world:
        report = await world.start(CREDIT_CASE)
        spent = report.budget.spent
        assert (report.status, report.budget.currency) == ("waiting_approval", "USD")
        assert (spent.tokens, spent.cost_micro) == (TASKS * EACH.total_tokens, TASKS * DEAREST_EACH)
        assert spent.tool_calls == await calls_audited(world, report)
        assert spent.delegations == {
            "intake": 1,
            "facts_analyst": 1,
            "evidence_checker": 1,
            "policy_researcher": 1,
            "drafter": 1,
            "verifier": 1,
            "executor": 1,
        }
        standing = await world.services.standing.read(TENANT, report.run_id)
        assert standing.calls == spent.tool_calls, "the policy's own budget counts the same calls"


@pytest.mark.proves("E2")
@pytest.mark.parametrize(
    ("budgets", "named", "tasks"),
    [
        (Budgets(tokens=1_500), "its 1500 tokens (CASEWRIGHT_BUDGET_TOKENS)", 2),
        (Budgets(tokens=1), "its 1 tokens (CASEWRIGHT_BUDGET_TOKENS)", 1),
        (Budgets(cost_micro=DEAREST_EACH), "(CASEWRIGHT_BUDGET_COST_MICRO)", 1),
    ],
    ids=str,
)
async def test_spent_tokens_or_money_end_the_review_and_name_the_budget(
    home: Path, budgets: Budgets, named: str, tasks: int
) -> None:
    async with opened(home, provider=Costly(), budgets=budgets) as world:
        report = await world.start(CREDIT_CASE)
        assert report.status == "incomplete"
        assert named in report.because
        assert report.budget.spent.tokens == tasks * EACH.total_tokens, "no model was asked after that"
        assert (report.pending, await world.outbox_rows()) == ((), 0)


@pytest.mark.proves("E2", "E4")
async def test_what_a_step_spent_before_it_failed_is_counted_when_the_run_goes_on(home: Path) -> None:
    failing = [True]

    async def once(request: ModelRequest) -> None:
        if request.task == "draft.recommendation" and failing:
            failing.clear()
            raise UnavailableError("the disk is away for a moment")

    async with opened(home, provider=Costly(before=once)) as world:
        with pytest.raises(UnavailableError):
            await world.start(CREDIT_CASE)
        assert not failing, "the step did not fail; the test proves nothing"
        report = await world.start(CREDIT_CASE)
        assert report.status == "waiting_approval"
        (failed,) = await world.records.events(report.run_id, kind="step_failed")
        assert (failed.body["node"], failed.body["error"]) == ("drafter", "UnavailableError")
        assert report.steps.count("drafter") == 1
        assert report.budget.spent.steps == len(report.steps) + 1
        assert report.budget.spent.tool_calls == await calls_audited(world, report)
        timed = await world.records.events(report.run_id, kind="step")
        milliseconds = sum(event.body["milliseconds"] for event in (*timed, failed))
        assert report.budget.spent.wall_clock_ms == milliseconds


@pytest.mark.proves("E2")
async def test_a_step_whose_model_never_answers_is_given_up_in_time(home: Path) -> None:
    async def stalls(request: ModelRequest) -> None:
        await asyncio.Event().wait()

    async with opened(home, provider=Costly(before=stalls), budgets=Budgets(step_seconds=1)) as world:
        async with asyncio.timeout(30):
            report = await world.start(CREDIT_CASE)
        assert (report.status, report.pending) == ("incomplete", ())
        assert report.because == "intake was given up: one step may take 1 seconds (CASEWRIGHT_BUDGET_STEP_SECONDS)"


STEPS = ("intake", "facts_analyst", "evidence_checker", "policy_researcher", "drafter")


def stalling_runner(world: World, stalled: ServerName) -> ReviewRunner:
    """A runner for which one server takes every call and never answers."""
    factory = ServerFactory(world.services)

    async def never(ctx: Any, call_next: Any) -> Any:
        if ctx.method == "tools/call":
            await asyncio.Event().wait()
        return await call_next(ctx)

    def connect(server: ServerName, token: str) -> MCPServer[Any]:
        built = factory.build(server, token)
        if server == stalled:
            built.middleware.insert(0, never)
        return built

    connections = Connections(world.services.exchange, connect, build_pins(world.services))
    desk = replace(build_desk(world.services, world.gateway), connections=connections)
    return ReviewRunner(world.services, desk, build_records(world.services))


@pytest.mark.timeout(500)
@pytest.mark.proves("E1", "E2")
@pytest.mark.parametrize(
    ("stalled", "step"), [("case-facts", "intake"), ("policy-search", "policy_researcher"), ("drafting", "drafter")]
)
async def test_a_server_that_stalls_ends_the_review_in_time_with_the_step_named(
    home: Path, stalled: ServerName, step: str
) -> None:
    told = ""
    for seconds in (4, 12, 36):  # to the steps before it a busy machine may have to give more time
        async with opened(home, budgets=Budgets(step_seconds=seconds)) as world:
            runner = stalling_runner(world, stalled)
            async with asyncio.timeout(5 * seconds + 60):
                report = await runner.start(world.person("rosa"), "HL-2026-0001", fresh=True)
            assert (report.status, report.pending) == ("incomplete", ())
            assert await world.outbox_rows() == 0
        told = f" was given up: one step may take {seconds} seconds (CASEWRIGHT_BUDGET_STEP_SECONDS)"
        named = report.because.removesuffix(told)
        if named == step:
            break
        assert named in STEPS[: STEPS.index(step)], report.because
    assert report.because == step + told
