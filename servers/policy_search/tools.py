"""Tools of the policy search server.

Every read is prefiltered by the tenant and labels of the access decision; what was returned is
recorded for the run, since only that may later be cited. They know nothing of cases, but that an agent's search
carries nothing of its own (see `private`).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from typing import Annotated, Any

import anyio.to_thread
from pydantic import Field, StringConstraints

from casewright.clock import today
from casewright.contracts.base import Contract
from casewright.contracts.clause import (
    Clause,
    ClauseComparison,
    ClauseInContext,
    ClauseName,
    ClausesInContext,
    DocumentVersion,
    SearchFilters,
    SearchResult,
)
from casewright.contracts.recommendation import Citation, VerifiedCitation
from casewright.corpus.front_matter import JURISDICTION
from casewright.errors import NotFoundError
from casewright.services import Services
from servers.client_side import tell_progress
from servers.guard import Call, current_call
from servers.policy_search.private import refuse_case_data
from servers.spec import ToolSpec

AsOf = Annotated[
    dt.date | None, Field(description="Date (YYYY-MM-DD) whose rules apply; today when absent. Use the case's date.")
]
DocumentId = Annotated[str, Field(min_length=1, max_length=200, description="As in `document_id` of a search hit.")]
Label = Annotated[str, Field(min_length=1, max_length=300, description="Citation label, e.g. `§ 1005.11(c)(2)(i)`.")]
Version = Annotated[str, Field(max_length=200, description="A named version; empty for the one in force.")]


MOST_CLAUSES = 40
"""In one call; as many as a review stands on."""
READ_AT_ONCE = 10
"""Clauses between two words of progress; a client that cancels waits for no more of them."""


Jurisdictions = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=rf"^{JURISDICTION.pattern}$")], ...],
    Field(max_length=20, description="Only rules that hold in one of these places, as `US` or `US-CA`; empty for all."),
]


class Documents(Contract):
    documents: tuple[DocumentVersion, ...]


class PolicySearchTools:
    """The tool functions, bound to the stores."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def specs(self) -> tuple[ToolSpec, ...]:
        return (
            ToolSpec(
                fn=self.search_policies,
                title="Search policies",
                verb="search",
                risk="low",
                resource="corpus",
                meets=frozenset({"limit"}),
            ),
            ToolSpec(fn=self.get_clause, title="Read a clause", verb="read", risk="low", resource="corpus"),
            ToolSpec(fn=self.get_clauses, title="Read several clauses", verb="read", risk="low", resource="corpus"),
            ToolSpec(fn=self.compare_versions, title="Compare versions", verb="read", risk="low", resource="corpus"),
            ToolSpec(fn=self.list_documents, title="List documents", verb="list", risk="low", resource="corpus"),
            ToolSpec(fn=self.verify_quote, title="Verify a quote", verb="check", risk="low", resource="corpus"),
        )

    async def search_policies(
        self,
        query: Annotated[str, Field(min_length=1, max_length=200_000, description="A question or a clause label.")],
        as_of: AsOf = None,
        limit: Annotated[int, Field(ge=1, le=50, description="Most hits to return.")] = 10,
        document_ids: Annotated[
            tuple[str, ...], Field(max_length=50, description="Only these documents; empty for all visible.")
        ] = (),
        jurisdictions: Jurisdictions = (),
    ) -> SearchResult:
        """Find the clauses in force on a date that answer a question.

        Hits are ordered best first. When `sufficient` is false nothing here answers the question:
        say so, with `missing`, instead of answering. Quote clauses word for word and cite
        document, version and label.
        """
        call = current_call()
        await refuse_case_data(self._services, call.caller, query)
        narrowed = {"document_ids": document_ids, "jurisdictions": jurisdictions}
        filters = self._filters(call, as_of).model_copy(update=narrowed)
        most = min(limit, call.max_results)
        await tell_progress(0, "opening the index that this run is pinned to")
        search = await self._search(call)
        await tell_progress(1, "searching")
        result = await _in_thread(partial(search, query, filters, limit=most))
        await tell_progress(2, "recording what was found")
        await self._record(call, result.hits, result.index_version)
        return result

    async def get_clause(
        self, document_id: DocumentId, label: Label, as_of: AsOf = None, version: Version = ""
    ) -> ClauseInContext:
        """Read one clause with the clauses above, below and beside it, its defined terms and its references.

        Without `version` the text in force on `as_of`; with it, that version by name, whatever its status.
        """
        call = current_call()
        filters = self._filters(call, as_of, version=version)
        found = await _in_thread(partial(self._services.corpus.clause, filters, document_id=document_id, label=label))
        await self._record(call, _shown((found,)), found.index_version)
        return found

    async def get_clauses(
        self,
        clauses: Annotated[
            tuple[ClauseName, ...], Field(min_length=1, max_length=MOST_CLAUSES, description="Documents and labels.")
        ],
        as_of: AsOf = None,
    ) -> ClausesInContext:
        """Read several clauses in force on a date in one call, each as `get_clause` gives it.

        Those that are not there for you are named in `absent`; the others are answered all the same.
        """
        call = current_call()
        filters = self._filters(call, as_of)
        found = await self._read(filters, tuple(dict.fromkeys(clauses)))
        for index_version, together in groupby(found.found, key=lambda each: each.index_version):
            await self._record(call, _shown(together), index_version)
        return found

    async def compare_versions(
        self, document_id: DocumentId, label: Label, from_version: Version, to_version: Version
    ) -> ClauseComparison:
        """Show the words of one clause that changed between two versions of its document."""
        filters = self._filters(current_call(), None)
        return await _in_thread(
            partial(
                self._services.corpus.compare,
                filters,
                document_id=document_id,
                label=label,
                from_version=from_version,
                to_version=to_version,
            )
        )

    async def list_documents(
        self,
        as_of: AsOf = None,
        all_versions: Annotated[bool, Field(description="Also superseded, future, draft, withdrawn ones.")] = False,
    ) -> Documents:
        """List the documents this caller may read, with versions and effective dates."""
        filters = self._filters(current_call(), as_of)
        found = await _in_thread(partial(self._services.corpus.documents, filters, all_versions=all_versions))
        return Documents(documents=found)

    async def verify_quote(
        self, document_id: DocumentId, version: Version, label: Label, quote: str, as_of: AsOf = None
    ) -> VerifiedCitation:
        """Check that a quote is, word for word, whole sentences of a clause in force on `as_of`."""
        filters = self._filters(current_call(), as_of)
        corpus = self._services.corpus
        found = await _in_thread(partial(corpus.clause, _named(filters, version), document_id=document_id, label=label))
        citation = Citation(
            document_id=document_id,
            version=found.clause.version,
            label=found.clause.label,
            quote=quote,
            sha256=found.clause.sha256,
        )
        return await _in_thread(partial(corpus.verify, citation, filters))

    async def _search(self, call: Call) -> Callable[..., SearchResult]:
        """The search of the state that the token's run is pinned to; a caller cannot choose one."""
        from casewright.drafts.pinned import pinned_state

        corpus, run_id = self._services.corpus, call.caller.actor.run_id
        pinned = await pinned_state(self._services.database, call.filters.tenant, run_id) if run_id else ""
        return partial(corpus.search_kept, pinned) if pinned else corpus.search

    def _filters(self, call: Call, as_of: dt.date | None, *, version: str = "") -> SearchFilters:
        filters = SearchFilters(
            tenant=call.filters.tenant, labels=call.filters.labels, as_of=as_of or today(self._services.clock)
        )
        return _named(filters, version)

    async def _read(self, filters: SearchFilters, names: tuple[ClauseName, ...]) -> ClausesInContext:
        found: list[ClauseInContext] = []
        absent: list[ClauseName] = []
        for start in range(0, len(names), READ_AT_ONCE):
            await tell_progress(start, f"{start} of {len(names)} clauses are read")
            some = names[start : start + READ_AT_ONCE]
            for name, clause in zip(some, await _in_thread(partial(self._clauses, filters, some)), strict=True):
                if clause is None:
                    absent.append(name)
                else:
                    found.append(clause)
        return ClausesInContext(found=tuple(found), absent=tuple(absent))

    def _clauses(self, filters: SearchFilters, names: tuple[ClauseName, ...]) -> list[ClauseInContext | None]:
        found: list[ClauseInContext | None] = []
        for name in names:
            try:
                found.append(self._services.corpus.clause(filters, document_id=name.document_id, label=name.label))
            except NotFoundError:
                found.append(None)
        return found

    async def _record(self, call: Call, clauses: Iterable[Clause], index_version: str) -> None:
        seen = [(clause.clause_id, clause.sha256) for clause in clauses]
        actor = call.caller.actor
        await self._services.retrievals.record(call.filters.tenant, actor.run_id, seen, index_version)


def _shown(found: Iterable[ClauseInContext]) -> Iterator[Clause]:
    """Every clause that the answers hold but the neighbours: what may be cited from them."""
    for each in found:
        yield from (each.clause, *each.parents, *each.children, *(one.definition for one in each.definitions))


def _named(filters: SearchFilters, version: str) -> SearchFilters:
    return filters.model_copy(update={"include": "named_version", "version": version}) if version else filters


async def _in_thread(work: Callable[[], Any]) -> Any:
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
