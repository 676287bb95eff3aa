"""Waits for a review to need people or to end, and tells the client of each step meanwhile."""

from collections.abc import Awaitable, Callable

import anyio

from casewright.contracts.run import RunStatus
from servers.client_side import tell_progress, waiting
from servers.review.reviews import Review, ReviewEvent, Reviews

LONGEST_WAIT_SECONDS = 50
"""Shorter than clients and proxies give up after."""
LOOK_SECONDS = 0.1
LONGEST_LOOK_SECONDS = 0.5
"""Between two looks at a review of which nothing is new: many may wait at once, and each look reads the database."""
UNDER_WAY: tuple[RunStatus, ...] = ("queued", "running")
"""Whoever follows a review is back as soon as it stands otherwise."""


async def follow(reviews: Reviews, run: Review, seconds: float, look: Callable[[], Awaitable[Review]]) -> None:
    """Return when the run is under way no more, or when the time is over.

    Args:
        look: the run as it stands now.
    """
    told, status, pause = 0, run.status, LOOK_SECONDS
    try:
        with waiting(seconds):
            while status in UNDER_WAY:
                pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)
                status = (await look()).status  # before its events, or the last ones would be told to nobody
                for event in await reviews.events(run.run_id, after=told):
                    told, pause = event.seq, LOOK_SECONDS
                    await tell_progress(event.seq, _said(event))
                if status in UNDER_WAY:
                    await anyio.sleep(pause)
    except TimeoutError:
        return


def _said(event: ReviewEvent) -> str:
    """An event in a few words, none of them from a case or a model."""
    for name in ("step", "node", "agent", "status"):
        if isinstance(named := event.body.get(name), str) and named:
            return f"{event.kind}: {named}"
    return event.kind
