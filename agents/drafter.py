"""The drafter: words the findings for an outcome that rules computed, and saves the draft.

The model chooses quotes and writes claims; action, amount, reason and open questions come from
the outcome. If the citation gate finds unbacked findings they are left out once; what is then
still refused is a failure with its reasons, never a weaker draft.
"""

import datetime as dt
import re
from dataclasses import dataclass

from agents.documents import SavedReading
from agents.toolbox import Toolbox
from casewright.contracts.recommendation import (
    CaseAssessment,
    Citation,
    FactRef,
    Finding,
    ProposedAction,
    Recommendation,
)
from casewright.models.excerpt import ClauseExcerpt
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.recommendation import (
    DRAFT_RECOMMENDATION,
    CaseFact,
    DraftFinding,
    DraftInput,
    MissingItem,
)

_FINDING_NUMBER = re.compile(r"^finding (\d+)")


@dataclass(frozen=True, kw_only=True)
class Materials:
    """What a draft stands on, read again from the servers for this one step."""

    case_id: str
    as_of: str
    currency: str
    facts: tuple[CaseFact, ...]
    assessment: CaseAssessment
    clauses: tuple[ClauseExcerpt, ...]
    index_version: str


@dataclass(frozen=True, kw_only=True)
class DraftNote:
    """The saved draft, or why there is none."""

    draft_id: str
    version: int
    digest: str
    problems: tuple[str, ...]
    dropped: int
    """Findings that the gate refused and that were left out."""
    model: str
    stands_on: tuple[str, ...]
    """The clauses and facts that its findings name, in order; the wording is no part of it."""


async def draft(
    tools: Toolbox, gateway: Gateway, context: CallContext, materials: Materials, *, draft_id: str = ""
) -> DraftNote:
    """Write and save a draft; a given `draft_id` gets its next version."""
    result = await gateway.run(DRAFT_RECOMMENDATION, _asked(materials), context=context)
    model = result.record.model
    findings = [_finding(item, materials) for item in result.output.findings]
    if not findings:
        nothing = ("there was nothing that a finding could stand on",)
        return DraftNote(draft_id="", version=0, digest="", problems=nothing, dropped=0, model=model, stands_on=())
    saved = await _save(tools, _recommendation(materials, findings, model), draft_id)
    kept = findings
    if not saved.ok:
        kept = _without(findings, saved.problems)
        if kept and len(kept) < len(findings):
            saved = await _save(tools, _recommendation(materials, kept, model), draft_id)
    return DraftNote(
        draft_id=saved.draft_id,
        version=saved.version,
        digest=saved.digest,
        problems=saved.problems,
        dropped=len(findings) - len(kept),
        model=model,
        stands_on=_stands_on(kept),
    )


def _stands_on(findings: list[Finding]) -> tuple[str, ...]:
    clauses = {f"{item.document_id}@{item.version}#{item.label}" for one in findings for item in one.citations}
    facts = {f"{fact.path}={fact.value}" for one in findings for fact in one.facts}
    return (*sorted(clauses), *sorted(facts))


def _asked(materials: Materials) -> DraftInput:
    assessment = materials.assessment
    missing = tuple(MissingItem(id=item.id, title=item.title, why=item.why) for item in assessment.evidence.missing)
    return DraftInput(
        facts=materials.facts,
        outcome=assessment.outcome,
        currency=materials.currency,
        deadlines=assessment.deadlines,
        limits=assessment.limits,
        missing=missing,
        clauses=materials.clauses,
    )


def _finding(item: DraftFinding, materials: Materials) -> Finding:
    clauses = {clause.clause_id: clause for clause in materials.clauses}
    values = {fact.path: fact.value for fact in materials.facts}
    citations = tuple(
        Citation(
            document_id=clauses[quoted.clause_id].document_id,
            version=clauses[quoted.clause_id].version,
            label=clauses[quoted.clause_id].label,
            quote=quoted.quote,
            sha256=clauses[quoted.clause_id].sha256,
        )
        for quoted in item.citations
    )
    facts = tuple(FactRef(path=path, value=values[path]) for path in item.fact_paths)
    return Finding(claim=item.claim, citations=citations, facts=facts)


def _recommendation(materials: Materials, findings: list[Finding], model: str) -> Recommendation:
    outcome = materials.assessment.outcome
    return Recommendation(
        case_id=materials.case_id,
        as_of=dt.date.fromisoformat(materials.as_of),
        summary=tuple(findings),
        action=ProposedAction(
            kind=outcome.action,
            amount_minor=outcome.amount_minor,
            currency=materials.currency,
            reason=outcome.basis[0].because,
        ),
        risk=outcome.risk,
        open_questions=outcome.questions,
        model=model,
        index_version=materials.index_version,
    )


async def _save(tools: Toolbox, recommendation: Recommendation, draft_id: str) -> SavedReading:
    arguments = {"recommendation": recommendation.model_dump(mode="json"), "draft_id": draft_id}
    return await tools.call("save_draft", arguments, SavedReading)


def _without(findings: list[Finding], problems: tuple[str, ...]) -> list[Finding]:
    """The findings that no problem names; problems start with `finding N`, counted from 1."""
    refused = {int(match.group(1)) for problem in problems if (match := _FINDING_NUMBER.match(problem))}
    return [finding for number, finding in enumerate(findings, start=1) if number not in refused]
