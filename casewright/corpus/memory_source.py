"""Candidates from mapped files: full text and vectors of the visible rows, without a table query.

Row numbers are the handles. One source belongs to one snapshot and is shared among
threads; what it keeps is derived from the immutable state.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from casewright.corpus.candidates import (
    EXPANSION_WEIGHT,
    FULL_TEXT_CANDIDATES,
    VECTOR_CANDIDATES,
    Candidates,
    Key,
    Row,
    Scope,
)
from casewright.corpus.features import Signals, features
from casewright.corpus.fusion import fuse
from casewright.corpus.labels import fold_reference
from casewright.corpus.lexicon import idf
from casewright.corpus.memory import ClauseMemory, Visible, best
from casewright.corpus.rows import context_text
from casewright.corpus.words import Question, stem_sequence
from casewright.errors import StorageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from casewright.corpus.embedding import Vectors

    Floats = npt.NDArray[np.float32]

_SCOPES_KEPT = 16
"""One costs up to five bytes for every row of the index."""


class MemorySource:
    """Searches one state in memory."""

    def __init__(self, memory: ClauseMemory) -> None:
        """Take the state; nothing is read any more."""
        self._memory = memory
        self._visible: dict[tuple[Key, ...], Visible] = {}

    def candidates(self, question: Question, vector: "Vectors", scope: Scope) -> Candidates:
        visible = self._rows_of(scope)
        cosines, compared = self._memory.cosines(vector, visible)
        signals = self._signals(question, cosines, visible)
        lexical = best(signals.bm25, visible.rows, limit=FULL_TEXT_CANDIDATES)
        near = best(cosines, compared, limit=VECTOR_CANDIDATES)
        fused = fuse(lexical.tolist(), near.tolist())
        ids = tuple(row for row, _ in fused)
        self._memory.compare_around(cosines, vector, ids, visible)
        return Candidates(
            ids=ids,
            fused=tuple(score for _, score in fused),
            similarity=float(signals.cosines[near[0]]) if len(near) else 0.0,
            texts=partial(self._texts, ids),
            features=partial(features, self._memory, signals, ids, (lexical, near)),
        )

    def rows(self, ids: Sequence[int], scope: Scope) -> dict[int, Row]:
        mask = self._rows_of(scope).mask
        if not all(mask[row] for row in ids):
            raise StorageError("the index gave a clause that its filter excludes; move the index away and ingest again")
        return dict(zip(ids, self._memory.rows(ids), strict=True))

    def named(self, references: Collection[str], scope: Scope) -> dict[int, Row]:
        found = self._memory.with_references(references, self._rows_of(scope))
        return dict(zip(found, self._memory.rows(found), strict=True))

    def parents(self, rows: Mapping[int, Row], scope: Scope) -> dict[int, tuple[int, Row]]:
        places = {row: self._parent(row, values["parents"][-1]) for row, values in rows.items()}
        found = {row: place for row, place in places.items() if place is not None}
        read = self.rows(tuple(dict.fromkeys(found.values())), scope)
        return {row: (place, read[place]) for row, place in found.items()}

    def _parent(self, row: int, label: str) -> int | None:
        return self._memory.labelled(label, fold_reference(label), beside=row)

    def _rows_of(self, scope: Scope) -> Visible:
        known = self._visible.get(scope.keys)
        if known is None:
            if len(self._visible) >= _SCOPES_KEPT:
                self._visible.clear()
            known = self._visible[scope.keys] = self._memory.visible(scope.keys)
        return known

    def _signals(self, question: Question, cosines: "Floats", visible: Visible) -> Signals:
        import numpy as np

        lexicon = self._memory.lexicon
        bm25 = np.zeros(len(visible.mask), dtype=np.float32)

        def count(term: int, weight: float) -> float:
            """Add the term to the scores; its inverse document frequency among the visible rows."""
            rows, saturation = lexicon.postings(term, visible.mask, visible.within)
            telling = idf(len(rows), len(visible.rows))
            bm25[rows] += np.float32(weight * telling) * saturation
            return telling

        numbers = {stem: lexicon.number(stem) for stem in question.weights}
        weights = {stem: count(term, 1.0) for stem, term in numbers.items()}
        for stem in {each for phrase in question.expansions for each in stem_sequence(phrase)} - set(numbers):
            count(lexicon.number(stem), EXPANSION_WEIGHT)
        return Signals(question=question, numbers=numbers, idf=weights, bm25=bm25, cosines=cosines)

    def _texts(self, ids: Sequence[int]) -> Sequence[str]:
        return tuple(context_text(row) for row in self._memory.rows(ids))
