"""Which runs the one query finds, state by state; the clock may be set forward and back."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from casewright.clock import NANOSECONDS, ManualClock
from casewright.contracts.question import Option, RunQuestion
from casewright.contracts.run import RunStatus
from casewright.storage.run_tables import runs
from graphs.due import due_runs, is_due
from graphs.records import NewRun
from tests.integration.graphs.reviews import World, changed, opened
from tests.support.installation import NOW_NS

CASE = "HL-2026-0012"
SECOND = NANOSECONDS


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


async def placed(world: World, status: RunStatus, **values: Any) -> bool:
    """Whether a run that stands like this can go on."""
    new = NewRun(run_id=f"run-{status}-{abs(hash(tuple(values.items())))}", case_id=CASE, kind="review", status=status)
    async with world.services.database.write() as connection:
        await world.records.add(new, world.person("tomas"), connection=connection)
        if values:
            await connection.execute(update(runs).where(runs.c.run_id == new.run_id).values(**values))
    now_ns = world.services.clock.now_ns()
    found = [run.run_id for run in await due_runs(world.services.database, now_ns, limit=100)]
    assert (new.run_id in found) == await is_due(world.services.database, now_ns, new.run_id)
    return new.run_id in found


@pytest.mark.proves("E4")
async def test_a_run_is_found_when_something_can_be_done_for_it_and_only_then(home: Path, clock: ManualClock) -> None:
    async with opened(home, clock=clock) as world:
        assert await placed(world, "queued")
        assert await placed(world, "running"), "its holder may have died; the lease tells"
        assert await placed(world, "queued", not_before_ns=NOW_NS)
        assert not await placed(world, "queued", not_before_ns=NOW_NS + SECOND)
        assert not await placed(world, "paused")
        assert await placed(world, "paused", wanted="cancel")
        assert not await placed(world, "failed")
        assert await placed(world, "failed", wanted="cancel")
        for ended in ("completed", "incomplete", "cancelled"):
            assert not await placed(world, ended, wanted="cancel"), ended


@pytest.mark.proves("E4")
async def test_a_run_that_is_to_be_tried_again_is_found_also_when_the_clock_was_set_back(
    home: Path, clock: ManualClock
) -> None:
    async with opened(home, clock=clock) as world:
        assert not await placed(world, "queued", not_before_ns=NOW_NS + 5 * SECOND)
        clock.advance(seconds=-3600)
        assert await placed(world, "queued", not_before_ns=NOW_NS + 5 * SECOND, attempts=1)


@pytest.mark.proves("E3")
async def test_a_run_that_waits_for_information_is_found_when_its_case_has_another_revision(
    home: Path, clock: ManualClock
) -> None:
    async with opened(home, clock=clock) as world:
        assert not await placed(world, "waiting_information", waiting_revision=1)
        await world.add(changed(CASE, title="Another title"))
        assert await placed(world, "waiting_information", waiting_revision=1, attempts=1)
        assert not await placed(world, "waiting_information", waiting_revision=2)


@pytest.mark.proves("E3")
async def test_a_run_that_asks_is_found_when_its_question_is_no_longer_open(home: Path, clock: ManualClock) -> None:
    async with opened(home, clock=clock) as world:
        assert not await placed(world, "paused", waiting_for="q-1")
        async with world.services.database.write() as connection:
            await world.records.add(
                NewRun(run_id="run-1", case_id=CASE, kind="review"), world.person("tomas"), connection=connection
            )
            await world.services.questions.ask(question(), connection=connection)
        assert not await placed(world, "waiting_answer", waiting_for="q-1")
        await world.services.questions.answer("harborline", "run-1", "q-1", "stop", by=world.person("tomas"))
        assert await placed(world, "waiting_answer", waiting_for="q-1", attempts=1)


def question() -> RunQuestion:
    return RunQuestion(
        question_id="q-1",
        tenant="harborline",
        run_id="run-1",
        case_id=CASE,
        kind="loop",
        text="Go on?",
        options=(Option(value="continue", text="Yes."), Option(value="stop", text="No.")),
        detail={},
        state="open",
        created_ns=0,
        answer="",
        answered_by="",
        answered_ns=0,
    )
