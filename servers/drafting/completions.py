"""Completes draft and case ids of the drafting server: only those of the case that the token names."""

from collections.abc import Sequence

from servers.drafting.tools import DraftingTools
from servers.entry_spec import CompleterSpec, Given
from servers.guard import current_call


class DraftCompletions:
    """Bound to the tool that shows the same values."""

    def __init__(self, tools: DraftingTools) -> None:
        self._tools = tools

    def specs(self) -> tuple[CompleterSpec, ...]:
        return (
            CompleterSpec(completes="draft", asks="list_drafts", complete=self._drafts),
            CompleterSpec(completes="case", asks="list_drafts", complete=self._cases),
        )

    async def _drafts(self, typed: str, _given: Given) -> Sequence[str]:
        """Newest first."""
        found = (await self._tools.list_drafts()).drafts
        return [draft.draft_id for draft in reversed(found) if typed.casefold() in draft.draft_id.casefold()]

    async def _cases(self, typed: str, _given: Given) -> Sequence[str]:
        own = current_call().caller.actor.case_id
        return (own,) if own and typed.casefold() in own.casefold() else ()
