"""Tries one search: the hits of the corpus beside those of the table's own searches, and what became of a clause that
is not among them. Used by `evals.suites.retrieval`.
"""

import shlex
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from casewright.contracts.clause import SearchFilters, SearchResult
from casewright.contracts.evaluation import CaseResult
from casewright.corpus.answer_bench import TENANT
from casewright.corpus.bench import plain_words
from casewright.errors import StorageError
from casewright.identity.local import LocalIdentities
from evals.scorers.answers import WantedClause
from evals.scorers.retrieval import CUTOFF, Beside, Listing, Place, RetrievalCase, scored
from evals.suite import Case

if TYPE_CHECKING:
    from casewright.corpus.corpus import Corpus
    from casewright.corpus.snapshot import Snapshot
    from evals.scorers.diagnosis import Diagnosis, Examiner


class Searches:
    """Searches one index, as people of the sample organisation or, without people, as somebody who sees all of it."""

    def __init__(self, *, index: Path, corpus: "Corpus", people: LocalIdentities | None) -> None:
        self._index = index
        self._corpus = corpus
        self._people = people

    async def attempt(self, case: Case) -> CaseResult:
        """Search, and hold the hits against the case."""
        asked = RetrievalCase.model_validate(case.model_dump())
        filters = self._filters(asked)
        result = self._corpus.search(asked.given.question, filters, limit=CUTOFF)
        listing = Listing(
            hits=tuple((hit.document_id, hit.label) for hit in result.hits),
            exact=frozenset((hit.document_id, hit.label) for hit in result.hits if hit.exact_reference),
        )
        figures = scored(asked.expected, listing, self._beside(asked.given.question, filters))
        diagnosis = None if figures.passed else self._diagnosis(asked, filters, result)
        wanted = " or ".join(asked.expected.labels)
        return CaseResult(
            case_id=case.id,
            verdict="passed" if figures.passed else "failed",
            expected=f"{asked.expected.document_id} {wanted} " + ("named and hit" if asked.expected.exact else "found"),
            happened="" if figures.passed else f"the first hits were {_shown(listing.hits)}",
            stage=diagnosis.stage if diagnosis else "",
            diagnosis=diagnosis.because if diagnosis else "",
            evidence=() if figures.passed else (f"for {filters.as_of}: {asked.given.question}",),
            trace=self._trace(asked),
            outcomes=figures.outcomes,
            measures=figures.measures,
        )

    def _filters(self, case: RetrievalCase) -> SearchFilters:
        if self._people is None:
            return SearchFilters(tenant=TENANT, labels=(), as_of=case.given.as_of)
        person = self._people.find(case.given.asked_by)
        return SearchFilters(tenant=person.tenant, labels=person.labels, as_of=case.given.as_of)

    def _beside(self, question: str, filters: SearchFilters) -> Beside:
        from casewright.corpus.embedding import default_embedder

        where, text = self._snapshot.predicate(filters), plain_words(question)
        if not text:
            return Beside()
        table = self._snapshot.table
        vector = default_embedder().embed([question])[0]
        return Beside(
            full_text=self._places(table.full_text([(text, 1.0)], where, limit=CUTOFF)),
            hybrid=self._places(table.hybrid(text, vector, where, limit=CUTOFF)),
        )

    def _places(self, row_ids: Sequence[int]) -> tuple[Place, ...]:
        rows = self._snapshot.table.take(row_ids, ["document_id", "label"])
        by_id = {int(row["_rowid"]): (str(row["document_id"]), str(row["label"])) for row in rows}
        return tuple(by_id[row_id] for row_id in row_ids)

    def _diagnosis(self, case: RetrievalCase, filters: SearchFilters, result: SearchResult) -> "Diagnosis":
        from evals.scorers.diagnosis import Asked, Diagnosis

        versions = {one.document_id: one.version for one in self._corpus.documents(filters)}
        version = versions.get(case.expected.document_id, "")
        wanted = [
            WantedClause(document_id=case.expected.document_id, version=version, label=label)
            for label in case.expected.labels
        ]
        asked = Asked(
            question=case.given.question,
            filters=filters,
            limit=CUTOFF,
            received=frozenset(hit.clause_id for hit in result.hits),
        )
        lost = self._examiner.lost(wanted, asked)
        listed = "it is among the hits, but not as a clause that was named"
        return lost or Diagnosis(stage="retrieval", because=listed)

    @cached_property
    def _snapshot(self) -> "Snapshot":
        from casewright.corpus.snapshot import Snapshot
        from casewright.corpus.state import read_state

        state = read_state(self._index)
        if state is None:
            raise StorageError(f"there is no index in {str(self._index)!r}; ingest documents first")
        return Snapshot.open(self._index, state)

    @cached_property
    def _examiner(self) -> "Examiner":
        from evals.scorers.diagnosis import Examiner

        return Examiner(self._index)

    def _trace(self, case: RetrievalCase) -> str:
        if self._people is None:
            return ""
        asked = shlex.quote(case.given.question)
        command = f"corpus search {asked} --as-of {case.given.as_of} --as {case.given.asked_by}"
        return f"casewright --home {self._index.parent} {command}"


def _shown(hits: Sequence[Place]) -> str:
    return ", ".join(" ".join(hit) for hit in hits[:3]) or "none"
