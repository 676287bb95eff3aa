"""Candidates from the table's own searches, for an index too large for memory.

Every query carries the prefilter of its scope. Handles are row ids of the table.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from casewright.corpus.candidates import (
    EXPANSION_WEIGHT,
    FULL_TEXT_CANDIDATES,
    VECTOR_CANDIDATES,
    Candidates,
    Row,
    Scope,
)
from casewright.corpus.filters import one_of
from casewright.corpus.fusion import fuse
from casewright.corpus.labels import fold_reference
from casewright.corpus.rows import HIT_COLUMNS, context_text
from casewright.corpus.table import ClauseTable
from casewright.corpus.words import Question
from casewright.errors import StorageError

if TYPE_CHECKING:
    from casewright.corpus.embedding import Vectors

_READ = 40
"""So many candidates are read to be ranked again."""


class TableSource:
    """Searches one state on disk."""

    def __init__(self, table: ClauseTable) -> None:
        """Take a table that is pinned to the state."""
        self._table = table

    def candidates(self, question: Question, vector: "Vectors", scope: Scope) -> Candidates:
        nearest = self._table.nearest(vector, scope.predicate, limit=VECTOR_CANDIDATES)
        fused = fuse(self.full_text(question, scope), [row_id for row_id, _ in nearest])
        ids = tuple(row_id for row_id, _ in fused)
        return Candidates(
            ids=ids,
            fused=tuple(score for _, score in fused),
            similarity=max(0.0, nearest[0][1]) if nearest else 0.0,
            texts=partial(self._texts, ids[:_READ], scope),
            features=None,
        )

    def full_text(self, question: Question, scope: Scope) -> list[int]:
        """Row ids by full-text score, best first."""
        texts = [(" ".join(question.words), 1.0)]
        if question.expansions:
            texts.append((" ".join(question.expansions), EXPANSION_WEIGHT))
        return self._table.full_text(texts, scope.predicate, limit=FULL_TEXT_CANDIDATES)

    def rows(self, ids: Sequence[int], scope: Scope) -> dict[int, Row]:
        read = {int(row["_rowid"]): row for row in self._table.take(ids, HIT_COLUMNS)}
        keys = set(scope.keys)
        if any((row["tenant"], row["document_id"], row["version"]) not in keys for row in read.values()):
            raise StorageError("the index gave a clause that its filter excludes; move the index away and ingest again")
        return {row_id: read[row_id] for row_id in ids}

    def named(self, references: Collection[str], scope: Scope) -> dict[int, Row]:
        asked = scope.predicate & one_of("reference", references)
        rows = self._table.select((*HIT_COLUMNS, "reference"), asked, with_row_id=True)
        return {int(row["_rowid"]): row for row in rows}

    def parents(self, rows: Mapping[int, Row], scope: Scope) -> dict[int, tuple[int, Row]]:
        labels = {fold_reference(row["parents"][-1]) for row in rows.values()}
        documents = {row["document_id"] for row in rows.values()}
        asked = scope.predicate & one_of("reference", labels) & one_of("document_id", documents)
        found = self._table.select(HIT_COLUMNS, asked, with_row_id=True) if rows else []
        by_name = {(row["document_id"], row["version"], row["label"]): row for row in found}
        above = {
            row_id: by_name.get((row["document_id"], row["version"], row["parents"][-1]))
            for row_id, row in rows.items()
        }
        return {row_id: (int(row["_rowid"]), row) for row_id, row in above.items() if row is not None}

    def _texts(self, ids: Sequence[int], scope: Scope) -> Sequence[str]:
        rows = self.rows(ids, scope)
        return tuple(context_text(rows[row_id]) for row_id in ids)
