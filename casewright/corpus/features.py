"""Cheap features of candidates: how the words, the meaning and the surroundings fit a question.

All are free of scale (shares, cosines, ranks, logarithms), so that weights learned on one
corpus hold on another. Computed from columns in memory; `reranking` weighs them and
`scripts/train_ranker.py` learns the weights.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from casewright.corpus.asking import asks_meaning, asks_time
from casewright.corpus.fusion import RANK_CONSTANT
from casewright.corpus.lexicon import K1, UNKNOWN
from casewright.corpus.memory import ClauseMemory
from casewright.corpus.words import Question, stem

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Integers = npt.NDArray[np.int32]

FEATURES = (
    "bm25_of_best",
    "bm25_of_possible",
    "bm25_rank",
    "cosine",
    "cosine_below_best",
    "cosine_rank",
    "covered_weight",
    "heaviest_missing",
    "covered_words",
    "pairs_in_order",
    "length",
    "on_topic",
    "bm25_before",
    "bm25_after",
    "bm25_around_best",
    "bm25_around_mean",
    "cosine_around_best",
    "cosine_around_mean",
    "document_share",
    "document_best",
    "depth",
    "secondary",
    "blank",
    "example",
    "time_for_time",
    "meaning_for_meaning",
)
"""The columns, in order; a ranker's weights carry these names."""
_AROUND = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
_BESIDE = (-2, -1, 1, 2)
_BEFORE, _AFTER = _AROUND.index(-1), _AROUND.index(1)
_DOCUMENT_CANDIDATES = 50
"""So many of the best by full text say which documents a question is about."""
_UNITS_OF_TIME = ("day", "week", "month", "year", "hour", "minute", "annual")
_TINY = 1e-9


@dataclass(frozen=True, kw_only=True)
class Signals:
    """What the two searches say of every row; 0 for rows out of sight."""

    question: Question
    numbers: Mapping[str, int]
    """Term numbers by stem of the question."""
    idf: Mapping[str, float]
    """By stem, from the visible rows only."""
    bm25: "Floats"
    cosines: "Floats"


