"""Completes case and evidence ids of the case facts server: only what the caller may read is offered."""

from collections.abc import Sequence

from servers.case_facts.tools import CaseFactsTools
from servers.entry_spec import CompleterSpec, Given
from servers.guard import current_call


class CaseCompletions:
    """Bound to the tools that show the same values."""

    def __init__(self, tools: CaseFactsTools) -> None:
        self._tools = tools

    def specs(self) -> tuple[CompleterSpec, ...]:
        return (
            CompleterSpec(completes="case", asks="list_cases", complete=self._cases),
            CompleterSpec(completes="item", asks="list_evidence", complete=self._items),
        )

    async def _cases(self, typed: str, _given: Given) -> Sequence[str]:
        """A token that names a case opens no other one, so no other is offered."""
        found = await self._tools.list_cases()
        own = current_call().caller.actor.case_id
        ids = [case.case_id for case in found.cases if case.case_id == own]
        return [case_id for case_id in ids if typed.casefold() in case_id.casefold()]

    async def _items(self, typed: str, given: Given) -> Sequence[str]:
        if given.get("case", "") not in ("", current_call().caller.actor.case_id):
            return ()
        found = await self._tools.list_evidence()
        ids = [item.evidence_id for item in found.evidence]
        return [evidence_id for evidence_id in ids if typed.casefold() in evidence_id.casefold()]
