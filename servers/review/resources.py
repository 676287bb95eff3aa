"""Resources of the review server: reviews, to be subscribed to, and their explanations."""

from collections.abc import Mapping
from typing import Any

from casewright.contracts.principal import Caller
from servers.entry_spec import ResourceSpec, renamed
from servers.review.reviews import Reviews


class ReviewResources:
    """Bound to the reviews, which say whether something changed."""

    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews

    def specs(self) -> tuple[ResourceSpec, ...]:
        return (
            ResourceSpec(
                uri="run://{run}",
                name="review",
                title="A review",
                description=(
                    "How a review stands, its latest report and what comes next. `run` is completed. Subscribe to "
                    "hear of every step."
                ),
                asks="get_review",
                arguments=renamed(run_id="run"),
                stamp=self._stamp,
            ),
            ResourceSpec(
                uri="run://{run}/explain",
                name="explanation",
                title="The explanation of a review",
                description=(
                    "What was answered, why, from what, under what permission, and how one would know if it was "
                    "wrong. Every statement names the events that it stands on."
                ),
                asks="explain_review",
                arguments=renamed(run_id="run"),
                stamp=self._stamp,
            ),
        )

    async def _stamp(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        found = await self._reviews.find(caller.principal.tenant, arguments["run_id"])
        return f"{found.status} {found.updated_ns}"
