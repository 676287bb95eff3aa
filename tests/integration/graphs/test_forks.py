"""A fork driven to its end: it begins where it was told, has spent what its parent had, and nothing is decided."""

from pathlib import Path

import pytest

from casewright.config import Budgets
from casewright.contracts.run import RunReport
from graphs.requests import RunRequests
from tests.integration.graphs.reviews import World, opened

pytestmark = pytest.mark.thorough
TENANT = "harborline"
BEFORE_DRAFTING = ("drafter", "verify", "propose")


async def forked(world: World, report: RunReport, *, at: str = "") -> RunReport:
    """The fork of a run, driven until it waits or ends."""
    requests = RunRequests(world.services, world.records, world.services.questions)
    row = await requests.fork(world.person("tomas"), report.run_id, at=at)
    return await world.runner.resume(TENANT, row.run_id)


@pytest.mark.proves("E5", "E2", "C3")
async def test_a_fork_at_the_draft_writes_its_own_draft_and_asks_for_its_own_approval(
    waiting: tuple[Path, RunReport],
) -> None:
    home, parent = waiting
    async with opened(home) as world:
        await world.vote(parent, "selma")
        fork = await forked(world, parent, at="drafter")
        assert (fork.status, fork.steps) == ("waiting_approval", BEFORE_DRAFTING)
        assert fork.draft_id != parent.draft_id
        assert fork.pending[0].approval_id != parent.pending[0].approval_id
        assert fork.pending[0].state == "pending", "the parent's approval is the parent's"
        before, spent = parent.budget.spent, fork.budget.spent
        assert spent.steps == before.steps + len(BEFORE_DRAFTING)
        assert spent.tool_calls > before.tool_calls
        assert spent.delegations["drafter"] == 2
        assert spent.delegations["intake"] == 1
        standing = await world.services.standing.read(TENANT, fork.run_id)
        assert standing.calls == spent.tool_calls, "the policy's budget counts what the parent called"
        assert standing.untrusted == (await world.services.standing.read(TENANT, parent.run_id)).untrusted
        assert (await world.services.audit.verify()).ok, "a fork begins with its parent's calls, which nobody changed"
        assert await world.outbox_rows() == 0


@pytest.mark.proves("E5", "E2")
async def test_a_fork_of_a_run_with_little_left_ends_where_the_run_would_have(
    waiting: tuple[Path, RunReport],
) -> None:
    home, parent = waiting
    spent = parent.budget.spent
    async with opened(home, budgets=Budgets(tool_calls=spent.tool_calls + 1)) as world:
        fork = await forked(world, parent)
        assert fork.status == "incomplete"
        assert "CASEWRIGHT_BUDGET_TOOL_CALLS" in fork.because
        assert fork.budget.spent.tool_calls == spent.tool_calls + 1
        again = await forked(world, fork, at="drafter")
        assert (again.status, again.budget.spent.tool_calls) == ("incomplete", spent.tool_calls + 1)
