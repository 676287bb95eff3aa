"""Which references of newly read documents lead to nothing in their tenant's corpus.

A warning for authors, never a reason to set a document aside: the part of a law that is not in the corpus
is cited rightly all the same. Called by ingest, before the documents are written.
"""

from collections.abc import Collection, Container, Iterator

from casewright.contracts.base import Contract
from casewright.corpus.documents import ParsedDocument
from casewright.corpus.elsewhere import Elsewhere, Row, folded_names, read_elsewhere
from casewright.corpus.filters import equal
from casewright.corpus.labels import fold_reference
from casewright.corpus.links import leading_out
from casewright.corpus.table import ClauseTable

MAX_LISTED = 100


class UnresolvedReference(Contract):
    """A reference that leads to no clause of the corpus, in any version."""

    document_id: str
    version: str
    label: str
    """Of the clause that prints it."""
    text: str
    document: str
    """The title of the document that it names; empty where it names none."""


def unresolved_in(
    documents: Collection[ParsedDocument], before: ClauseTable | None, tenant: str
) -> tuple[UnresolvedReference, ...]:
    """The references in these documents that lead neither to one another nor into the index before them.

    Raises:
        StorageError: the index cannot be read.
    """
    out = [(document, label, each) for document in documents for label, each in leading_out(document.clauses)]
    if not out:
        return ()
    wanted = [each for _, _, each in out]
    stored = () if before is None else read_elsewhere(before, equal("tenant", tenant), wanted)
    known = Elsewhere([*stored, *_rows(documents, folded_names(wanted))])
    return tuple(
        UnresolvedReference(
            document_id=document.matter.document_id,
            version=document.matter.version,
            label=label,
            text=each.text,
            document=each.document,
        )
        for document, label, each in out
        if known.find(each) is None
    )


def _rows(documents: Collection[ParsedDocument], wanted: Container[str]) -> Iterator[Row]:
    """The clauses of these documents with a label that is wanted."""
    for document in documents:
        matter = document.matter
        about = {"document_id": matter.document_id, "version": matter.version, "title": matter.title}
        for clause in document.clauses:
            reference = fold_reference(clause.label)
            if reference in wanted:
                yield about | {"label": clause.label, "reference": reference, "position": clause.position}
