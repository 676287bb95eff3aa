"""Who waits for a review looks at it now and then: many may wait at once."""

from collections.abc import Sequence

import pytest

from commands.review_requests import ReviewRequests
from graphs.records import RunEvent
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
