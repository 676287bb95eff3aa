"""Decide whether a search result can answer the question, and say what it lacks.

Four signs, all cheap and explainable: how much of the question's weight the best single hit covers, how much the best
hits cover together, how near the nearest clause is, and how many telling words there are, since each one more is one
more to miss. The weights are a logistic regression, balanced between both kinds, over the answerable and unanswerable
questions of `evals/datasets/clauses.jsonl` and `sufficiency.jsonl`; `docs/decisions/0005-corpus.md` has its figures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from casewright.contracts.clause import ClauseHit
from casewright.corpus.words import Question, stems

_CONSIDERED = 5
_WEIGHT_SINGLE = 7.53
_WEIGHT_TOGETHER = 0.14
_WEIGHT_SIMILARITY = 11.04
_WEIGHT_TELLING = 3.73
_BIAS = -14.88
ENOUGH = 0.6
"""A wrong answer costs more than one that was withheld with its reason."""
_MANY_WORDS = 12
_TELLING = 0.2
"""A word of at least this weight is named as missing."""
_NAMED_WORDS = 6


@dataclass(frozen=True, kw_only=True)
class Sufficiency:
    """The verdict with its reasons."""

    sufficient: bool
    probability: float
    missing: str


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What the verdict is made of, each 0 to 1."""

    single: float
    together: float
    similarity: float
    telling: float
    """How many telling words the question has, `_MANY_WORDS` or more being 1."""


def measure(question: Question, hits: Sequence[ClauseHit], similarity: float) -> Signs:
    """The signs of a result."""
    texts = [hit_stems(hit) for hit in hits[:_CONSIDERED]]
    everything = frozenset[str]().union(*texts)
    return Signs(
        single=max((question.coverage(text) for text in texts), default=0.0),
        together=question.coverage(everything),
        similarity=similarity,
        telling=min(1.0, len(question.weights) / _MANY_WORDS),
    )


def judge(question: Question, hits: Sequence[ClauseHit], similarity: float) -> Sufficiency:
    """Whether the hits can answer the question; a clause that was named and found always can."""
    if not hits:
        what = f"on {question.text[:200]!r}" if question.words else "since the question has no words"
        return Sufficiency(
            sufficient=False, probability=0.0, missing=f"no rule in force and visible to you was found {what}"
        )
    if any(hit.exact_reference for hit in hits):
        return Sufficiency(sufficient=True, probability=1.0, missing="")
    probability = probability_of(measure(question, hits, similarity))
    if question.weights and probability >= ENOUGH:
        return Sufficiency(sufficient=True, probability=probability, missing="")
    return Sufficiency(sufficient=False, probability=probability, missing=_missing(question, hits))


def probability_of(signs: Signs) -> float:
    """Logistic combination of the signs."""
    value = (
        _BIAS
        + _WEIGHT_SINGLE * signs.single
        + _WEIGHT_TOGETHER * signs.together
        + _WEIGHT_SIMILARITY * signs.similarity
        + _WEIGHT_TELLING * signs.telling
    )
    return 1.0 / (1.0 + math.exp(-value))


def hit_stems(hit: ClauseHit) -> frozenset[str]:
    """The stems of a hit with title, heading and what leads into it."""
    heading = hit.heading.rpartition(" > ")[2]
    return stems(f"{hit.title} {heading} {hit.lead_in} {hit.text}")


def _missing(question: Question, hits: Sequence[ClauseHit]) -> str:
    if not question.weights:
        return "the question names nothing that could be looked up; ask with the words of the matter"
    covered = question.covered(frozenset[str]().union(*(hit_stems(hit) for hit in hits)))
    absent = [
        each for each in sorted(question.weights, key=lambda each: -question.weights[each]) if each not in covered
    ]
    named = [question.spelled[each] for each in absent if question.weights[each] >= _TELLING][:_NAMED_WORDS]
    if named:
        return "no rule in force was found that says anything on: " + ", ".join(named)
    return "rules that share some words were found, but none that treats them together"
