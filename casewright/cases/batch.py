"""One import as a pure decision per row: new, a revision, unchanged or skipped with a reason.

It reads nothing: the store hands it the heads that are there and writes the rows it gives back.
An import must not become a way into somebody else's case; `_obstacle` and `_kept` see to that.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from sqlalchemy import Table

from casewright.cases.admission import admitted, content_digest, relabelled
from casewright.cases.heads import Head
from casewright.cases.records import (
    CaseAttributes,
    ImportReport,
    ImportRow,
    RelabelledItem,
    RevisedCase,
    SkippedRow,
)
from casewright.cases.rows import Row, Scope, rows_of
from casewright.contracts.case import CaseFile, Classification
from casewright.contracts.principal import Principal
from casewright.errors import InputError

REVISING_ROLES = frozenset({"supervisor", "service"})
"""Who may import a new revision of any case of the tenant that is not in conflict with them."""
_ORDER = tuple(Classification)
"""From `public` to `restricted`, as the enumeration lists them."""


@dataclass(kw_only=True)
class ImportBatch:
    """Collects what an import will write and what it reports."""

    importer: Principal
    at_ns: int
    present: Mapping[str, Head]
    """Heads that the importer's tenant has, by case id."""
    sealed: Set[str]
    """Ids of those of them that hold sealed evidence."""
    rows: dict[Table, list[Row]] = field(default_factory=dict[Table, list[Row]])
    _imported: list[str] = field(default_factory=list[str])
    _revised: list[RevisedCase] = field(default_factory=list[RevisedCase])
    _unchanged: list[str] = field(default_factory=list[str])
    _skipped: list[SkippedRow] = field(default_factory=list[SkippedRow])
    _relabelled: list[RelabelledItem] = field(default_factory=list[RelabelledItem])
    _taken: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])

    def take(self, row: ImportRow) -> None:
        """Decide about one row."""
        if row.case is None:
            self._skipped.append(SkippedRow(row=row.row, reason=row.problem or "the row holds no case"))
            return
        try:
            self._decide(row.row, row.case)
        except InputError as error:
            self._skipped.append(SkippedRow(row=row.row, reason=str(error)))

    def report(self) -> ImportReport:
        """What became of the rows taken so far."""
        return ImportReport(
            imported=tuple(self._imported),
            revised=tuple(self._revised),
            unchanged=tuple(self._unchanged),
            skipped=tuple(self._skipped),
            relabelled=tuple(self._relabelled),
        )

    def _decide(self, number: int, given: CaseFile) -> None:
        case = admitted(given, importer=self.importer)
        content = content_digest(case)
        head = self.present.get(case.case_id)
        earlier = self._taken.setdefault(case.case_id, (number, content))
        if earlier[0] != number and earlier[1] != content:
            raise InputError(
                f"case {case.case_id!r} is already in row {earlier[0]} of this import with other content; "
                "keep one of the two rows"
            )
        if earlier[0] != number or (head is not None and head.digest == content):
            self._unchanged.append(case.case_id)
            return
        if head is None:
            self._imported.append(case.case_id)
            kept = case if case.assigned_to else case.model_copy(update={"assigned_to": (self.importer.id,)})
            self._add(kept, content, revision=1)
        else:
            self._revise(case, content, head)
        self._relabelled += relabelled(given, case)

    def _revise(self, case: CaseFile, content: str, head: Head) -> None:
        attributes = head.attributes()
        if self._obstacle(attributes):
            raise InputError(
                f"the id {case.case_id!r} is in use for a case that {self.importer.id!r} may not revise; "
                "ask a supervisor to import the change or give the case another id"
            )
        self._revised.append(
            RevisedCase(case_id=case.case_id, revision=head.revision + 1, previous_digest=head.digest, digest=content)
        )
        self._add(self._kept(case, attributes), content, revision=head.revision + 1)

    def _obstacle(self, attributes: CaseAttributes) -> bool:
        """Whether this importer may not replace what the case says now."""
        if self.importer.id in attributes.conflicts:
            return True
        if self._may_revise_any():
            return False
        return self.importer.id not in attributes.assigned_to or attributes.sealed or attributes.case_id in self.sealed

    def _kept(self, case: CaseFile, before: CaseAttributes) -> CaseFile:
        """The new revision, with access no wider than before unless the importer may decide that."""
        assigned_to = case.assigned_to or before.assigned_to
        if self._may_revise_any():
            return case.model_copy(update={"assigned_to": assigned_to})
        return case.model_copy(
            update={
                "assigned_to": assigned_to,
                "conflicts": tuple(dict.fromkeys((*before.conflicts, *case.conflicts))),
                "sealed": before.sealed or case.sealed,
                "classification": max(before.classification, case.classification, key=_ORDER.index),
            }
        )

    def _may_revise_any(self) -> bool:
        return not REVISING_ROLES.isdisjoint(self.importer.roles)

    def _add(self, case: CaseFile, content: str, *, revision: int) -> None:
        scope = Scope(
            tenant=self.importer.tenant,
            case_id=case.case_id,
            revision=revision,
            imported_by=self.importer.id,
            imported_ns=self.at_ns,
        )
        for table, row in rows_of(case, scope, digest=content):
            self.rows.setdefault(table, []).append(row)
