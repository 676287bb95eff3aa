"""Bring files into the index: read, quarantine, plan, write, make visible.

Everything is written to new table versions first; one swap of the state pointer makes it
visible. Called by `corpus.Corpus` alone, under the ingest lock.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from casewright.contracts.base import Contract
from casewright.corpus.catalogue import Catalogue
from casewright.corpus.contradiction import refuse_contradiction
from casewright.corpus.documents import SIDECAR_SUFFIX, ParsedDocument, parse_document, parser_of, source_hash
from casewright.corpus.embedders import refuse_other
from casewright.corpus.formats.detection import MAX_FILE_BYTES
from casewright.corpus.front_matter import UnreadableDocumentError
from casewright.corpus.lock import exclusive
from casewright.corpus.manifest import Submission
from casewright.corpus.quarantine import Quarantined, keep_quarantine
from casewright.corpus.revision import LOCK_NAME, LOCK_WAIT_SECONDS, publish, rows_of, update_changed, with_chains
from casewright.corpus.rows import IndexedVersion, row_values, search_text, version_of
from casewright.corpus.state import ActiveState, read_state
from casewright.corpus.table import ClauseTable, storage_errors
from casewright.corpus.unresolved import MAX_LISTED, UnresolvedReference, unresolved_in
from casewright.errors import InputError

if TYPE_CHECKING:
    from casewright.corpus.embedding import Embedder


class IngestProgress(Contract):
    """Where an ingest is: once per file read, then once per document written."""

    stage: Literal["read", "write"]
    path: str
    done: int
    total: int


class IngestReport(Contract):
    """What one ingest did."""

    ingested: int
    """Document versions that are new or changed."""
    unchanged: int
    quarantined: Annotated[tuple[Quarantined, ...], Field(default=())]
    clauses: int
    """Clauses of the new and changed versions."""
    pending: int
    """New and changed versions that wait for another person's approval."""
    withdrawn: Annotated[tuple[str, ...], Field(default=())]
    """Versions withdrawn because their file is gone, as `DOCUMENT VERSION`; only where that was asked for."""
    unresolved_references: int
    """References in the new and changed versions that lead to no clause of the tenant's corpus; a warning."""
    unresolved: Annotated[tuple[UnresolvedReference, ...], Field(default=())]
    """The first 100 of them."""
    seconds: float
    index_version: str


ProgressCallback = Callable[[IngestProgress], None]


@dataclass(frozen=True, kw_only=True)
class _Source:
    path: Path
    document: ParsedDocument
    version: IndexedVersion


@dataclass(kw_only=True)
class _Reading:
    known_parsers: Mapping[str, str]
    """By the hash of every file in the index, the parser that it was read with."""
    by_document: dict[str, dict[str, IndexedVersion]] = field(default_factory=dict[str, dict[str, IndexedVersion]])
    """All versions, those in the index and those read so far."""
    sources: dict[tuple[str, str], _Source] = field(default_factory=dict[tuple[str, str], _Source])
    hashes: set[str] = field(default_factory=set[str])
    """Of every file that was read."""
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
            raise InputError(f"{str(path)!r} does not exist; name a document or a folder of them")
        inside = (
            [path]
            if path.is_file()
            else sorted(item for item in path.rglob("*") if item.is_file() and not _left_out(item, path))
        )
        if not inside:
            raise InputError(f"the folder {str(path)!r} holds no files; put documents there or name another")
        found.update(dict.fromkeys(inside))
    if not found:
        raise InputError("nothing to ingest; name a document or a folder of them")
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class IngestJob:
    """What one ingest is to do."""

    paths: Sequence[Path]
    tenant: str
    submission: Submission
    prune: bool = False
    """Withdraw the versions whose file has gone from the folders named."""
    stage: bool = False
    """Build a state beside the active one and leave that active."""


