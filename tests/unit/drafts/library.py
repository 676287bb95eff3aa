"""The sample policies as a small corpus in memory, checked with the corpus's own quote verification."""

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import casewright.sample
from casewright.canonical import sha256_text
from casewright.contracts.clause import Clause
from casewright.contracts.recommendation import (
    Citation,
    FactRef,
    Finding,
    ProposedAction,
    Recommendation,
    VerifiedCitation,
)
from casewright.corpus.citations import refused, verify_quote
from casewright.corpus.documents import parse_document
from casewright.drafts.gate import GateContext, GateReport, check

AS_OF = dt.date(2026, 3, 4)
_TENANT = "harborline"


@cache
def clauses() -> Mapping[str, Clause]:
    """Every clause of every version of the sample tenant's policies, by clause id."""
    folder = Path(next(iter(casewright.sample.__path__))) / _TENANT / "documents"
    found: dict[str, Clause] = {}
    for path in sorted(folder.glob("*.md")):
        document = parse_document(path.read_bytes(), tenant=_TENANT)
        matter = document.matter
        for parsed in document.clauses:
            clause_id = f"{matter.document_id}@{matter.version}#{parsed.label}"
            found[clause_id] = Clause(
                clause_id=clause_id,
                document_id=matter.document_id,
                version=matter.version,
                label=parsed.label,
                title=matter.title,
                heading=parsed.heading,
                text=parsed.text,
                sha256=parsed.sha256,
                parents=parsed.parents,
                position=parsed.position,
                effective_from=matter.effective_from,
                effective_to=None,
                status=matter.status,
            )
    return found


@cache
def versions_in_force() -> Mapping[str, str]:
    """Document to the published version in force on the test's date."""
    newest: dict[str, tuple[dt.date, str]] = {}
    for clause in clauses().values():
        if clause.status == "published" and clause.effective_from <= AS_OF:
            newest[clause.document_id] = max(
                newest.get(clause.document_id, (dt.date.min, "")), (clause.effective_from, clause.version)
            )
    return {document_id: version for document_id, (_, version) in newest.items()}


@cache
def in_force() -> tuple[Clause, ...]:
    current = versions_in_force()
    return tuple(clause for clause in clauses().values() if current.get(clause.document_id) == clause.version)


def superseded() -> tuple[Clause, ...]:
    current = versions_in_force()
    return tuple(clause for clause in clauses().values() if current.get(clause.document_id) != clause.version)


def verify(citation: Citation) -> VerifiedCitation:
    """As the corpus does: in force, then the exact quote."""
    clause = clauses().get(f"{citation.document_id}@{citation.version}#{citation.label}")
    if clause is None or versions_in_force().get(clause.document_id) != clause.version:
        return refused(citation, "there is no such clause in force")
    return verify_quote(citation, clause)


def cite(clause: Clause, quote: str | None = None, **changes: Any) -> Citation:
    """The clause, quoted whole unless a quote is given."""
    citation = Citation(
        document_id=clause.document_id,
        version=clause.version,
        label=clause.label,
        quote=clause.text if quote is None else quote,
        sha256=clause.sha256,
    )
    return citation.model_copy(update=changes)


def made_up(text: str, *, label: str = "1.1") -> Clause:
    """A clause that is in no corpus, for rules about wording; use with `trusted`."""
    return in_force()[0].model_copy(update={"text": text, "sha256": sha256_text(text), "label": label})


def finding(claim: str, *citations: Citation, facts: Mapping[str, str] | None = None) -> Finding:
    named = tuple(FactRef(path=path, value=value) for path, value in (facts or {}).items())
    return Finding(claim=claim, citations=citations, facts=named)


def recommendation(*findings: Finding, **changes: Any) -> Recommendation:
    made = Recommendation(
        case_id="HL-1",
        as_of=AS_OF,
        summary=findings,
        action=ProposedAction(kind="issue_provisional_credit", amount_minor=12550, reason="The investigation is open."),
        risk="medium",
        model="offline/extractive",
        index_version="idx-1",
    )
    return made.model_copy(update=changes)


FACTS = {
    "case/received_on": "2026-03-04",
    "case/currency": "USD",
    "transactions/t1/amount_minor": "12550",
    "transactions/t1/currency": "USD",
    "transactions/t1/posted_on": "2026-03-02",
    "transactions/t1/channel": "point_of_sale",
    "transactions/t1/disputed": "true",
    "communications/c1/text": "You must refund me 999.99 within 3 days, or else.",
}
KNOWN = frozenset({"125.50", "$125.50", "125.50 USD", "2026-03-04", "March 4, 2026", "HL-1", "4411"})


def context(**changes: Any) -> GateContext:
    fields: dict[str, Any] = {
        "verify": verify,
        "retrieved": frozenset(clauses()),
        "resolve_fact": FACTS.get,
        "known_values": KNOWN,
    }
    return GateContext(**(fields | changes))


def trusted(citation: Citation) -> VerifiedCitation:
    """Take any quote for true, so that only the claim is judged."""
    return VerifiedCitation(**citation.model_dump(), verified=True)


def judged(made: Finding, *, within: GateContext | None = None) -> GateReport:
    return check(recommendation(made), context=within or context())


def problems_of(claim: str, quotes: Iterable[str] = (), facts: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Problems of a claim over quotes that are taken for true."""
    cited = [cite(made_up(text, label=f"1.{number}")) for number, text in enumerate(quotes, start=1)]
    retrieved = frozenset(f"{one.document_id}@{one.version}#{one.label}" for one in cited)
    within = context(verify=trusted, retrieved=retrieved)
    return judged(finding(claim, *cited, facts=facts), within=within).problems
