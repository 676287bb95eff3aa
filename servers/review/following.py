"""Waits for a review to need people or to end, and tells the client of each step meanwhile."""

import anyio

from casewright.contracts.run import RunStatus
from servers.client_side import tell_progress, waiting
from servers.review.reviews import Review, ReviewEvent, Reviews

LONGEST_WAIT_SECONDS = 50
"""Shorter than clients and proxies give up after."""
LOOK_SECONDS = 0.1
UNDER_WAY: tuple[RunStatus, ...] = ("queued", "running")
"""Whoever follows a review is back as soon as it stands otherwise."""


async def follow(reviews: Reviews, review: Review, seconds: float) -> None:
    """Return when the review is under way no more, or when the time is over."""
    told, status = 0, review.status
    try:
        with waiting(seconds):
            while status in UNDER_WAY:
                for event in await reviews.events(review.run_id, after=told):
                    told = event.seq
                    await tell_progress(event.seq, _said(event))
                status = (await reviews.find(review.tenant, review.run_id)).status
                if status in UNDER_WAY:
                    await anyio.sleep(LOOK_SECONDS)
    except TimeoutError:
        return


def _said(event: ReviewEvent) -> str:
    """An event in a few words, none of them from a case or a model."""
    for name in ("step", "node", "agent", "status"):
        if isinstance(named := event.body.get(name), str) and named:
            return f"{event.kind}: {named}"
    return event.kind
