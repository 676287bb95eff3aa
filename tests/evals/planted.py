"""Defects that the tests of the answering suites plant: a corpus in place of the services' own, wrong in one way."""

from collections.abc import Callable
from pathlib import Path

from casewright.contracts.clause import SearchFilters, SearchResult
from casewright.contracts.recommendation import Citation, VerifiedCitation
from casewright.corpus.corpus import Corpus
from casewright.services import Services


class NeverInsufficient(Corpus):
    """Finds everything sufficient."""

    def search(self, query: str, filters: SearchFilters, *, limit: int = 10) -> SearchResult:
        found = super().search(query, filters, limit=limit)
        return found.model_copy(update={"sufficient": True, "missing": ""})


class Misquoting(Corpus):
    """Gives out texts with another number, and says of every quote that it is verified."""

    def search(self, query: str, filters: SearchFilters, *, limit: int = 10) -> SearchResult:
        found = super().search(query, filters, limit=limit)
        hits = tuple(hit.model_copy(update={"text": hit.text.replace("10 ", "11 ")}) for hit in found.hits)
        return found.model_copy(update={"hits": hits})

    def verify(self, citation: Citation, filters: SearchFilters) -> VerifiedCitation:
        return VerifiedCitation(**citation.model_dump(), verified=True)


def planted(make: Callable[[Path], Corpus]) -> Callable[[Services], None]:
    """What puts such a corpus into services."""

    def put(services: Services) -> None:
        vars(services)["corpus"] = make(services.settings.index)

    return put
