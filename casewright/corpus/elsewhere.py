"""References that lead out of their document: which clause of another document they mean, if just one.

A section sign names its part by itself (`§ 1026.13(b)`); any other label counts only with the title of the
document that it is of ("clause 4.2 of the Evidence Standards"). What two documents have is not guessed.
Whoever asks gives the rows that may be seen: this module filters nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from casewright.corpus.crossreferences import Followed
from casewright.corpus.filters import Predicate, one_of
from casewright.corpus.labels import fold_reference
from casewright.corpus.table import ClauseTable

COLUMNS = ("document_id", "version", "title", "label", "reference", "position")
_AT_ONCE = 500
Row = Mapping[str, Any]


class Elsewhere:
    """Clauses by their folded label."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Take rows with at least `COLUMNS`."""
        self._by_reference: dict[str, list[Row]] = {}
        for row in rows:
            self._by_reference.setdefault(row["reference"], []).append(row)

    def find(self, wanted: Followed) -> Row | None:
        """The clause that is meant; None where there is none or more than one document has it."""
        for folded in _forms(wanted):
            rows = [row for row in self._by_reference.get(folded, ()) if _is_of(row, wanted.document)]
            if len({row["document_id"] for row in rows}) == 1:
                return min(rows, key=lambda row: int(row["position"]))
        return None


def read_elsewhere(table: ClauseTable, where: Predicate, wanted: Iterable[Followed]) -> Sequence[Row]:
    """The rows under the predicate that any of the references may mean.

    Raises:
        StorageError: the table cannot be read.
    """
    names = sorted(folded_names(wanted))
    rows: list[Row] = []
    for start in range(0, len(names), _AT_ONCE):
        rows += table.select(COLUMNS, where & one_of("reference", names[start : start + _AT_ONCE]))
    return rows


def folded_names(wanted: Iterable[Followed]) -> frozenset[str]:
    """The folded labels that any of the references may mean."""
    return frozenset(folded for each in wanted for folded in _forms(each))


def _forms(wanted: Followed) -> tuple[str, ...]:
    """The folded labels to look for: its own, and that of the first paragraph of a section without a text itself."""
    folded = fold_reference(wanted.text)
    if wanted.text.startswith("§"):
        return (folded, f"{folded}(a)", f"{folded}(1)")
    return (folded, f"{folded}.1", f"{folded}(a)") if wanted.document else ()


def _is_of(row: Row, title: str) -> bool:
    return not title or str(row["title"]).casefold() == title.casefold()