class Ingest:
    """One run over files of one tenant."""

    def __init__(self, folder: Path, embedder: "Embedder", job: IngestJob, progress: ProgressCallback | None) -> None:
        tenant = job.tenant
        if not tenant or tenant != tenant.strip() or len(tenant) > 120:
            raise InputError(f"{tenant!r} is not a tenant name; give the tenant that owns the documents")
        if job.prune and not job.submission.approved:
            raise InputError(
                f"{job.submission.by!r} may not approve documents and so may not withdraw them; leave --prune out"
            )
        self._folder = folder
        self._embedder = embedder
        self._job = job
        self._tenant = tenant
        self._progress: ProgressCallback = progress or _no_progress

    def run(self) -> IngestReport:
        """Ingest and make visible.

        Raises:
            InputError: a path is missing or a folder is empty.
            UnavailableError: another process is ingesting for too long.
            StorageError: the index cannot be written; what was visible before still is.
        """
        started = time.monotonic()
        files = find_files(self._job.paths)
        with storage_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self._folder / LOCK_NAME, wait_seconds=LOCK_WAIT_SECONDS):
                return self._run(files, started)

    def _run(self, files: Sequence[Path], started: float) -> IngestReport:
        state = read_state(self._folder)
        if state is not None:
            refuse_other(state.embedder, self._embedder)
        if state is None and self._job.stage:
            raise InputError("there is no active index to build one beside; ingest without --stage first")
        before = None if state is None else ClauseTable.at_version(self._folder, state.table_version)
        catalogue = Catalogue.empty() if before is None else Catalogue.read(before)
        reading = self._read(files, catalogue)
        documents = [source.document for source in reading.sources.values()]
        nowhere = unresolved_in(documents, before, self._tenant)
        gone = self._gone(catalogue, reading) if self._job.prune else ()
        index_version = self._write(state, catalogue, reading, gone)
        keep_quarantine(self._folder, self._tenant, read=files, quarantined=reading.quarantined)
        return IngestReport(
            ingested=len(reading.sources),
            unchanged=reading.unchanged,
            quarantined=tuple(reading.quarantined),
            clauses=sum(len(document.clauses) for document in documents),
            pending=0 if self._job.submission.approved else len(reading.sources),
            withdrawn=tuple(f"{version.document_id} {version.version}" for version in gone),
            unresolved_references=len(nowhere),
            unresolved=nowhere[:MAX_LISTED],
            seconds=round(time.monotonic() - started, 3),
            index_version=index_version,
        )

    def _read(self, files: Sequence[Path], catalogue: Catalogue) -> _Reading:
        reading = _Reading(known_parsers=catalogue.parsers(self._tenant))
        for version in catalogue.of_tenant(self._tenant):
            reading.by_document.setdefault(version.document_id, {})[version.version] = version
        for number, path in enumerate(files, start=1):
            try:
                self._read_one(path, reading)
            except UnreadableDocumentError as error:
                reading.quarantined.append(Quarantined(path=str(path), reason=str(error)))
            self._progress(IngestProgress(stage="read", path=str(path), done=number, total=len(files)))
        return reading

    def _read_one(self, path: Path, reading: _Reading) -> None:
        content, sidecar = _contents(path)
        found = source_hash(content, sidecar)
        reading.hashes.add(found)
        if found in reading.known_parsers and not self._outdated(content, path, reading.known_parsers[found]):
            reading.unchanged += 1
            return
        document = parse_document(content, tenant=self._tenant, name=path.name, sidecar=sidecar)
        key = (document.matter.document_id, document.matter.version)
        if key in reading.sources:
            other = str(reading.sources[key].path)
            raise UnreadableDocumentError(
                f"{other!r} is also version {key[1]!r} of {key[0]!r}; keep one of the two files"
            )
        version = version_of(
            document, tenant=self._tenant, source=str(path.absolute()), submission=self._job.submission
        )
        others = reading.by_document.setdefault(version.document_id, {})
        _refuse_twin(others.get(version.version), found)
        refuse_contradiction(version, tuple(others.values()))
        others[version.version] = version
        reading.sources[key] = _Source(path=path, document=document, version=version)

    def _outdated(self, content: bytes, path: Path, parser: str) -> bool:
        """Whether an unchanged file would be read otherwise today; only who may approve replaces what was read."""
        return self._job.submission.approved and parser != parser_of(content, path.name)

    def _gone(self, catalogue: Catalogue, reading: _Reading) -> tuple[IndexedVersion, ...]:
        """The versions of this tenant that came from the folders named and whose file is there no more."""
        folders = [path.absolute() for path in self._job.paths if path.is_dir()]
        return tuple(
            replace(version, status="withdrawn", file_sha256="")
            for version in catalogue.of_tenant(self._tenant)
            if version.status != "withdrawn"
            and version.file_sha256 not in reading.hashes
            and version.key[1:] not in reading.sources
            and any(Path(version.source).is_relative_to(folder) for folder in folders)
            and not Path(version.source).exists()
        )

    def _write(
        self, state: ActiveState | None, catalogue: Catalogue, reading: _Reading, gone: Sequence[IndexedVersion]
    ) -> str:
        if state is not None and not reading.sources and not gone:
            return state.index_version
        new = [source.version for source in reading.sources.values()]
        changed = {version.document_id for version in (*new, *gone)}
        planned = with_chains(catalogue.replaced((*new, *gone)), changed, self._tenant)
        table = ClauseTable.for_writing(
            self._folder,
            dimensions=self._embedder.dimensions,
            version=None if state is None else state.table_version,
        )
        self._write_documents(table, catalogue, planned, reading)
        update_changed(table, catalogue, planned, written={version.key for version in new})
        return publish(self._folder, table, planned, embedder=self._embedder.name, before=state, stage=self._job.stage)

    def _write_documents(self, table: ClauseTable, before: Catalogue, planned: Catalogue, reading: _Reading) -> None:
        for number, (key, source) in enumerate(reading.sources.items(), start=1):
            version = planned.get((self._tenant, *key))
            assert version is not None, "every document read is planned"
            if before.get(version.key) is not None:
                table.delete(rows_of(version))
            clauses = source.document.clauses
            vectors = self._embedder.embed([search_text(clause) for clause in clauses])
            table.add([row_values(version, clause) for clause in clauses], vectors)
            self._progress(
                IngestProgress(stage="write", path=str(source.path), done=number, total=len(reading.sources))
            )


