"""Read single clauses of a snapshot: by label, with parents, children, neighbours, definitions and references.

Everything is read under the caller's filters: a reference into a document that they may not see leads nowhere.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

from casewright.contracts.clause import Clause, ClauseInContext, ClauseReference, DefinedTerm, SearchFilters
from casewright.corpus.elsewhere import Elsewhere, read_elsewhere
from casewright.corpus.filters import equal, one_of
from casewright.corpus.labels import fold_label, fold_reference
from casewright.corpus.links import ClauseLinks
from casewright.corpus.rows import CLAUSE_COLUMNS, clause_from, clause_id
from casewright.corpus.snapshot import Snapshot
from casewright.errors import NotFoundError

_COLUMNS = (*CLAUSE_COLUMNS, "parent", "links")


KEPT = 1_024
"""Clauses with what stands around them; some ten kilobytes each."""
KEPT_LABELS = 32
"""Documents with all their labels; some thousand short texts each."""


class Reader:
    """Reads the clauses of one snapshot, and keeps those it read last: a state of the index never changes.

    What is kept is found again under equal filters only; another tenant, other labels or another day read anew.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._clause: Callable[..., Clause | None] = lru_cache(KEPT)(partial(_clause, snapshot))
        self._labels: Callable[..., tuple[str, ...]] = lru_cache(KEPT_LABELS)(partial(_labels, snapshot))
        self._in_context: Callable[..., ClauseInContext] = lru_cache(KEPT)(partial(_in_context, snapshot))

    def clause(self, filters: SearchFilters, *, label: str) -> Clause | None:
        """The clause with this label, section signs and spaces aside; None if none is visible.

        Raises:
            NotFoundError: the label is not one clause under the filters.
        """
        return self._clause(filters, label)

    def labels(self, filters: SearchFilters) -> tuple[str, ...]:
        """The labels of every clause that is visible under the filters, in the order of the text."""
        return self._labels(filters)

    def in_context(self, filters: SearchFilters, *, label: str) -> ClauseInContext:
        """The clause with what stands around it.

        Raises:
            NotFoundError: no such clause is visible under the filters.
        """
        return self._in_context(filters, label)


def _clause(snapshot: Snapshot, filters: SearchFilters, label: str) -> Clause | None:
    row = _row(snapshot, filters, label)
    return None if row is None else clause_from(row)


def _labels(snapshot: Snapshot, filters: SearchFilters) -> tuple[str, ...]:
    rows = snapshot.table.select(("document_id", "label", "position"), snapshot.predicate(filters))
    placed = sorted((str(row["document_id"]), int(row["position"]), str(row["label"])) for row in rows)
    return tuple(label for _, _, label in placed)


def _in_context(snapshot: Snapshot, filters: SearchFilters, label: str) -> ClauseInContext:
    row = _row(snapshot, filters, label)
    if row is None:
        named = filters.document_ids[0]
        raise NotFoundError(
            f"there is no clause {label!r} in {named!r} that is in force and that you can see; check the label or "
            "list the documents"
        )
    clause = clause_from(row)
    links = ClauseLinks.from_text(row["links"])
    around = (
        one_of("label", (*clause.parents, *(term.label for term in links.terms)))
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
        definitions=tuple(
            DefinedTerm(term=term.term, definition=clause_from(by_label[term.label]))
            for term in links.terms
            if term.label in by_label
        ),
        references=tuple(_references(snapshot, filters, clause, links)),
    )


def _references(
    snapshot: Snapshot, filters: SearchFilters, clause: Clause, links: ClauseLinks
) -> Iterator[ClauseReference]:
    """Where the clause's references lead: within its version, or to what is in force elsewhere on the day."""
    out = [each for each in links.references if not each.target]
    others = filters.model_copy(update={"document_ids": (), "include": "in_force", "version": ""})
    elsewhere = Elsewhere(read_elsewhere(snapshot.table, snapshot.predicate(others), out) if out else ())
    here = {"document_id": clause.document_id, "version": clause.version}
    for each in links.references:
        row = here | {"label": each.target} if each.target else elsewhere.find(each)
        if row is None:
            yield ClauseReference(text=each.text, document=each.document)
            continue
        yield ClauseReference(
            text=each.text,
            document=each.document,
            clause_id=clause_id(row),
            document_id=row["document_id"],
            label=row["label"],
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
