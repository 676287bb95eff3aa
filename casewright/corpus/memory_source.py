"""Candidates from memory: full text and vectors of the visible rows, without a table query.

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
from casewright.corpus.lexicon import UNKNOWN
from casewright.corpus.memory import ClauseMemory, Visible, best
from casewright.corpus.rows import context_text
from casewright.corpus.words import Question, stem_sequence
from casewright.errors import StorageError

if TYPE_CHECKING:
    from casewright.corpus.embedding import Vectors

_SCOPES_KEPT = 64


class MemorySource:
    """Searches one state in memory."""

    def __init__(self, memory: ClauseMemory) -> None:
        """Take the state; nothing is read any more."""
        self._memory = memory
        self._visible: dict[tuple[Key, ...], Visible] = {}

    def candidates(self, question: Question, vector: "Vectors", scope: Scope) -> Candidates:
        visible = self._rows_of(scope)
        signals = self._signals(question, vector, visible)
        lexical = best(signals.bm25, visible, limit=FULL_TEXT_CANDIDATES)
        near = best(signals.cosines, visible, limit=VECTOR_CANDIDATES)
        fused = fuse(lexical.tolist(), near.tolist())
        ids = tuple(row for row, _ in fused)
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
        return dict(zip(ids, self._memory.columns.take(ids), strict=True))

    def named(self, references: Collection[str], scope: Scope) -> dict[int, Row]:
        found = self._memory.with_references(references, self._rows_of(scope))
        return dict(zip(found, self._memory.columns.take(found), strict=True))

    def parents(self, rows: Mapping[int, Row], scope: Scope) -> dict[int, tuple[int, Row]]:
        places = {row: self._memory.labelled(values["parents"][-1], beside=row) for row, values in rows.items()}
        found = {row: place for row, place in places.items() if place is not None}
        read = self.rows(tuple(dict.fromkeys(found.values())), scope)
        return {row: (place, read[place]) for row, place in found.items()}

    def _rows_of(self, scope: Scope) -> Visible:
        known = self._visible.get(scope.keys)
        if known is None:
            if len(self._visible) >= _SCOPES_KEPT:
                self._visible.clear()
            known = self._visible[scope.keys] = self._memory.visible(scope.keys)
        return known

    def _signals(self, question: Question, vector: "Vectors", visible: Visible) -> Signals:
        lexicon = self._memory.lexicon
        numbers = {stem: lexicon.number(stem) for stem in question.weights}
        count = len(visible.rows)
        idf = {stem: lexicon.idf(term, visible.mask, count) for stem, term in numbers.items()}
        weighted = [(term, idf[stem]) for stem, term in numbers.items()]
        for stem in {each for phrase in question.expansions for each in stem_sequence(phrase)} - set(numbers):
            term = lexicon.number(stem)
            if term != UNKNOWN:
                weighted.append((term, EXPANSION_WEIGHT * lexicon.idf(term, visible.mask, count)))
        bm25 = lexicon.scores(weighted)
        bm25 *= visible.mask
        return Signals(
            question=question,
            numbers=numbers,
            idf=idf,
            bm25=bm25,
            cosines=self._memory.cosines(vector, visible),
        )

    def _texts(self, ids: Sequence[int]) -> Sequence[str]:
        return tuple(context_text(row) for row in self._memory.columns.take(ids))
