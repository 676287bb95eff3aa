"""Clauses of the corpus, as they leave it: what is quoted, compared and cited.

A clause is one labelled paragraph of one version of one document of one tenant.
`clause_id` is `document_id@version#label` and is unique within a tenant.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from casewright.contracts.base import Contract

DocumentStatus = Literal["published", "draft", "withdrawn"]


class DocumentVersion(Contract):
    document_id: str
    version: str
    title: str
    tenant: str
    status: DocumentStatus
    labels: tuple[str, ...]
    issuer: str
    jurisdiction: str = ""
    """Where it holds, as a code of ISO 3166; empty: it does not say."""
    effective_from: dt.date
    effective_to: dt.date | None
    """Inclusive last day; absent while no later version is known."""
    clauses: int
    sha256: str
    """Of the file's bytes."""


class Clause(Contract):
    clause_id: str
    document_id: str
    version: str
    label: str
    title: str
    """The document's title."""
    heading: str
    """Headings above it, joined by " > "."""
    text: str
    sha256: str
    """Of the UTF-8 text."""
    parents: tuple[str, ...]
    """Labels of the clauses above it, outermost first."""
    position: int
    """0-based place in the document."""
    effective_from: dt.date
    effective_to: dt.date | None
    status: DocumentStatus


LEAD_IN_SEPARATOR = "\n"
"""Between the texts of a lead-in; clause texts hold no line break."""


class ClauseHit(Clause):
    score: float
    """Reciprocal rank fusion score; comparable within one result only."""
    rank: int
    exact_reference: bool = False
    """The query named this label, so it is returned whatever its score."""
    lead_in: str = ""
    """Text of the parent clauses that this clause completes, outermost first."""

    @property
    def leads(self) -> tuple[str, ...]:
        """The texts of `lead_in`, outermost first; the last one is of the last of `parents`."""
        return tuple(part for part in self.lead_in.split(LEAD_IN_SEPARATOR) if part)


class SearchResult(Contract):
    hits: tuple[ClauseHit, ...]
    index_version: str
    as_of: dt.date
    sufficient: bool
    """False: nothing here answers the question; do not answer from it."""
    missing: str = ""
    """What was not found, in words, when `sufficient` is false."""


class DefinedTerm(Contract):
    """A term that a clause uses, with the clause of its document that defines it."""

    term: str
    definition: Clause


class ClauseReference(Contract):
    """A reference that a clause prints, and where it leads."""

    text: str
    """The label that is named, such as `§ 1005.11(c)(2)`."""
    document: str = ""
    """The title of the other document that is named with it."""
    clause_id: str = ""
    """The clause that it leads to, for a section without a text of its own its first; absent where it leads to
    nothing that is in force and visible."""
    document_id: str = ""
    label: str = ""


class ClauseName(Contract):
    """A clause as one asks for it."""

    document_id: Annotated[str, Field(min_length=1, max_length=200)]
    label: Annotated[str, Field(min_length=1, max_length=300)]


class ClauseInContext(Contract):
    clause: Clause
    parents: tuple[Clause, ...]
    children: tuple[Clause, ...]
    previous: Clause | None
    next: Clause | None
    index_version: str
    definitions: tuple[DefinedTerm, ...] = ()
    """Of the terms that the clause uses, in the order of their first use; at most 12."""
    references: tuple[ClauseReference, ...] = ()
    """In the order in which they are printed."""


class ClausesInContext(Contract):
    """Several clauses at once, and those that are not there for the caller."""

    found: tuple[ClauseInContext, ...]
    """In the order asked for, each once."""
    absent: tuple[ClauseName, ...]


class ClauseComparison(Contract):
    document_id: str
    label: str
    from_version: str
    to_version: str
    from_text: str | None
    """Absent: the clause is not in that version."""
    to_text: str | None
    changes: tuple["WordChange", ...]


class WordChange(Contract):
    kind: Literal["removed", "added", "replaced"]
    removed: str
    added: str


class SearchFilters(Contract):
    """Typed prefilters; the tenant and labels come from the access decision alone."""

    tenant: str
    labels: tuple[str, ...]
    """Labels the caller holds: a clause is visible when all its labels are among them."""
    as_of: dt.date
    document_ids: tuple[str, ...] = ()
    """Empty: every visible document."""
    jurisdictions: tuple[str, ...] = ()
    """Only rules that hold in one of these places (ISO 3166); empty: wherever they hold."""
    include: Literal["in_force", "named_version"] = "in_force"
    version: str = ""
    """Only with `named_version`: superseded, future, draft or withdrawn text asked for by name."""
