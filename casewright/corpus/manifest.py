"""What the index remembers of how a document version came in: who, when, by which parser, who approved it.

It is stored with every clause, so that a state of the index carries its own record and going back to
an earlier state goes back to its approvals too. Only approved versions can be retrieved.
"""

from dataclasses import dataclass
from typing import Literal

from casewright.contracts.base import Contract
from casewright.contracts.clause import DocumentVersion

Approval = Literal["approved", "pending"]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """Who ingests, when, and whether what they ingest counts as approved by them."""

    by: str
    at: str
    """ISO 8601, UTC."""
    approved: bool
    """From the access decision; False leaves every document pending."""


@dataclass(frozen=True, kw_only=True)
class Approver:
    """Who approves or withdraws, and when."""

    by: str
    at: str
    """ISO 8601, UTC."""


class ManifestEntry(Contract):
    """The record of one document version."""

    document: DocumentVersion
    approval: Approval
    source: str
    """The file it was read from."""
    parser: str
    """The parser of its format with its version."""
    ingested_by: str
    ingested_at: str
    approved_by: str
    """Empty while it is pending."""
    approved_at: str


class Manifest(Contract):
    """The records of a tenant's versions in one state of the index."""

    index_version: str
    entries: tuple[ManifestEntry, ...]
