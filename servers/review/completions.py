"""Completes the ids of reviews: only those that the caller may read."""

from collections.abc import Sequence

from servers.entry_spec import CompleterSpec, Given
from servers.review.tools import ReviewTools


class ReviewCompletions:
    """Bound to the tool that shows the same values."""

    def __init__(self, tools: ReviewTools) -> None:
        self._tools = tools

    def specs(self) -> tuple[CompleterSpec, ...]:
        return (CompleterSpec(completes="run", asks="list_reviews", complete=self._runs),)

    async def _runs(self, typed: str, _given: Given) -> Sequence[str]:
        """Newest first."""
        found = (await self._tools.list_reviews()).reviews
        return [review.run_id for review in found if typed.casefold() in review.run_id.casefold()]
