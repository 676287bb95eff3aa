"""Who waits for a review looks at it now and then: many may wait at once."""

from collections.abc import Sequence

import pytest

from commands.orchestrator import build_records
from commands.review_requests import ReviewRequests
from graphs.records import RunEvent
from graphs.requests import RunRequests
from servers.review import following
from servers.review.reviews import Review
from tests.support.installation import CASE, World


@pytest.mark.thorough
@pytest.mark.proves("I5")
async def test_a_review_of_which_nothing_is_new_is_looked_at_ever_less_often(world: World) -> None:
    requests = ReviewRequests(world.services)
    run = await requests.start(world.services.identities.find("rosa"), CASE, fresh=True)
    looks: list[int] = []

    class Counted(ReviewRequests):
        async def events(self, run_id: str, *, after: int) -> Sequence[RunEvent]:
            found = await super().events(run_id, after=after)
            looks.append(len(found))
            return found

    async def look() -> Review:
        return await requests.find(run.tenant, run.run_id)

    await following.follow(Counted(world.services), run, 2, look)
    assert looks[0] > 0, "what happened before is told at once"
    assert 2 <= len(looks) <= 9, looks


@pytest.mark.thorough
@pytest.mark.proves("I5")
async def test_what_happens_between_two_looks_is_told_although_the_review_has_come_to_stand(world: World) -> None:
    requests = ReviewRequests(world.services)
    rosa = world.services.identities.find("rosa")
    run = await requests.start(rosa, CASE, fresh=True)
    steering = RunRequests(world.services, build_records(world.services), world.services.questions)
    told: list[str] = []

    class Remembered(ReviewRequests):
        async def events(self, run_id: str, *, after: int) -> Sequence[RunEvent]:
            found = await super().events(run_id, after=after)
            told.extend(event.kind for event in found)
            return found

    async def look() -> Review:
        if told:  # it is cancelled after what had happened was read, and right before it is looked at
            await steering.cancel(rosa, run.run_id, why="")
        return await requests.find(run.tenant, run.run_id)

    await following.follow(Remembered(world.services), run, 5, look)
    recorded = [event.kind for event in await requests.events(run.run_id, after=0)]
    assert (await requests.find(run.tenant, run.run_id)).status == "cancelled"
    assert told == recorded
