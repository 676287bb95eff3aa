"""A run that is taken over from a process that died says so, for whoever explains it later."""

from pathlib import Path

import pytest

from casewright.contracts.run import RunReport
from graphs.explanation.explain import explain_run
from tests.integration.graphs.reviews import opened

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]  # the first one makes and reviews an installation


@pytest.mark.proves("G2")
@pytest.mark.parametrize("died", [True, False])
async def test_a_takeover_is_noted_and_explained_and_an_ordinary_wake_up_is_not(
    waiting: tuple[Path, RunReport], died: bool
) -> None:
    folder, report = waiting
    async with opened(folder) as world:
        await world.vote(report, "selma")
        if died:  # it had been woken, and nobody drives it now
            await world.records.mark(report.run_id, "running")
        done = await world.resume(report)
        assert done.status == "completed"
        tenant = world.tenant(report)
        row = await world.records.get(tenant, report.run_id)
        explained = await explain_run(world.services, world.records, row)
        noted = [event.seq for event in await world.records.events(report.run_id, kind="taken_over")]
        assert len(noted) == (1 if died else 0)
        told = [statement.events for statement in explained.course if "taken over" in statement.text]
        assert told == [(f"run:{seq}",) for seq in noted]
