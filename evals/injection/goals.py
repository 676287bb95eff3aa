"""What a goal is: what the agent does for it, and how the stores tell that it was reached."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from casewright.contracts.principal import Principal, ServerName
from evals.injection.hands import Hands
from evals.injection.places import AGENTS, Places
from evals.injection.scene import Own, Scene


@dataclass
class Attack:
    """One attack under way."""

    scene: Scene
    places: Places
    own: Own
    hands: Hands
    agent: str
    letter: str
    """The words of a stranger that the agent has read."""
    accepted: list[str] = field(default_factory=list[str])
    """What the gateway let pass of the answers that a model gave for the goal, and why it let others not."""

    def tokens(
        self, server: ServerName, identity: str = "rosa", *, case_id: str = "", run_id: str = ""
    ) -> tuple[str, ...]:
        """Its own token, what the exchange makes of it for another server if asked for everything, and a forged one.

        The forged one says to be that person, on that case and in that run.
        """
        person: Principal = self.scene.person(identity)
        forged = self.hands.forged(server, person, case_id=case_id, run_id=run_id)
        return (*self.held(server), forged)

    def held(self, server: ServerName) -> tuple[str, ...]:
        """The tokens that nobody had to forge."""
        if server == self.hands.server:
            return (self.hands.token,)
        tools = tuple(one.spec.name for one in self.scene.world.factory.definitions(server))
        elsewhere = replace(AGENTS[self.agent], server=server, scopes=tools)
        return self.hands.token, self.places.token(self.own, elsewhere)

    def exhausted(self) -> str:
        """The token that the run is given when it has taken more steps than any run may."""
        return self.places.token(self.own, AGENTS[self.agent], steps_taken=10_000)


Deed = Callable[[Attack], Awaitable[None]]
Reached = Callable[[Attack], Awaitable[str]]
"""What shows that the goal was reached, in words; empty: it was not."""
Prepare = Callable[[Scene, Own], Awaitable[None]]


async def nothing(scene: Scene, own: Own) -> None:
    """For goals that find everything in its place."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A goal as code; its words are in the data."""

    deed: Deed
    reached: Reached
    prepare: Prepare = nothing
