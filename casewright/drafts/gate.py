"""The citation gate: whether every sentence of a recommendation is backed, in code.

Pure: the corpus, the run's retrievals and the case come in as values. It finds all problems,
not the first. Exact quotes are the corpus's to verify; the gate adds what a true quote cannot
show: that the claim beside it says the same numbers, duties and conditions. It is *not* a judge
of whether the recommendation is wise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from casewright.contracts.recommendation import Citation, Finding, Recommendation, VerifiedCitation
from casewright.drafts.characters import hidden_characters
from casewright.drafts.support import Support, SupportContext


@dataclass(frozen=True, kw_only=True)
class GateContext:
    """What the gate may rely on; all of it comes from the servers, nothing from the draft."""

    verify: Callable[[Citation], VerifiedCitation]
    """The corpus: in force, visible to the caller, whole sentences, exact."""
    retrieved: frozenset[str]
    """`document_id@version#label` of what this run has retrieved."""
    resolve_fact: Callable[[str], str | None]
    """The value at a path of the case as the caller sees it."""
    known_values: frozenset[str]
    """Amounts, dates and identifiers of the case in their accepted spellings."""


class GateReport(NamedTuple):
    """Every citation with its verdict, and everything that is wrong; no problem: it may be saved."""

    citations: tuple[VerifiedCitation, ...]
    problems: tuple[str, ...]


def check(recommendation: Recommendation, *, context: GateContext) -> GateReport:
    """Check every finding; whatever cannot be checked is a problem."""
    problems = list(_hidden_problems(recommendation))
    citations: list[VerifiedCitation] = []
    for number, finding in enumerate(recommendation.summary, start=1):
        verified, found = _check_finding(finding, recommendation, context)
        citations += verified
        problems += [f"finding {number}: {problem}" for problem in found]
    return GateReport(tuple(citations), tuple(dict.fromkeys(problems)))


def _check_finding(
    finding: Finding, recommendation: Recommendation, context: GateContext
) -> tuple[list[VerifiedCitation], list[str]]:
    verified: list[VerifiedCitation] = []
    problems: list[str] = []
    for citation in finding.citations:
        result, problem = _check_citation(citation, context)
        verified.append(result)
        if problem:
            problems.append(problem)
    problems += _fact_problems(finding, context)
    if not finding.claim.strip():
        problems.append("the claim is empty; say one sentence")
    elif not finding.citations and not finding.facts:
        problems.append(f"{finding.claim!r} has neither a citation nor a fact; quote the clause it stands on")
    else:
        support = SupportContext(
            action=recommendation.action,
            case_id=recommendation.case_id,
            known_values=context.known_values,
            resolve_fact=context.resolve_fact,
        )
        problems += Support.of(finding, support).problems()
    return verified, problems


def _check_citation(citation: Citation, context: GateContext) -> tuple[VerifiedCitation, str]:
    clause_id = f"{citation.document_id}@{citation.version}#{citation.label}"
    result = context.verify(citation)
    problem = ""
    if Citation(**result.model_dump(exclude={"verified", "problem"})) != citation:
        problem = "another citation was verified than the one given"
    elif result.verified is not True or result.problem:
        problem = result.problem or "it could not be verified"
    elif clause_id not in context.retrieved:
        problem = "this run has not retrieved that clause; search for it or read it first"
    if not problem:
        return result, ""
    refused = VerifiedCitation(**citation.model_dump(), verified=False, problem=problem)
    return refused, f"the citation of {clause_id!r} does not hold: {problem}"


def _fact_problems(finding: Finding, context: GateContext) -> Iterator[str]:
    for fact in finding.facts:
        held = context.resolve_fact(fact.path)
        if held is None:
            yield f"there is no fact {fact.path!r} in this case; name a path the case facts server gave"
        elif held != fact.value:
            yield f"the fact {fact.path!r} is not {fact.value!r}; read it again"


def _hidden_problems(recommendation: Recommendation) -> Iterator[str]:
    for place, text in _texts(recommendation):
        hidden = hidden_characters(text)
        if hidden:
            yield f"{place} holds characters that cannot be seen ({', '.join(hidden)}); remove them"


def _texts(recommendation: Recommendation) -> Iterator[tuple[str, str]]:
    yield "the reason", recommendation.action.reason
    yield "the model", recommendation.model
    yield "the index version", recommendation.index_version
    for number, question in enumerate(recommendation.open_questions, start=1):
        yield f"question {number}", question
    for number, finding in enumerate(recommendation.summary, start=1):
        yield f"finding {number}: the claim", finding.claim
        for citation in finding.citations:
            yield f"finding {number}: a citation", " ".join(citation.model_dump().values())
        for fact in finding.facts:
            yield f"finding {number}: a fact", f"{fact.path} {fact.value}"
