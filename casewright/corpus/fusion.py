"""Reciprocal rank fusion of two ranked lists (Cormack, Clarke, Buettcher 2009).

Pure: it sees row ids and ranks only.
"""

from collections.abc import Sequence

RANK_CONSTANT = 10
FULL_TEXT_WEIGHT = 2.0
VECTOR_WEIGHT = 1.0


def fuse(full_text: Sequence[int], vector: Sequence[int]) -> list[tuple[int, float]]:
    """Row ids with scores, best first; rows of equal score stay in full-text order."""
    scores: dict[int, float] = {}
    for row_ids, weight in ((full_text, FULL_TEXT_WEIGHT), (vector, VECTOR_WEIGHT)):
        for rank, row_id in enumerate(row_ids, start=1):
            scores[row_id] = scores.get(row_id, 0.0) + weight / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda item: -item[1])
