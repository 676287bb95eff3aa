"""One immutable state of the index, open for reading, shared among threads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casewright.contracts.clause import SearchFilters
from casewright.corpus.catalogue import Catalogue
from casewright.corpus.filters import Predicate, visible
from casewright.corpus.rows import HIT_COLUMNS
from casewright.corpus.state import ActiveState
from casewright.corpus.table import ClauseTable
from casewright.corpus.vectors import MAX_ROWS, VectorBlocks
from casewright.errors import StorageError

if TYPE_CHECKING:
    from casewright.corpus.embedding import Vectors

Row = Mapping[str, Any]
_ROWS_KEPT = 10_000


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The table at one version with what is known about its documents."""

    state: ActiveState
    table: ClauseTable
    catalogue: Catalogue
    blocks: VectorBlocks | None
    """Absent for an index too large to hold in memory."""
    read: dict[int, Row] = field(default_factory=dict[int, Row], compare=False, repr=False)
    """Rows read so far, by row id; they cannot change, so the first ten thousand are kept."""

    @classmethod
    def open(cls, folder: Path, state: ActiveState, *, max_rows_in_memory: int = MAX_ROWS) -> "Snapshot":
        """Open the state.

        Raises:
            StorageError: its files are missing or damaged.
        """
        table = ClauseTable.at_version(folder, state.table_version)
        small = table.row_count() <= max_rows_in_memory
        return cls(
            state=state,
            table=table,
            catalogue=Catalogue.read(table),
            blocks=VectorBlocks.read(table) if small else None,
        )

    def predicate(self, filters: SearchFilters) -> Predicate:
        """The prefilter for what the caller may see and asked for."""
        return visible(filters, self.catalogue.label_sets(filters.tenant))

    def nearest(self, vector: "Vectors", filters: SearchFilters, *, limit: int) -> list[tuple[int, float]]:
        """Row ids and cosines of the nearest visible clauses, nearest first."""
        predicate = self.predicate(filters)
        if self.blocks is None:
            return self.table.nearest(vector, predicate, limit=limit)
        keys = [version.key for version in self.catalogue.visible(filters, all_versions=False)]
        return self.blocks.nearest(vector, keys, limit=limit)

    def take(self, row_ids: Sequence[int], filters: SearchFilters) -> dict[int, Row]:
        """The rows with these ids, which a filtered ranking of this snapshot gave.

        Raises:
            StorageError: a row is not visible under the filters; a ranking leaked it.
        """
        missing = [row_id for row_id in row_ids if row_id not in self.read]
        fresh = {int(row["_rowid"]): row for row in self.table.take(missing, HIT_COLUMNS)}
        rows: dict[int, Row] = {row_id: fresh.get(row_id) or self.read[row_id] for row_id in row_ids}
        if len(self.read) + len(fresh) <= _ROWS_KEPT:
            self.read.update(fresh)
        visible_keys = {version.key for version in self.catalogue.visible(filters, all_versions=False)}
        if any((row["tenant"], row["document_id"], row["version"]) not in visible_keys for row in rows.values()):
            raise StorageError("the index gave a clause that its filter excludes; move the index away and ingest again")
        return rows
