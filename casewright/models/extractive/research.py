"""Answers `research.select` by the words a clause shares with the question and by its score."""

from casewright.models.extractive.matching import overlap, terms
from casewright.models.selection import MAXIMUM_CHOSEN, CandidateClause, SelectInput, SelectOutput

_SHARE_OF_BEST = 0.4
"""A clause is kept from this share of the best weight."""


def select(value: SelectInput) -> SelectOutput:
    """Clauses by weight, the best first; none when none shares a word and none has a score."""
    highest = max((clause.score for clause in value.clauses), default=0.0)
    wanted = terms(value.topic)
    weights: dict[str, float] = {}
    for clause in value.clauses:
        weight = overlap(wanted, f"{clause.lead_in} {clause.text}") + _share(clause, highest)
        weights[clause.clause_id] = max(weight, weights.get(clause.clause_id, 0.0))
    best = max(weights.values(), default=0.0)
    if best <= 0.0:
        return SelectOutput(clause_ids=(), why="No clause given bears on the question.")
    order = {clause.clause_id: at for at, clause in reversed(list(enumerate(value.clauses)))}
    kept = [name for name, weight in weights.items() if weight >= best * _SHARE_OF_BEST]
    kept.sort(key=lambda name: (-weights[name], order[name]))
    return SelectOutput(
        clause_ids=tuple(kept[:MAXIMUM_CHOSEN]), why="Clauses that share most words with the question, best first."
    )


def _share(clause: CandidateClause, highest: float) -> float:
    return clause.score / highest if highest > 0 and clause.score > 0 else 0.0
