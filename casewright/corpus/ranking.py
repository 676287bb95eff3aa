"""Order fused candidates again by how much of the question each one covers.

Reciprocal rank fusion forgets by how much one hit is better than the next; the share of
the question's weight that a clause covers, in its own or equal words, brings that back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from casewright.corpus.words import Question

COVERAGE_WEIGHT = 0.2
"""A full coverage counts as much as a first place in a ranking of weight about 2."""


def rerank(
    question: Question, fused: Sequence[tuple[int, float]], rows: Mapping[int, Mapping[str, Any]]
) -> list[tuple[int, float]]:
    """The candidates with their final scores, best first."""
    scored = [(row_id, score + COVERAGE_WEIGHT * question.coverage(row_stems(rows[row_id]))) for row_id, score in fused]
    return sorted(scored, key=lambda item: -item[1])


def row_stems(row: Mapping[str, Any]) -> frozenset[str]:
    """The stems of a clause with its heading and what leads into it."""
    return frozenset(str(row["stems"]).split(" "))
