"""What the offline provider drafts for the sample cases, before the citation gate itself."""

import datetime as dt
import json
from functools import cache
from pathlib import Path

import pytest

from casewright.access.embedded import EmbeddedEngine
from casewright.cases.assessment import assess
from casewright.cases.collections import COLLECTIONS, item_fields, item_id, items_of
from casewright.cases.facts import known_values, resolve_fact
from casewright.config import app_root
from casewright.contracts.case import CaseFile
from casewright.contracts.clause import Clause
from casewright.contracts.recommendation import (
    CaseAssessment,
    Citation,
    FactRef,
    Finding,
    ProposedAction,
    Recommendation,
    VerifiedCitation,
)
from casewright.corpus.citations import refused, verify_quote
from casewright.corpus.documents import ParsedDocument, parse_document
from casewright.corpus.sentences import sentences
from casewright.drafts.gate import GateContext, check
from casewright.models.accounting import MemoryRecorder
from casewright.models.excerpt import ClauseExcerpt
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from casewright.models.recommendation import CaseFact, DraftInput, DraftOutput, MissingItem
from casewright.models.tasks import DRAFT_RECOMMENDATION
from tests.support.model_permission import offline_only

SAMPLE = app_root() / "casewright" / "sample"
TENANTS = ("harborline", "millbrook")


@cache
def documents(tenant: str) -> tuple[ParsedDocument, ...]:
    paths = sorted((SAMPLE / tenant / "documents").glob("*.md"))
    return tuple(parse_document(path.read_bytes(), tenant=tenant) for path in paths)


def in_force(tenant: str, on: dt.date) -> list[ParsedDocument]:
    latest: dict[str, ParsedDocument] = {}
    for document in documents(tenant):
        matter = document.matter
        if matter.status != "published" or matter.effective_from > on:
            continue
        before = latest.get(matter.document_id)
        if before is None or before.matter.effective_from < matter.effective_from:
            latest[matter.document_id] = document
    return list(latest.values())


def cases() -> list[tuple[str, CaseFile]]:
    found: list[tuple[str, CaseFile]] = []
    for tenant in TENANTS:
        content = json.loads((SAMPLE / tenant / "cases.json").read_text(encoding="utf-8"))
        found += [(tenant, CaseFile.model_validate({**one, "tenant": tenant})) for one in content]
    return found


def facts_of(case: CaseFile) -> tuple[CaseFact, ...]:
    """Every single value of the case, as the case facts server would hand them over."""
    paths = [f"case/{field}" for field in item_fields(CaseFile)]
    for name in COLLECTIONS:
        paths += [
            f"{name}/{item_id(item)}/{field}" for item in items_of(case, name) for field in item_fields(type(item))
        ]
    values = ((path, resolve_fact(case, path)) for path in paths)
    return tuple(CaseFact(path=path, value=value, label="") for path, value in values if value is not None)


def excerpts(tenant: str, on: dt.date) -> tuple[ClauseExcerpt, ...]:
    return tuple(
        ClauseExcerpt(
            clause_id=f"{document.matter.document_id}@{document.matter.version}#{clause.label}",
            document_id=document.matter.document_id,
            version=document.matter.version,
            label=clause.label,
            sha256=clause.sha256,
            text=clause.text,
            sentences=sentences(clause.text),
            lead_in=" ".join(clause.lead_in),
        )
        for document in in_force(tenant, on)
        for clause in document.clauses
    )


def as_clause(excerpt: ClauseExcerpt) -> Clause:
    return Clause(
        clause_id=excerpt.clause_id,
        document_id=excerpt.document_id,
        version=excerpt.version,
        label=excerpt.label,
        title="",
        heading="",
        text=excerpt.text,
        sha256=excerpt.sha256,
        parents=(),
        position=0,
        effective_from=dt.date(2017, 1, 1),
        effective_to=None,
        status="published",
    )


def recommendation(value: DraftInput, output: DraftOutput, case: CaseFile) -> Recommendation:
    clauses = {clause.clause_id: clause for clause in value.clauses}
    facts = {fact.path: fact.value for fact in value.facts}
    return Recommendation(
        case_id=case.case_id,
        as_of=case.received_on,
        summary=tuple(
            Finding(
                claim=finding.claim,
                citations=tuple(
                    Citation(
                        document_id=clauses[one.clause_id].document_id,
                        version=clauses[one.clause_id].version,
                        label=clauses[one.clause_id].label,
                        quote=one.quote,
                        sha256=clauses[one.clause_id].sha256,
                    )
                    for one in finding.citations
                ),
                facts=tuple(FactRef(path=path, value=facts[path]) for path in finding.fact_paths),
            )
            for finding in output.findings
        ),
        action=ProposedAction(kind=value.outcome.action, amount_minor=value.outcome.amount_minor, reason=output.reason),
        risk=value.outcome.risk,
        open_questions=output.open_questions,
        model="offline/extractive",
        index_version="test",
    )


def gate_problems(value: DraftInput, output: DraftOutput, case: CaseFile) -> tuple[str, ...]:
    clauses = {clause.clause_id: as_clause(clause) for clause in value.clauses}

    def verify(citation: Citation) -> VerifiedCitation:
        clause = clauses.get(f"{citation.document_id}@{citation.version}#{citation.label}")
        return verify_quote(citation, clause) if clause else refused(citation, "it is not there")

    context = GateContext(
        verify=verify,
        retrieved=frozenset(clauses),
        resolve_fact=lambda path: resolve_fact(case, path),
        known_values=known_values(case),
    )
    return check(recommendation(value, output, case), context=context).problems


def draft_input(tenant: str, case: CaseFile, assessment: CaseAssessment) -> DraftInput:
    return DraftInput(
        facts=facts_of(case),
        outcome=assessment.outcome,
        currency=case.currency,
        deadlines=assessment.deadlines,
        limits=assessment.limits,
        missing=tuple(MissingItem(id=item.id, title=item.title, why=item.why) for item in assessment.evidence.missing),
        clauses=excerpts(tenant, case.received_on),
    )


@pytest.mark.proves("F2", "C1")
async def test_every_offline_draft_of_a_sample_case_passes_the_citation_gate() -> None:
    engine = EmbeddedEngine.load(Path(app_root() / "policies"))
    gateway = Gateway(
        [OfflineProvider()],
        PromptLibrary(app_root() / "agents" / "prompts"),
        MemoryRecorder(),
        permission=offline_only(),
    )
    problems: dict[str, tuple[str, ...]] = {}
    unquoted: dict[str, str] = {}
    for tenant, case in cases():
        value = draft_input(tenant, case, assess(case, engine=engine, today=dt.date(2026, 6, 30)))
        context = CallContext(run_id="r", case_id=case.case_id, tenant=tenant, agent="drafter")
        result = await gateway.run(DRAFT_RECOMMENDATION, value, context=context)
        found = gate_problems(value, result.output, case)
        if found:
            problems[case.case_id] = found
        if "not quoted" in str(result.output.open_questions):
            unquoted[case.case_id] = str(result.output.open_questions)
        assert result.output.findings[-1].claim.startswith("Proposed action: ")
        assert any(finding.citations for finding in result.output.findings)
    assert problems == {}
    assert unquoted == {}
