"""Holds the hits of a search against the clauses that are right: found, at which rank, how early all of them.

Pure; `evals.suites.retrieval` calls it. Where several clauses are named, each of them answers the question.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from casewright.contracts.base import Contract
from casewright.corpus.bench import average_precision
from evals.case import EvalCase

NEAR, CUTOFF = 5, 10
"""So many hits count."""
Place = tuple[str, str]
"""Document and label."""


class SearchedQuestion(Contract):
    """What is searched for, by whom, for which day."""

    question: str
    as_of: dt.date
    asked_by: str = ""
    """A person of the sample organisation; empty: somebody who may see everything there is."""


class WantedPlaces(Contract):
    """Where the answer stands."""

    document_id: str
    labels: tuple[str, ...]
    """Any of them answers; of a reference all are named and all have to come."""
    exact: bool = False
    """Whether the question names them, so that they always hit."""

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple((self.document_id, label) for label in self.labels)


RetrievalCase = EvalCase[SearchedQuestion, WantedPlaces]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The places of one search's hits, best first."""

    hits: tuple[Place, ...]
    exact: frozenset[Place] = frozenset()
    """Those that the search says were named."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What the table's own searches list for the same question, by name of the search."""

    full_text: tuple[Place, ...] = ()
    hybrid: tuple[Place, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Retrieved:
    """The figures of one question."""

    passed: bool
    outcomes: dict[str, bool]
    measures: dict[str, float]


def scored(wanted: WantedPlaces, listing: Listing, beside: Beside) -> Retrieved:
    """The figures of a listing, beside those of the table's own searches."""
    right = frozenset(wanted.places)
    outcomes = {
        "found_5": bool(right & set(listing.hits[:NEAR])),
        "found_10": bool(right & set(listing.hits[:CUTOFF])),
        "no_result": not listing.hits,
        "full_text_found_5": bool(right & set(beside.full_text[:NEAR])),
        "full_text_found_10": bool(right & set(beside.full_text[:CUTOFF])),
        "hybrid_found_5": bool(right & set(beside.hybrid[:NEAR])),
    }
    if wanted.exact:
        outcomes["reference_hit"] = right <= listing.exact & set(listing.hits)
    measures = {
        "reciprocal_rank": reciprocal_rank(listing.hits, right),
        "recall_10": len(right & set(listing.hits[:CUTOFF])) / min(len(right), CUTOFF),
        "map_10": average_precision(_names(listing.hits), frozenset(map("\n".join, right)), cutoff=CUTOFF),
        "full_text_map_10": average_precision(
            _names(beside.full_text), frozenset(map("\n".join, right)), cutoff=CUTOFF
        ),
    }
    passed = outcomes["reference_hit"] if wanted.exact else outcomes["found_10"]
    return Retrieved(passed=passed, outcomes=outcomes, measures=measures)


def reciprocal_rank(hits: Sequence[Place], right: frozenset[Place]) -> float:
    """One by the rank of the first right hit among the first ten; 0 where there is none."""
    return next((1 / rank for rank, hit in enumerate(hits[:CUTOFF], start=1) if hit in right), 0.0)


def _names(places: Sequence[Place]) -> list[str]:
    return ["\n".join(place) for place in places]
