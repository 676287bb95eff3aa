"""A gateway whose prompts and models follow the release in force, run by run and without a restart.

For every release that a call belongs to there is one gateway, made when it is first asked. It decides nothing about
releases: whoever builds it says which one a run goes on with.
"""

from collections.abc import Callable

from casewright.models.gateway import Gateway, TaskResult
from casewright.models.layer import CallContext
from casewright.models.provider import TextListener
from casewright.models.task import InputT, OutputT, Task
from casewright.releases.following import InForce

MOST_KEPT = 4
"""Gateways of releases that are kept ready; the one that was made first goes when its calls have ended."""


class FollowingGateway(Gateway):
    """Asks through the gateway of the release that the call's run goes on with."""

    def __init__(self, chosen: Callable[[str], InForce], build: Callable[[InForce], Gateway]) -> None:
        """Build the gateway of what is in force now, so that what is wrong with it is said at once.

        Args:
            chosen: what a run goes on with, by its id; of no run, what is in force.
            build: a gateway over the files of a release.

        Raises:
            InputError: the models file or a prompt is wrong.
        """
        self._chosen = chosen
        self._build = build
        self._made: dict[str, Gateway] = {}
        self._at_work: dict[str, int] = {}
        self._of(chosen(""))

    async def run(
        self,
        task: Task[InputT, OutputT],
        value: InputT,
        *,
        context: CallContext,
        listener: TextListener | None = None,
    ) -> TaskResult[OutputT]:
        """See `Gateway.run`."""
        found = self._chosen(context.run_id)
        name, gateway = found.release_id, self._of(found)
        self._at_work[name] = self._at_work.get(name, 0) + 1
        try:
            return await gateway.run(task, value, context=context, listener=listener)
        finally:
            self._at_work[name] -= 1
            await self._let_go(kept=name)

    async def aclose(self) -> None:
        """Let go of all providers' connections."""
        for gateway in self._made.values():
            await gateway.aclose()
        self._made.clear()

    def _of(self, found: InForce) -> Gateway:
        gateway = self._made.get(found.release_id)
        if gateway is None:
            gateway = self._made[found.release_id] = self._build(found)
        return gateway

    async def _let_go(self, *, kept: str) -> None:
        while len(self._made) > MOST_KEPT:  # looked at anew each time: others come and go while one is closed
            idle = next((name for name in self._made if name != kept and not self._at_work.get(name)), None)
            if idle is None:
                return
            await self._made.pop(idle).aclose()
