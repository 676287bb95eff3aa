"""One row of the index: a clause with everything that is filtered, shown or searched.

Rows are made from parsed documents at ingest and read back as contracts. Dates are
integers (yyyymmdd), so that ranges compare without time zones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casewright.contracts.clause import LEAD_IN_SEPARATOR, Clause, ClauseHit, DocumentStatus, DocumentVersion
from casewright.corpus.clauses import ParsedClause
from casewright.corpus.documents import ParsedDocument
from casewright.corpus.effective import VersionRange
from casewright.corpus.filters import OPEN_END, day_from_number, day_number, label_set_name, start_day
from casewright.corpus.labels import fold_reference
from casewright.corpus.lexicon import term_hashes
from casewright.corpus.manifest import Approval, ManifestEntry, Submission

_STATUSES: dict[str, DocumentStatus] = {"published": "published", "draft": "draft", "withdrawn": "withdrawn"}
CLAUSE_COLUMNS = (
    "document_id",
    "version",
    "label",
    "title",
    "heading",
    "text",
    "sha256",
    "parents",
    "position",
    "effective_from",
    "effective_to",
    "status",
    "lead_in",
)
HIT_COLUMNS = (*CLAUSE_COLUMNS, "tenant")
"""What a search reads of its hits."""
VERSION_COLUMNS = (
    "tenant",
    "document_id",
    "version",
    "title",
    "status",
    "label_set",
    "issuer",
    "jurisdiction",
    "effective_from",
    "own_effective_to",
    "effective_to",
    "correction",
    "published",
    "supersedes",
    "file_sha256",
    "clause_count",
    "approval",
    "source",
    "parser",
    "ingested_by",
    "ingested_at",
    "approved_by",
    "approved_at",
)


@dataclass(frozen=True, kw_only=True)
class IndexedVersion:
    """One document version as the index knows it."""

    tenant: str
    document_id: str
    version: str
    title: str
    status: DocumentStatus
    label_set: str
    issuer: str
    effective_from: int
    own_effective_to: int
    effective_to: int
    file_sha256: str
    clause_count: int
    approval: Approval
    correction: int = 0
    """Which correction of a text with the same first day; the highest counts."""
    published: int = 0
    """As yyyymmdd; 0 where it does not say."""
    supersedes: str = ""
    jurisdiction: str = ""
    """Code of ISO 3166; "" where it does not say."""
    source: str = ""
    parser: str = ""
    ingested_by: str = ""
    ingested_at: str = ""
    approved_by: str = ""
    approved_at: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.tenant, self.document_id, self.version)

    @property
    def range(self) -> VersionRange:
        """Its place in the chain; one that is not approved takes no more part than a draft."""
        return VersionRange(
            version=self.version,
            status=self.status if self.approval == "approved" else "draft",
            correction=self.correction,
            published=self.published,
            effective_from=self.effective_from,
            own_effective_to=self.own_effective_to,
        )

    def contract(self) -> DocumentVersion:
        return DocumentVersion(
            document_id=self.document_id,
            version=self.version,
            title=self.title,
            tenant=self.tenant,
            status=self.status,
            labels=tuple(label for label in self.label_set.split("#") if label),
            issuer=self.issuer,
            jurisdiction=self.jurisdiction,
            effective_from=start_day(self.effective_from),
            effective_to=day_from_number(self.effective_to),
            clauses=self.clause_count,
            sha256=self.file_sha256,
        )

    def entry(self) -> ManifestEntry:
        """Its record."""
        return ManifestEntry(
            document=self.contract(),
            approval=self.approval,
            source=self.source,
            parser=self.parser,
            ingested_by=self.ingested_by,
            ingested_at=self.ingested_at,
            approved_by=self.approved_by,
            approved_at=self.approved_at,
        )


def version_of(document: ParsedDocument, *, tenant: str, source: str, submission: Submission) -> IndexedVersion:
    """The version a parsed file holds, not yet placed in its chain."""
    matter = document.matter
    approver = (submission.by, submission.at) if submission.approved else ("", "")
    return IndexedVersion(
        tenant=tenant,
        document_id=matter.document_id,
        version=matter.version,
        title=matter.title,
        status=matter.status,
        label_set=label_set_name(matter.labels),
        issuer=matter.issuer,
        jurisdiction=matter.jurisdiction,
        effective_from=day_number(matter.effective_from),
        own_effective_to=OPEN_END if matter.effective_to is None else day_number(matter.effective_to),
        effective_to=OPEN_END,
        correction=matter.correction,
        published=0 if matter.published is None else day_number(matter.published),
        supersedes=matter.supersedes,
        file_sha256=document.file_sha256,
        clause_count=len(document.clauses),
        approval="approved" if submission.approved else "pending",
        source=source,
        parser=document.parser,
        ingested_by=submission.by,
        ingested_at=submission.at,
        approved_by=approver[0],
        approved_at=approver[1],
    )


def version_from(values: Mapping[str, Any]) -> IndexedVersion:
    """A version as read from the index."""
    fields: dict[str, Any] = {name: values[name] for name in VERSION_COLUMNS}
    fields["status"] = _STATUSES[values["status"]]
    fields["approval"] = "approved" if values["approval"] == "approved" else "pending"
    return IndexedVersion(**fields)


def row_values(version: IndexedVersion, clause: ParsedClause) -> dict[str, Any]:
    """The columns of one clause, all but the vector."""
    body = f"{version.title} {search_text(clause)}"
    return {name: getattr(version, name) for name in VERSION_COLUMNS} | {
        "label": clause.label,
        "parent": clause.parents[-1] if clause.parents else "",
        "reference": fold_reference(clause.label),
        "position": clause.position,
        "heading": clause.heading,
        "text": clause.text,
        "sha256": clause.sha256,
        "parents": list(clause.parents),
        "lead_in": LEAD_IN_SEPARATOR.join(clause.lead_in),
        "links": clause.links.to_text(),
        "body": body,
        "terms": term_hashes(body),
    }


def search_text(clause: ParsedClause) -> str:
    """What is embedded: headings below the title, titles of parents, lead-in, text."""
    headings = clause.heading.split(" > ")[1:]
    return " ".join((*headings, *clause.titles, *clause.lead_in, clause.text))


def context_text(values: Mapping[str, Any]) -> str:
    """Title, last heading, lead-in and text of a row: what a question is compared with."""
    heading = str(values["heading"]).rpartition(" > ")[2]
    return f"{values['title']} {heading} {values['lead_in']} {values['text']}"


def clause_from(values: Mapping[str, Any]) -> Clause:
    """A clause as read from the index."""
    return Clause(**_clause_fields(values))


def hit_from(values: Mapping[str, Any], *, score: float, rank: int, exact_reference: bool) -> ClauseHit:
    """A clause as one result of a search."""
    return ClauseHit(
        **_clause_fields(values),
        score=score,
        rank=rank,
        exact_reference=exact_reference,
        lead_in=values["lead_in"],
    )


def clause_id(values: Mapping[str, Any]) -> str:
    """The name of a clause within its tenant: `document_id@version#label`."""
    return f"{values['document_id']}@{values['version']}#{values['label']}"


def _clause_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    names = ("document_id", "version", "label", "title", "heading", "text", "sha256", "position")
    return {name: values[name] for name in names} | {
        "clause_id": clause_id(values),
        "parents": tuple(values["parents"]),
        "effective_from": start_day(values["effective_from"]),
        "effective_to": day_from_number(values["effective_to"]),
        "status": _STATUSES[values["status"]],
    }
