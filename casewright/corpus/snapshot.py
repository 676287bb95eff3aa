"""One immutable state of the index, open for reading, shared among threads."""

from dataclasses import dataclass, field
from pathlib import Path

from casewright.contracts.clause import SearchFilters
from casewright.corpus.candidates import Scope, Source
from casewright.corpus.catalogue import Catalogue
from casewright.corpus.filters import Predicate, visible
from casewright.corpus.memory import MAX_ROWS
from casewright.corpus.memory_source import MemorySource
from casewright.corpus.state import ActiveState
from casewright.corpus.state_files import open_memory
from casewright.corpus.table import ClauseTable, storage_errors
from casewright.corpus.table_source import TableSource

_SCOPES_KEPT = 256


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The table at one version with what is known about its documents."""

    state: ActiveState
    table: ClauseTable
    catalogue: Catalogue
    source: Source
    in_memory: bool
    """Whether the source searches memory; an index too large for it is searched on disk."""
    _scopes: dict[SearchFilters, Scope] = field(default_factory=dict[SearchFilters, Scope], compare=False, repr=False)
    """Scopes by their filters; they cannot change while the state is the same."""

    @classmethod
    def open(cls, folder: Path, state: ActiveState, *, max_rows_in_memory: int = MAX_ROWS) -> "Snapshot":
        """Open the state.

        Raises:
            StorageError: its files are missing or damaged.
        """
        table = ClauseTable.at_version(folder, state.table_version)
        small = table.row_count() <= max_rows_in_memory
        catalogue = Catalogue.read(table)
        with storage_errors(folder):
            source = MemorySource(open_memory(folder, table, catalogue)) if small else TableSource(table)
        return cls(state=state, table=table, catalogue=catalogue, source=source, in_memory=small)

    def predicate(self, filters: SearchFilters) -> Predicate:
        """The prefilter for what the caller may see and asked for."""
        return visible(filters, self.catalogue.label_sets(filters.tenant))

    def scope(self, filters: SearchFilters) -> Scope:
        """What the caller may see and asked for, as predicate and as versions.

        Raises:
            InputError: a version is named without `named_version`, or the reverse.
        """
        known = self._scopes.get(filters)
        if known is None:
            if len(self._scopes) >= _SCOPES_KEPT:
                self._scopes.clear()
            versions = self.catalogue.visible(filters, all_versions=False)
            known = Scope(predicate=self.predicate(filters), keys=tuple(version.key for version in versions))
            self._scopes[filters] = known
        return known
