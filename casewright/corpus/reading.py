"""Read single clauses of a snapshot: by label, with parents, children and neighbours."""

from collections.abc import Mapping
from typing import Any

from casewright.contracts.clause import Clause, ClauseInContext, SearchFilters
from casewright.corpus.filters import equal, one_of
from casewright.corpus.labels import fold_label, fold_reference
from casewright.corpus.rows import CLAUSE_COLUMNS, clause_from
from casewright.corpus.snapshot import Snapshot
from casewright.errors import NotFoundError

_COLUMNS = (*CLAUSE_COLUMNS, "parent")


def read_clause(snapshot: Snapshot, filters: SearchFilters, *, label: str) -> Clause | None:
    """The clause with this label, section signs and spaces aside; None if none is visible."""
    row = _row(snapshot, filters, label)
    return None if row is None else clause_from(row)


def read_in_context(snapshot: Snapshot, filters: SearchFilters, *, label: str) -> ClauseInContext:
    """The clause with what stands around it.

    Raises:
        NotFoundError: no such clause is visible under the filters.
    """
    row = _row(snapshot, filters, label)
    if row is None:
        named = filters.document_ids[0]
        raise NotFoundError(
            f"there is no clause {label!r} in {named!r} that is in force and that you can see; check the label or "
            "list the documents"
        )
    clause = clause_from(row)
    around = (
        one_of("label", clause.parents)
        | equal("parent", clause.label)
        | one_of("position", (clause.position - 1, clause.position + 1))
    )
    same = equal("document_id", clause.document_id) & equal("version", clause.version)
    rows = snapshot.table.select(_COLUMNS, snapshot.predicate(filters) & same & around)
    by_position = {int(each["position"]): each for each in rows}
    by_label = {str(each["label"]): each for each in rows}
    children = sorted((each for each in rows if each["parent"] == clause.label), key=lambda each: int(each["position"]))
    return ClauseInContext(
        clause=clause,
        parents=tuple(clause_from(by_label[parent]) for parent in clause.parents),
        children=tuple(clause_from(each) for each in children),
        previous=_at(by_position, clause.position - 1),
        next=_at(by_position, clause.position + 1),
        index_version=snapshot.state.index_version,
    )


def _at(by_position: Mapping[int, Mapping[str, Any]], position: int) -> Clause | None:
    return clause_from(by_position[position]) if position in by_position else None


def _row(snapshot: Snapshot, filters: SearchFilters, label: str) -> Mapping[str, Any] | None:
    wanted = fold_label(label)
    predicate = snapshot.predicate(filters) & equal("reference", fold_reference(label))
    rows = [row for row in snapshot.table.select(_COLUMNS, predicate) if fold_label(row["label"]) == wanted]
    if len(rows) > 1:
        raise NotFoundError(f"{label!r} is not one clause under these filters; name the document and one version")
    return rows[0] if rows else None
