"""Gateways of releases: one for each, and only idle ones are let go."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from casewright.models.following import MOST_KEPT, FollowingGateway
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.releases.following import InForce

NONE: Any = None


class Held(Gateway):
    """Answers when it may, and says when it is asked after it was let go."""

    def __init__(self, may_end: anyio.Event) -> None:
        self._may_end = may_end
        self.closed = 0

    async def run(self, task: Any, value: Any, *, context: CallContext, listener: Any = None) -> Any:
        assert not self.closed, "asked after it was let go"
        await self._may_end.wait()
        assert not self.closed, "let go while it answered"

    async def aclose(self) -> None:
        self.closed += 1
        await anyio.lowlevel.checkpoint()


@pytest.mark.proves("H3")
async def test_gateways_of_many_releases_that_end_at_once_are_let_go_once_each_and_never_at_work() -> None:
    made: list[Held] = []
    together, alone = anyio.Event(), anyio.Event()

    def build(found: InForce) -> Held:
        made.append(Held(alone if found.release_id == "7" else together))
        return made[-1]

    def chosen(run_id: str) -> InForce:
        here = Path()
        return InForce(
            release_id=run_id, policies=here, policy_revision="", prompts=here, models=None, index_version=""
        )

    following = FollowingGateway(chosen, build)
    async with anyio.create_task_group() as group:
        for number in range(8):
            context = CallContext(run_id=str(number), case_id="", tenant="t", agent="a")
            group.start_soon(lambda context=context: following.run(NONE, NONE, context=context))
        await anyio.wait_all_tasks_blocked()
        together.set()
        await anyio.wait_all_tasks_blocked()
        assert sum(one.closed for one in made) == len(made) - MOST_KEPT
        assert not made[-1].closed
        alone.set()
    await following.aclose()
    assert [one.closed for one in made] == [1] * len(made)