def _contents(path: Path) -> tuple[bytes, bytes | None]:
    """The bytes of a file and of its sidecar, if it has one.

    Raises:
        UnreadableDocumentError: it is too large or cannot be read.
    """
    sidecar_path = path.with_name(path.name + SIDECAR_SUFFIX)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise UnreadableDocumentError(f"it has {size} bytes; split it into files of at most {MAX_FILE_BYTES}")
        content = path.read_bytes()
        sidecar = sidecar_path.read_bytes() if sidecar_path.is_file() else None
    except OSError as error:
        raise UnreadableDocumentError(f"it cannot be read ({error.strerror}); mend its permissions") from error
    return content, sidecar


def _refuse_twin(earlier: IndexedVersion | None, own_hash: str) -> None:
    """Refuse a file whose version is already there from another file that still says the same.

    Raises:
        UnreadableDocumentError: naming the other file; one that has changed, moved or gone is no twin.
    """
    if earlier is None or earlier.file_sha256 in ("", own_hash):
        return
    other = Path(earlier.source)
    try:
        still_there = other.is_file() and source_hash(*_contents(other)) == earlier.file_sha256
    except UnreadableDocumentError:
        return
    if still_there:
        raise UnreadableDocumentError(
            f"{str(other)!r} is also version {earlier.version!r} of {earlier.document_id!r}; keep one of the two "
            "files, or give this one a version of its own"
        )


def _no_progress(_: IngestProgress) -> None:
    return


def _left_out(path: Path, root: Path) -> bool:
    """Whether the file is hidden, or only says something about the one beside it."""
    if path.name.endswith(SIDECAR_SUFFIX) and path.with_name(path.name.removesuffix(SIDECAR_SUFFIX)).is_file():
        return True
    return any(part.startswith(".") for part in path.relative_to(root).parts)
