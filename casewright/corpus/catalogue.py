"""Which document versions the index holds, at one state; small enough to keep in memory.

It feeds ingest (what is new), filters (which label sets exist) and the list of documents.
It is deliberately *not* filtered: callers take only the part of their tenant and labels.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from casewright.contracts.clause import SearchFilters
from casewright.corpus.filters import day_number, equal, holding_in, visible_label_sets
from casewright.corpus.rows import VERSION_COLUMNS, IndexedVersion, version_from
from casewright.corpus.table import ClauseTable

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Catalogue:
    """All versions by tenant, document and version."""

    by_key: Mapping[Key, IndexedVersion]

    @classmethod
    def empty(cls) -> "Catalogue":
        return cls({})

    @classmethod
    def read(cls, table: ClauseTable) -> "Catalogue":
        """The versions in the table, from each one's first clause."""
        rows = table.select(VERSION_COLUMNS, equal("position", 0))
        versions = [version_from(row) for row in rows]
        return cls({version.key: version for version in versions})

    @property
    def versions(self) -> tuple[IndexedVersion, ...]:
        return tuple(self.by_key[key] for key in sorted(self.by_key))

    def get(self, key: Key) -> IndexedVersion | None:
        return self.by_key.get(key)

    def of_document(self, tenant: str, document_id: str) -> tuple[IndexedVersion, ...]:
        return tuple(version for version in self.versions if version.key[:2] == (tenant, document_id))

    def parsers(self, tenant: str) -> Mapping[str, str]:
        """By the hash of its file, the parser that each of the tenant's versions was read with."""
        return {version.file_sha256: version.parser for version in self.by_key.values() if version.tenant == tenant}

    def of_tenant(self, tenant: str) -> tuple[IndexedVersion, ...]:
        """All versions of the tenant, those that are not approved included; for its authors alone."""
        return tuple(version for version in self.versions if version.tenant == tenant)

    def label_sets(self, tenant: str) -> frozenset[str]:
        """The label sets that occur in the tenant's documents."""
        return frozenset(version.label_set for version in self.by_key.values() if version.tenant == tenant)

    def visible(self, filters: SearchFilters, *, all_versions: bool) -> tuple[IndexedVersion, ...]:
        """The versions this caller may see: in force, named, or all of them."""
        sets = visible_label_sets(filters.labels, self.label_sets(filters.tenant))
        return tuple(
            version
            for version in self.versions
            if version.tenant == filters.tenant
            and version.approval == "approved"
            and version.label_set in sets
            and (not filters.document_ids or version.document_id in filters.document_ids)
            and (not filters.jurisdictions or version.jurisdiction in holding_in(filters.jurisdictions))
            and (all_versions or _asked_for(version, filters))
        )

    def replaced(self, versions: Iterable[IndexedVersion]) -> "Catalogue":
        """This catalogue with the given versions in place of theirs."""
        return Catalogue({**self.by_key, **{version.key: version for version in versions}})

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with the content and its dates."""
        whole = hashlib.sha256()
        for version in self.versions:
            parts = (
                *version.key,
                version.file_sha256,
                version.label_set,
                version.status,
                version.approval,
                str(version.effective_to),
                version.jurisdiction,
            )
            whole.update(("\x1f".join(parts) + "\x1e").encode())
        return whole.hexdigest()[:12]


def _asked_for(version: IndexedVersion, filters: SearchFilters) -> bool:
    if filters.include == "named_version":
        return version.version == filters.version
    today = day_number(filters.as_of)
    return version.status == "published" and version.effective_from <= today <= version.effective_to
