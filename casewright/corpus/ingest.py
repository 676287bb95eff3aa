"""Bring files into the index: read, quarantine, plan, write, make visible.

Everything is written to new table versions first; one swap of the state pointer makes it
visible. Called by `corpus.Corpus` alone, under the ingest lock.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from casewright.contracts.base import Contract
from casewright.corpus.catalogue import Catalogue
from casewright.corpus.documents import SIDECAR_SUFFIX, ParsedDocument, parse_document, source_hash
from casewright.corpus.effective import chain_ends
from casewright.corpus.filters import Predicate, equal
from casewright.corpus.front_matter import UnreadableDocumentError
from casewright.corpus.lock import exclusive
from casewright.corpus.rows import IndexedVersion, row_values, search_text, version_of
from casewright.corpus.state import ActiveState, read_state, write_state
from casewright.corpus.table import ClauseTable, storage_errors
from casewright.errors import InputError, StorageError

if TYPE_CHECKING:
    from casewright.corpus.embedding import Embedder

LOCK_NAME = "ingest.lock"
LOCK_WAIT_SECONDS = 120.0


class IngestProgress(Contract):
    """Where an ingest is: once per file read, then once per document written."""

    stage: Literal["read", "write"]
    path: str
    done: int
    total: int


class Quarantined(Contract):
    """A file that was left out."""

    path: str
    reason: str
    """What is wrong and how to mend it."""


class IngestReport(Contract):
    """What one ingest did."""

    ingested: int
    """Document versions that are new or changed."""
    unchanged: int
    quarantined: Annotated[tuple[Quarantined, ...], Field(default=())]
    clauses: int
    """Clauses of the new and changed versions."""
    seconds: float
    index_version: str


ProgressCallback = Callable[[IngestProgress], None]


@dataclass(frozen=True, kw_only=True)
class _Source:
    path: Path
    document: ParsedDocument


@dataclass(kw_only=True)
class _Reading:
    sources: dict[tuple[str, str], _Source] = field(default_factory=dict[tuple[str, str], _Source])
    unchanged: int = 0
    quarantined: list[Quarantined] = field(default_factory=list[Quarantined])


def find_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files to read: those named, and all in the folders named, but hidden ones.

    Raises:
        InputError: a path is missing, or there is no file at all.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise InputError(f"{str(path)!r} does not exist; name a Markdown file or a folder of them")
        inside = (
            [path]
            if path.is_file()
            else sorted(item for item in path.rglob("*") if item.is_file() and not _left_out(item, path))
        )
        if not inside:
            raise InputError(f"the folder {str(path)!r} holds no files; put Markdown documents there or name another")
        found.update(dict.fromkeys(inside))
    if not found:
        raise InputError("nothing to ingest; name a Markdown file or a folder of them")
    return tuple(found)


class Ingest:
    """One run over files of one tenant."""

    def __init__(self, folder: Path, embedder: "Embedder", *, tenant: str, progress: ProgressCallback | None) -> None:
        if not tenant or tenant != tenant.strip() or len(tenant) > 120:
            raise InputError(f"{tenant!r} is not a tenant name; give the tenant that owns the documents")
        self._folder = folder
        self._embedder = embedder
        self._tenant = tenant
        self._progress: ProgressCallback = progress or _no_progress

    def run(self, paths: Sequence[Path]) -> IngestReport:
        """Ingest and make visible.

        Raises:
            InputError: a path is missing or a folder is empty.
            UnavailableError: another process is ingesting for too long.
            StorageError: the index cannot be written; what was visible before still is.
        """
        started = time.monotonic()
        files = find_files(paths)
        with storage_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self._folder / LOCK_NAME, wait_seconds=LOCK_WAIT_SECONDS):
                return self._run(files, started)

    def _run(self, files: Sequence[Path], started: float) -> IngestReport:
        state = read_state(self._folder)
        if state is not None and state.embedder != self._embedder.name:
            raise StorageError(
                f"the index was made with the embedder {state.embedder!r}, not {self._embedder.name!r}; ingest into "
                "a new folder"
            )
        catalogue = (
            Catalogue.empty()
            if state is None
            else Catalogue.read(ClauseTable.at_version(self._folder, state.table_version))
        )
        reading = self._read(files, catalogue)
        index_version = self._write(state, catalogue, reading)
        return IngestReport(
            ingested=len(reading.sources),
            unchanged=reading.unchanged,
            quarantined=tuple(reading.quarantined),
            clauses=sum(len(source.document.clauses) for source in reading.sources.values()),
            seconds=round(time.monotonic() - started, 3),
            index_version=index_version,
        )

    def _read(self, files: Sequence[Path], catalogue: Catalogue) -> _Reading:
        known = catalogue.file_hashes(self._tenant)
        reading = _Reading()
        for number, path in enumerate(files, start=1):
            try:
                self._read_one(path, known, reading)
            except UnreadableDocumentError as error:
                reading.quarantined.append(Quarantined(path=str(path), reason=str(error)))
            self._progress(IngestProgress(stage="read", path=str(path), done=number, total=len(files)))
        return reading

    def _read_one(self, path: Path, known: frozenset[str], reading: _Reading) -> None:
        sidecar_path = path.with_name(path.name + SIDECAR_SUFFIX)
        try:
            content = path.read_bytes()
            sidecar = sidecar_path.read_bytes() if sidecar_path.is_file() else None
        except OSError as error:
            raise UnreadableDocumentError(f"it cannot be read ({error.strerror}); mend its permissions") from error
        if source_hash(content, sidecar) in known:
            reading.unchanged += 1
            return
        document = parse_document(content, tenant=self._tenant, name=path.name, sidecar=sidecar)
        key = (document.matter.document_id, document.matter.version)
        if key in reading.sources:
            other = str(reading.sources[key].path)
            raise UnreadableDocumentError(
                f"{other!r} is also version {key[1]!r} of {key[0]!r}; keep one of the two files"
            )
        reading.sources[key] = _Source(path=path, document=document)

    def _write(self, state: ActiveState | None, catalogue: Catalogue, reading: _Reading) -> str:
        if state is not None and not reading.sources:
            return state.index_version
        new = [version_of(source.document, tenant=self._tenant) for source in reading.sources.values()]
        planned = _with_chains(catalogue.replaced(new), {version.document_id for version in new}, self._tenant)
        table = ClauseTable.for_writing(
            self._folder,
            dimensions=self._embedder.dimensions,
            version=None if state is None else state.table_version,
        )
        self._write_documents(table, catalogue, planned, reading)
        for version in planned.versions:
            before = catalogue.get(version.key)
            if (
                before is not None
                and before.effective_to != version.effective_to
                and version.key[1:] not in reading.sources
            ):
                table.set_effective_to(_rows_of(version), version.effective_to)
        table_version = table.finish()
        index_version = f"{table_version}-{planned.fingerprint()}"
        table.tag(index_version, table_version)
        write_state(
            self._folder,
            ActiveState(table_version=table_version, index_version=index_version, embedder=self._embedder.name),
        )
        return index_version

    def _write_documents(self, table: ClauseTable, before: Catalogue, planned: Catalogue, reading: _Reading) -> None:
        for number, (key, source) in enumerate(reading.sources.items(), start=1):
            version = planned.get((self._tenant, *key))
            assert version is not None, "every document read is planned"
            if before.get(version.key) is not None:
                table.delete(_rows_of(version))
            clauses = source.document.clauses
            vectors = self._embedder.embed([search_text(clause) for clause in clauses])
            table.add([row_values(version, clause) for clause in clauses], vectors)
            self._progress(
                IngestProgress(stage="write", path=str(source.path), done=number, total=len(reading.sources))
            )


def _rows_of(version: IndexedVersion) -> Predicate:
    return (
        equal("tenant", version.tenant) & equal("document_id", version.document_id) & equal("version", version.version)
    )


def _with_chains(catalogue: Catalogue, document_ids: Iterable[str], tenant: str) -> Catalogue:
    """The catalogue with the last days of these documents' versions computed anew."""
    changed = list[IndexedVersion]()
    for document_id in document_ids:
        versions = catalogue.of_document(tenant, document_id)
        ends = chain_ends(version.range for version in versions)
        changed += [replace(version, effective_to=ends[version.version]) for version in versions]
    return catalogue.replaced(changed)


def _no_progress(_: IngestProgress) -> None:
    return


def _left_out(path: Path, root: Path) -> bool:
    """Whether the file is hidden, or only says something about the one beside it."""
    if path.name.endswith(SIDECAR_SUFFIX) and path.with_name(path.name.removesuffix(SIDECAR_SUFFIX)).is_file():
        return True
    return any(part.startswith(".") for part in path.relative_to(root).parts)
