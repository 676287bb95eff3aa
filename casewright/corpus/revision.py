"""Change what is recorded of document versions, and make a new state visible: plan, update, tag, swap.

Ingest, approval and withdrawal all end here, under the ingest lock. A plan is a whole catalogue; what
differs from the one before is what is written. It is deliberately *not* where decisions are made.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from casewright.corpus.catalogue import Catalogue, Key
from casewright.corpus.effective import chain_ends
from casewright.corpus.filters import Predicate, equal
from casewright.corpus.lock import exclusive
from casewright.corpus.manifest import Approver
from casewright.corpus.rows import VERSION_COLUMNS, IndexedVersion
from casewright.corpus.state import ActiveState, read_state, write_state
from casewright.corpus.state_files import make_files
from casewright.corpus.table import ClauseTable, storage_errors
from casewright.errors import InputError, NotFoundError, StorageError

LOCK_NAME = "ingest.lock"
LOCK_WAIT_SECONDS = 120.0


def rows_of(version: IndexedVersion) -> Predicate:
    """The clauses of one version."""
    return (
        equal("tenant", version.tenant) & equal("document_id", version.document_id) & equal("version", version.version)
    )


def with_chains(catalogue: Catalogue, document_ids: Iterable[str], tenant: str) -> Catalogue:
    """The catalogue with the last days of these documents' versions computed anew."""
    changed = list[IndexedVersion]()
    for document_id in document_ids:
        versions = catalogue.of_document(tenant, document_id)
        ends = chain_ends(version.range for version in versions)
        changed += [replace(version, effective_to=ends[version.version]) for version in versions]
    return catalogue.replaced(changed)


def update_changed(table: ClauseTable, before: Catalogue, planned: Catalogue, *, written: Collection[Key] = ()) -> None:
    """Store what differs in the versions that are not written anew."""
    for version in planned.versions:
        known = before.get(version.key)
        if known is None or known == version or version.key in written:
            continue
        table.set_values(rows_of(version), _differences(known, version))


def publish(
    folder: Path,
    table: ClauseTable,
    planned: Catalogue,
    *,
    embedder: str,
    before: ActiveState | None,
    stage: bool = False,
) -> str:
    """Finish the table's new version, tag it and, unless it is only staged, make it active; returns its name."""
    table_version = table.finish(keep=before.index_version if before else "")
    index_version = f"{table_version}-{planned.fingerprint()}"
    table.tag(index_version, table_version)
    if stage:
        return index_version
    make_files(folder, table, planned)
    previous = before.index_version if before else ""
    write_state(
        folder,
        ActiveState(table_version=table_version, index_version=index_version, embedder=embedder, previous=previous),
    )
    return index_version


def approve(folder: Path, key: Key, approver: Approver) -> IndexedVersion:
    """Make a pending version one that can be retrieved; returns it as recorded.

    Raises:
        NotFoundError: there is no such version.
        InputError: it is approved already, or the approver is who ingested it.
        UnavailableError: another process is ingesting for too long.
        StorageError: the index cannot be written; what was visible before still is.
    """
    with storage_errors(folder), exclusive(folder / LOCK_NAME, wait_seconds=LOCK_WAIT_SECONDS):
        state = read_state(folder)
        if state is None:
            raise StorageError(f"there is no index in {str(folder)!r}; run `casewright corpus ingest PATH`")
        catalogue = Catalogue.read(ClauseTable.at_version(folder, state.table_version))
        version = catalogue.get(key)
        name = f"version {key[2]!r} of {key[1]!r}"
        if version is None:
            raise NotFoundError(f"there is no {name}; `casewright corpus manifest` lists what there is")
        if version.approval == "approved":
            raise InputError(f"{name} is approved already, by {version.approved_by or 'whoever ingested it'!r}")
        if version.ingested_by == approver.by:
            raise InputError(f"{name} was ingested by {approver.by!r}; another person has to approve it")
        approved = replace(version, approval="approved", approved_by=approver.by, approved_at=approver.at)
        planned = with_chains(catalogue.replaced([approved]), [version.document_id], version.tenant)
        table = ClauseTable.for_writing(folder, dimensions=1, version=state.table_version)
        update_changed(table, catalogue, planned)
        publish(folder, table, planned, embedder=state.embedder, before=state)
        found = planned.get(key)
        assert found is not None, "what was approved is in the plan"
        return found


def _differences(known: IndexedVersion, version: IndexedVersion) -> Mapping[str, str | int]:
    pairs = {name: (getattr(known, name), getattr(version, name)) for name in VERSION_COLUMNS}
    return {name: new for name, (old, new) in pairs.items() if old != new}
