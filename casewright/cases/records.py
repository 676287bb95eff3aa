"""What the case store returns: a stored case, its attributes, a list entry, an import report.

`CaseAttributes` is what access decisions are made from; it is always read from the store and
never from arguments.
"""

import datetime as dt
from typing import Literal

from casewright.contracts.base import Contract
from casewright.contracts.case import CaseFile, CaseType, Classification


class StoredCase(Contract):
    """One revision of a case with everything recorded since."""

    case: CaseFile
    revision: int
    """1-based; a changed import is the next one."""
    digest: str
    """SHA-256 of the imported content; what was recorded afterwards does not change it."""
    imported_by: str
    imported_ns: int


class CaseAttributes(Contract):
    """The attributes an access decision needs."""

    tenant: str
    case_id: str
    revision: int
    team: str
    classification: Classification
    assigned_to: tuple[str, ...]
    conflicts: tuple[str, ...]
    state: Literal["open", "closed"]
    sealed: bool
    """The whole matter is sealed."""


class CaseSummary(CaseAttributes):
    """One entry of a listing; the caller filters it by access decision."""

    title: str
    case_type: CaseType
    received_on: dt.date


class ImportRow(Contract):
    """One row of an import: a case, or the reason why it is none."""

    row: int
    """1-based place in the file or sequence."""
    case: CaseFile | None = None
    problem: str = ""


class SkippedRow(Contract):
    """A row that was not imported."""

    row: int
    reason: str


class RevisedCase(Contract):
    """A case that was there with other content, and the revision it has now."""

    case_id: str
    revision: int
    previous_digest: str
    digest: str


class RelabelledItem(Contract):
    """A trust label that the import claimed and its origin does not carry."""

    path: str
    """`HL-1/evidence/e1`."""
    claimed: str
    given: str


class ImportReport(Contract):
    """What one import did; every row of it is in exactly one of the first four."""

    imported: tuple[str, ...] = ()
    revised: tuple[RevisedCase, ...] = ()
    unchanged: tuple[str, ...] = ()
    skipped: tuple[SkippedRow, ...] = ()
    relabelled: tuple[RelabelledItem, ...] = ()
