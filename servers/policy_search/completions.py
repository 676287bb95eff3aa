"""Completes document and clause names of the policy search server: only what the caller may read is offered."""

import datetime as dt
from collections.abc import Sequence
from functools import partial

import anyio.to_thread

from casewright.clock import today
from casewright.contracts.clause import SearchFilters
from casewright.services import Services
from servers.entry_spec import CompleterSpec, Given, renamed
from servers.guard import current_call

MOST_LABELS = 500
"""Read for one completion; the server shows fewer and says how many there are."""


class PolicyCompletions:
    """Bound to the corpus."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def specs(self) -> tuple[CompleterSpec, ...]:
        asked = renamed(as_of="as_of")
        return (
            CompleterSpec(completes="document", asks="list_documents", arguments=asked, complete=self._documents),
            CompleterSpec(completes="clause", asks="list_documents", arguments=asked, complete=self._clauses),
        )

    async def _documents(self, typed: str, _given: Given) -> Sequence[str]:
        found = await anyio.to_thread.run_sync(partial(self._services.corpus.documents, self._filters()))
        wanted = typed.casefold()
        names = sorted({version.document_id for version in found if wanted in version.document_id.casefold()})
        return sorted(names, key=lambda name: not name.casefold().startswith(wanted))

    async def _clauses(self, typed: str, given: Given) -> Sequence[str]:
        document = given.get("document", "")
        if not document:
            return ()
        labels = partial(
            self._services.corpus.labels,
            self._filters(),
            document_id=document,
            starts=typed,
            limit=MOST_LABELS,
        )
        return await anyio.to_thread.run_sync(labels)

    def _filters(self) -> SearchFilters:
        call = current_call()
        on: str | None = call.action.arguments.get("as_of")  # in its one form: it was decided on
        as_of = dt.date.fromisoformat(on) if on else today(self._services.clock)
        return SearchFilters(tenant=call.filters.tenant, labels=call.filters.labels, as_of=as_of)
