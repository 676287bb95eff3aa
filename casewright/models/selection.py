"""The task `research.select`: which of the clauses found bear on a question."""

from typing import Annotated

from pydantic import Field, StringConstraints

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.models.task import RankedEvidence, Task

MAXIMUM_CHOSEN = 12


class CandidateClause(Contract):
    """A clause that a search found."""

    clause_id: str
    label: str
    lead_in: str
    text: str
    score: float
    """Comparable within one input only."""


class SelectInput(Contract):
    """A question and what was found for it."""

    topic: str
    """The question or subject, in words."""
    clauses: tuple[CandidateClause, ...]


class SelectOutput(Contract):
    """The clauses that bear on it."""

    clause_ids: Annotated[tuple[str, ...], Field(max_length=MAXIMUM_CHOSEN)]
    """In order of weight; empty: none of them bears on it."""
    why: Annotated[str, StringConstraints(max_length=600)]


def check_selection(value: SelectInput, output: SelectOutput) -> tuple[str, ...]:
    """Every chosen id was offered, and each is chosen once."""
    offered = {clause.clause_id for clause in value.clauses}
    problems = [
        f"clause_ids.{number}: {chosen!r} is not among the clauses given"
        for number, chosen in enumerate(output.clause_ids)
        if chosen not in offered
    ]
    if len(set(output.clause_ids)) != len(output.clause_ids):
        problems.append("clause_ids: name each clause once")
    return tuple(problems)


def _best_scored(value: SelectInput, count: int) -> SelectInput:
    """With the clauses that the search gave the highest scores, in the order in which they were given."""
    places = sorted(range(len(value.clauses)), key=lambda place: value.clauses[place].score, reverse=True)[:count]
    return value.model_copy(update={"clauses": tuple(value.clauses[place] for place in sorted(places))})


RESEARCH_SELECT: Task[SelectInput, SelectOutput] = Task(
    name="research.select",
    version=1,
    input=SelectInput,
    output=SelectOutput,
    prompt="research.md",
    risk="medium",
    max_output_tokens=4_000,
    timeout_seconds=60.0,
    untrusted_fields=("topic", "clauses"),
    check=check_selection,
    may_degrade=True,
    data_class=Classification.INTERNAL,
    holds_case=False,
    personal_data=False,
    deterministic=True,
    max_cost_micro=500_000,
    evidence=RankedEvidence(count=lambda value: len(value.clauses), best=_best_scored),
)
