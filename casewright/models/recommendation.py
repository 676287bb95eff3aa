"""The task `draft.recommendation`: findings that explain an outcome that rules computed.

The outcome, its amount and the deadlines are given. A model words the findings and chooses the
quotes; it cannot change what is proposed.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.contracts.recommendation import Deadline, Limit, Outcome
from casewright.models.excerpt import ClauseExcerpt, Quotation, quote_problem
from casewright.models.support import has_hidden_characters, spellings, unsupported
from casewright.models.task import RankedEvidence, Task

MAXIMUM_FINDINGS = 40
MAXIMUM_CITATIONS = 8


class CaseFact(Contract):
    """One value of the case file."""

    path: str
    """`transactions/t1/amount_minor`."""
    value: str
    label: str
    """What it is, for people: "amount"."""


class MissingItem(Contract):
    """Evidence that is needed and not there."""

    id: str
    title: str
    why: str


class DraftInput(Contract):
    """Facts, what rules computed from them, and the clauses found."""

    facts: tuple[CaseFact, ...]
    outcome: Outcome
    currency: str
    deadlines: tuple[Deadline, ...]
    limits: tuple[Limit, ...]
    missing: tuple[MissingItem, ...]
    clauses: tuple[ClauseExcerpt, ...]


class DraftFinding(Contract):
    """One sentence and its backing."""

    claim: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    """One sentence, or the quoted sentences themselves."""
    citations: Annotated[tuple[Quotation, ...], Field(max_length=MAXIMUM_CITATIONS)]
    fact_paths: Annotated[tuple[str, ...], Field(max_length=60)]


class DraftOutput(Contract):
    """The worded recommendation."""

    findings: Annotated[tuple[DraftFinding, ...], Field(max_length=MAXIMUM_FINDINGS)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    """One sentence: why this action."""
    open_questions: Annotated[tuple[Annotated[str, StringConstraints(max_length=600)], ...], Field(max_length=40)]


def check_draft(value: DraftInput, output: DraftOutput) -> tuple[str, ...]:
    """Every finding is backed: ids and paths were given, quotes are whole and verbatim."""
    clauses = {clause.clause_id: clause for clause in value.clauses}
    facts = {fact.path: fact.value for fact in value.facts}
    problems: list[str] = []
    if not output.findings and facts:
        problems.append("findings: there must be at least one, for there are facts")
    for number, finding in enumerate(output.findings):
        problems += [f"findings.{number}: {text}" for text in _finding_problems(finding, clauses, facts)]
    if any(has_hidden_characters(text) for text in (output.reason, *output.open_questions)):
        problems.append("reason, open_questions: leave out invisible characters")
    return tuple(problems)


def backing(finding: DraftFinding, facts: dict[str, str]) -> tuple[str, ...]:
    """The texts a claim may draw its numbers and modal words from."""
    quotes = tuple(citation.quote for citation in finding.citations)
    values = tuple(text for path in finding.fact_paths if path in facts for text in spellings(path, facts[path]))
    return quotes + values


def _finding_problems(finding: DraftFinding, clauses: dict[str, ClauseExcerpt], facts: dict[str, str]) -> list[str]:
    problems = [f"fact path {path!r} is not among the facts given" for path in finding.fact_paths if path not in facts]
    for citation in finding.citations:
        clause = clauses.get(citation.clause_id)
        if clause is None:
            problems.append(f"clause {citation.clause_id!r} is not among the clauses given")
            continue
        problem = quote_problem(clause, citation.quote)
        if problem:
            problems.append(f"{problem} ({citation.clause_id!r})")
        elif has_hidden_characters(citation.quote):
            problems.append(f"the quote holds invisible characters: leave it out ({citation.clause_id!r})")
    if not finding.citations and not finding.fact_paths:
        problems.append("it has neither a citation nor a fact")
    loose = unsupported(finding.claim, backing(finding, facts))
    if loose:
        problems.append(f"the claim says {', '.join(map(repr, loose))}, which is in none of its quotes or facts")
    if has_hidden_characters(finding.claim):
        problems.append("leave out invisible characters")
    return problems


def _first_clauses(value: DraftInput, count: int) -> DraftInput:
    """With the first clauses: those that rules name stand before those that a search found."""
    return value.model_copy(update={"clauses": value.clauses[:count]})


DRAFT_RECOMMENDATION: Task[DraftInput, DraftOutput] = Task(
    name="draft.recommendation",
    version=1,
    input=DraftInput,
    output=DraftOutput,
    prompt="drafting.md",
    risk="high",
    max_output_tokens=12_000,
    timeout_seconds=120.0,
    untrusted_fields=("facts", "clauses"),
    check=check_draft,
    may_degrade=True,
    data_class=Classification.CONFIDENTIAL,
    holds_case=True,
    personal_data=True,
    deterministic=False,
    max_cost_micro=1_500_000,
    evidence=RankedEvidence(count=lambda value: len(value.clauses), best=_first_clauses),
    hidden={"clauses": {"__all__": {"sha256"}}},
)