def features(
    memory: ClauseMemory, signals: Signals, ids: Sequence[int], ranked: "tuple[Integers, Integers]"
) -> "Floats":
    """One row of `FEATURES` per candidate; `ranked` are the rows by full text and by cosine, best first."""
    import numpy as np

    rows = np.asarray(ids, dtype=np.int32)
    lexical, near = ranked
    columns = (
        *_lexical(signals, rows, lexical),
        *_semantic(signals, rows, near),
        *_words(memory, signals, rows),
        *_surroundings(memory, signals, rows),
        *_documents(memory, signals, rows, lexical),
        *_kinds(memory, signals, rows),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _lexical(signals: Signals, rows: "Integers", lexical: "Integers") -> "tuple[Floats, ...]":
    scores = signals.bm25[rows]
    possible = sum(signals.idf.values()) * (K1 + 1)
    return (scores / _top(signals.bm25, lexical), scores / max(possible, _TINY), _reciprocal_ranks(rows, lexical))


def _semantic(signals: Signals, rows: "Integers", near: "Integers") -> "tuple[Floats, ...]":
    cosines = signals.cosines[rows]
    nearest = float(signals.cosines[near[0]]) if len(near) else 0.0
    return (cosines, nearest - cosines, _reciprocal_ranks(rows, near))


def _words(memory: ClauseMemory, signals: Signals, rows: "Integers") -> "tuple[Floats, ...]":
    """Coverage by own or equal words, word pairs in order, length, and how much of the clause is on the question."""
    import numpy as np

    lexicon = memory.lexicon
    idf = np.array(list(signals.idf.values()), dtype=np.float32)
    own = np.zeros((len(rows), len(idf)), dtype=np.float32)
    covered = np.zeros_like(own)
    for column, (each, term) in enumerate(signals.numbers.items()):
        own[:, column] = lexicon.has(term, rows)
        covered[:, column] = own[:, column]
        for others in signals.question.alternatives.get(each, ()):
            every = [lexicon.has(lexicon.number(other), rows) for other in others]
            if every:
                covered[:, column] = np.maximum(covered[:, column], np.logical_and.reduce(every))
    missing = (1 - covered) * idf
    heaviest = float(idf.max(initial=_TINY))
    return (
        covered @ idf / max(float(idf.sum()), _TINY),
        missing.max(axis=1, initial=0.0) / heaviest,
        covered.sum(axis=1) / max(len(idf), 1),
        _pairs(memory, signals, rows),
        np.log1p(lexicon.lengths(rows)).astype(np.float32),
        own.sum(axis=1) / np.maximum(lexicon.distinct[rows], 1),
    )


def _pairs(memory: ClauseMemory, signals: Signals, rows: "Integers") -> "Floats":
    """Share, by weight, of the question's word pairs that a clause has in the same order."""
    import numpy as np

    pairs = [
        (signals.numbers[one], signals.numbers[two], signals.idf[one] + signals.idf[two])
        for one, two in signals.question.pairs
    ]
    tokens, owners = memory.lexicon.token_lists(rows)
    base = len(memory.lexicon.hashes) + 1
    joined = tokens[:-1].astype(np.int64) * base + tokens[1:]
    within = owners[:-1] == owners[1:] if len(owners) else np.zeros(0, dtype=np.bool_)
    shares = np.zeros(len(rows), dtype=np.float32)
    for one, two, weight in pairs:
        if UNKNOWN not in (one, two):
            hit = np.zeros(len(rows), dtype=np.bool_)
            hit[owners[:-1][(joined == one * base + two) & within]] = True
            shares += np.float32(weight) * hit
    return shares / max(sum(weight for _, _, weight in pairs), _TINY)


def _surroundings(memory: ClauseMemory, signals: Signals, rows: "Integers") -> "tuple[Floats, ...]":
    top = max(float(signals.bm25[rows].max(initial=0.0)), _TINY)
    around = _beside(memory, signals.bm25, rows, _AROUND) / top
    cosines = _beside(memory, signals.cosines, rows, _BESIDE)
    return (
        around[:, _BEFORE],
        around[:, _AFTER],
        around.max(axis=1),
        around.mean(axis=1),
        cosines.max(axis=1),
        cosines.mean(axis=1),
    )


def _beside(memory: ClauseMemory, values: "Floats", rows: "Integers", steps: Sequence[int]) -> "Floats":
    """The values of neighbours in the same document; 0 beyond its ends."""
    import numpy as np

    places = rows[:, None] + np.asarray(steps)
    inside = (places >= memory.first[rows][:, None]) & (places <= memory.last[rows][:, None])
    return np.where(inside, values[np.clip(places, 0, len(values) - 1)], np.float32(0.0))


def _documents(memory: ClauseMemory, signals: Signals, rows: "Integers", lexical: "Integers") -> "tuple[Floats, ...]":
    """How much of the full-text result lies in the candidate's document, and the best of it there."""
    import numpy as np

    shares = np.zeros(len(memory.first), dtype=np.float32)
    highest = np.zeros(len(memory.first), dtype=np.float32)
    best = lexical[:_DOCUMENT_CANDIDATES]
    np.add.at(shares, memory.first[best], signals.bm25[best])
    np.maximum.at(highest, memory.first[lexical], signals.bm25[lexical])
    documents = memory.first[rows]
    total = max(float(signals.bm25[best].sum()), _TINY)
    return (shares[documents] / total, highest[documents] / _top(signals.bm25, lexical))


def _kinds(memory: ClauseMemory, signals: Signals, rows: "Integers") -> "tuple[Floats, ...]":
    """What kind of text the clauses are, and whether they hold the kind of answer that is asked for."""
    import numpy as np

    depth, secondary, blank, example, defines = memory.traits[rows].T.astype(np.float32)
    timed = np.zeros(len(rows), dtype=np.float32)
    if asks_time(signals.question.text):
        units = [memory.lexicon.number(stem(unit)) for unit in _UNITS_OF_TIME]
        timed[np.logical_or.reduce([memory.lexicon.has(unit, rows) for unit in units])] = 1.0
    meaning = defines if asks_meaning(signals.question.text) else np.zeros_like(defines)
    return (depth, secondary, blank, example, timed, meaning)


def _top(scores: "Floats", ranked: "Integers") -> float:
    return max(float(scores[ranked[0]]), _TINY) if len(ranked) else math.inf


def _reciprocal_ranks(rows: "Integers", ranked: "Integers") -> "Floats":
    import numpy as np

    places = {int(row): place for place, row in enumerate(ranked, start=1)}
    return np.array([1 / (RANK_CONSTANT + places[row]) if row in places else 0.0 for row in rows.tolist()], np.float32)
