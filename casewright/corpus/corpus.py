"""The corpus: the one way to ingest, search, read, compare and verify rules.

Synchronous and safe to call from several threads: readers share an immutable snapshot that
is replaced when the active state changes. Constructing it opens nothing. It is deliberately
*not* aware of access decisions: the filters it is given were made by one.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from casewright.contracts.base import Contract
from casewright.contracts.clause import (
    Clause,
    ClauseComparison,
    ClauseInContext,
    DocumentVersion,
    SearchFilters,
    SearchResult,
)
from casewright.contracts.recommendation import Citation, VerifiedCitation
from casewright.corpus.citations import refused, verify_quote
from casewright.corpus.comparison import word_changes
from casewright.corpus.ingest import Ingest, IngestJob, IngestProgress, IngestReport
from casewright.corpus.labels import fold_reference
from casewright.corpus.manifest import Approver, Manifest, ManifestEntry, Submission
from casewright.corpus.pruning import PruneReport, prune
from casewright.corpus.quarantine import Quarantined, quarantine_of
from casewright.corpus.reading import Reader
from casewright.corpus.revision import approve
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.state import ActiveState, read_state
from casewright.corpus.states import (
    AskedQuestion,
    IndexState,
    ShadowComparison,
    active_state,
    compared,
    kept_states,
    promote,
    roll_back,
    state_named,
)
from casewright.errors import InputError, NotFoundError, StorageError

if TYPE_CHECKING:
    from casewright.corpus.embedding import Embedder
    from casewright.corpus.reranking import RankerRunner

MOST_KEPT_OPEN = 2
"""States that are held open beside the active one."""


class CorpusStats(Contract):
    """How much the index holds, over all tenants and versions."""

    documents: int
    versions: int
    clauses: int


class Corpus:
    """The rules in one index folder."""

    def __init__(
        self,
        folder: Path,
        *,
        ranker: "RankerRunner | None" = None,
        embedder: str = "",
        chosen: Callable[[], str] | None = None,
    ) -> None:
        """Name the folder, a ranker and an embedder (`embedders`) in place of the shipped ones; this opens nothing.

        Args:
            chosen: says which kept state answers, as a release does; empty or absent: the active one of the folder.
        """
        self._folder = folder
        self._ranker = ranker
        self._embedder_name = embedder
        self._lock = threading.Lock()
        self._opened: Reader | None = None
        self._pinned: ActiveState | None = None
        """Set only to look at another state than the active one."""
        self._chosen = chosen
        self._named: dict[str, ActiveState] = {}
        self._others: dict[str, Corpus] = {}
        """Kept states that are searched beside the active one."""

    def ingest(
        self,
        paths: Sequence[Path],
        *,
        tenant: str,
        submission: Submission,
        prune: bool = False,
        stage: bool = False,
        progress: Callable[[IngestProgress], None] | None = None,
    ) -> IngestReport:
        """Bring files and folders of one tenant into the index; unchanged files are skipped, as long as the parser is.

        With `prune` the versions whose files have gone from the folders named are withdrawn; with `stage` the new
        state is built beside the active one and not made active.

        Raises:
            InputError: a path is missing or holds no files.
            UnavailableError: another process keeps ingesting.
            StorageError: the index cannot be written; what was visible before still is.
        """
        job = IngestJob(paths=paths, tenant=tenant, submission=submission, prune=prune, stage=stage)
        return Ingest(self._folder, self._embedder(), job, progress).run()

    def approve(self, tenant: str, *, document_id: str, version: str, approver: Approver) -> ManifestEntry:
        """Make a pending version one that can be retrieved.

        Raises:
            NotFoundError: there is no such version.
            InputError: it is approved already, or the approver is who ingested it.
            UnavailableError: another process keeps ingesting.
            StorageError: the index cannot be written; what was visible before still is.
        """
        return approve(self._folder, (tenant, document_id, version), approver).entry()

    def manifest(self, tenant: str) -> Manifest:
        """How every version of the tenant came in, pending ones included; for those who may ingest or approve.

        Raises:
            StorageError: there is no index, or it is damaged.
        """
        snapshot = Snapshot.open(self._folder, active_state(self._folder)) if self._chosen else self._snapshot()
        entries = tuple(version.entry() for version in snapshot.catalogue.of_tenant(tenant))
        return Manifest(index_version=snapshot.state.index_version, entries=entries)

    def states(self) -> tuple[IndexState, ...]:
        """The states that can be made active, the newest first.

        Raises:
            StorageError: there is no index, or it is damaged.
        """
        return kept_states(self._folder)

    def promote(self, index_version: str, *, tenant: str) -> str:
        """Make a kept state the active one; returns its name. Running servers follow with their next call.

        Raises:
            InputError: it is not kept, is active already, or differs in other tenants' documents.
            UnavailableError: another process keeps ingesting.
            StorageError: there is no index, or it cannot be written.
        """
        return promote(self._folder, index_version, tenant=tenant).index_version

    def roll_back(self, *, tenant: str) -> str:
        """Go back to the state before the active one; returns its name.

        Raises:
            InputError: there is none, or see `promote`.
            UnavailableError: another process keeps ingesting.
            StorageError: there is no index, or it cannot be written.
        """
        return roll_back(self._folder, tenant=tenant).index_version

    def prune(self, *, keep: int, pinned: Collection[str]) -> PruneReport:
        """Drop the states of the index but the newest `keep`, the active one, the one before and those pinned.

        Raises:
            InputError: `keep` is below 1.
            UnavailableError: another process keeps ingesting.
            StorageError: there is no index, or it cannot be written.
        """
        return prune(self._folder, keep=keep, pinned=pinned)

    def at(self, index_version: str) -> "Corpus":
        """Another kept state, to look at; the active one stays what it is.

        Raises:
            InputError: the state is not kept.
            StorageError: there is no index, or it is damaged.
        """
        other = Corpus(self._folder, ranker=self._ranker, embedder=self._embedder_name)
        other._pinned = state_named(self._folder, index_version)
        return other

    def shadow(self, index_version: str, questions: Sequence[AskedQuestion]) -> ShadowComparison:
        """What the questions find in the active state and in another kept one.

        Raises:
            InputError: the state is not kept, or there are no questions.
            StorageError: there is no index, or it is damaged.
        """
        other = self.at(index_version)
        return compared(
            lambda question: self.search(question.text, question.filters),
            lambda question: other.search(question.text, question.filters),
            questions,
        )

    def quarantine(self, tenant: str) -> tuple[Quarantined, ...]:
        """The files of the tenant that could not be read, with the reasons.

        Raises:
            StorageError: the list is damaged.
        """
        return quarantine_of(self._folder, tenant)

    def search(self, query: str, filters: SearchFilters, *, limit: int = 10) -> SearchResult:
        """The best clauses for a query, with a verdict on whether they can answer it.

        Raises:
            InputError: the limit, the named version or the embedder is not valid.
            StorageError: there is no index, it is damaged, or another embedder made it.
        """
        from casewright.corpus.embedders import refuse_other
        from casewright.corpus.reranking import default_ranker
        from casewright.corpus.search import Searcher, find
        from casewright.corpus.sufficiency import judge

        snapshot = self._snapshot()
        ranker = self._ranker or default_ranker(in_memory=snapshot.in_memory)
        embedder = self._embedder()
        refuse_other(snapshot.state.embedder, embedder)
        searcher = Searcher(snapshot=snapshot, embedder=embedder, ranker=ranker)
        found = find(searcher, query, filters, limit=limit)
        verdict = judge(found.question, found.hits, found.similarity)
        return SearchResult(
            hits=found.hits,
            index_version=snapshot.state.index_version,
            as_of=filters.as_of,
            sufficient=verdict.sufficient,
            missing=verdict.missing,
        )

    def search_kept(self, index_version: str, query: str, filters: SearchFilters, *, limit: int = 10) -> SearchResult:
        """As `search`, in a kept state; what the active state does not hold word for word any more is left out.

        A state that is no longer kept is not searched: the active one answers, and the result names it.

        Raises:
            InputError: the limit, the named version or the embedder is not valid.
            StorageError: there is no index, it is damaged, or another embedder made it.
        """
        other = None if index_version == self.index_version() else self._kept(index_version)
        if other is None:
            return self.search(query, filters, limit=limit)
        found = other.search(query, filters, limit=limit)
        hits = tuple(hit for hit in found.hits if self._holds(hit, filters))
        if hits or not found.sufficient:
            return found.model_copy(update={"hits": hits})
        gone = "what answered this has been changed or withdrawn since"
        return found.model_copy(update={"hits": (), "sufficient": False, "missing": gone})

    def clause(self, filters: SearchFilters, *, document_id: str, label: str) -> ClauseInContext:
        """A clause with its parents, children and neighbours.

        Raises:
            NotFoundError: no such clause is visible under the filters.
        """
        return self._reader().in_context(_within(filters, document_id), label=label)

    def compare(
        self, filters: SearchFilters, *, document_id: str, label: str, from_version: str, to_version: str
    ) -> ClauseComparison:
        """One clause in two named versions, word by word.

        Raises:
            NotFoundError: a version is not visible, or neither version has the clause.
        """
        reader = self._reader()
        found: list[Clause | None] = []
        for version in (from_version, to_version):
            named = _within(filters, document_id).model_copy(update={"include": "named_version", "version": version})
            if not reader.snapshot.catalogue.visible(named, all_versions=False):
                raise NotFoundError(
                    f"there is no version {version!r} of {document_id!r}; list the documents to see which there are"
                )
            found.append(reader.clause(named, label=label))
        before, after = found
        if before is None and after is None:
            raise NotFoundError(
                f"neither {from_version!r} nor {to_version!r} of {document_id!r} has a clause {label!r}; check the "
                "label"
            )
        return ClauseComparison(
            document_id=document_id,
            label=next(clause.label for clause in found if clause is not None),
            from_version=from_version,
            to_version=to_version,
            from_text=None if before is None else before.text,
            to_text=None if after is None else after.text,
            changes=word_changes("" if before is None else before.text, "" if after is None else after.text),
        )

    def documents(self, filters: SearchFilters, *, all_versions: bool = False) -> tuple[DocumentVersion, ...]:
        """The versions that are visible: in force (or named), or all of them."""
        visible = self._snapshot().catalogue.visible(filters, all_versions=all_versions)
        return tuple(version.contract() for version in visible)

    def labels(self, filters: SearchFilters, *, document_id: str, starts: str, limit: int) -> tuple[str, ...]:
        """Labels of one document's visible clauses that begin so, section signs, spaces and case aside.

        Raises:
            StorageError: there is no index.
        """
        wanted = fold_reference(starts)
        found = self._reader().labels(_within(filters, document_id))
        return tuple(label for label in found if fold_reference(label).startswith(wanted))[:limit]

    def verify(self, citation: Citation, filters: SearchFilters) -> VerifiedCitation:
        """Check a citation: visible and in force under the filters, hash and exact quote.

        Raises:
            StorageError: there is no index, or it is damaged.
        """
        name = f"{citation.document_id} {citation.label}"
        try:
            clause = self._reader().clause(_within(filters, citation.document_id), label=citation.label)
        except NotFoundError:
            clause = None
        if clause is None:
            return refused(citation, f"there is no clause {name!r} in force on {filters.as_of}; cite a rule that is")
        if clause.version != citation.version:
            problem = f"version {citation.version!r} of {name!r} is not the one in force on {filters.as_of}"
            return refused(citation, f"{problem}; cite version {clause.version!r}")
        return verify_quote(citation, clause)

    def index_version(self) -> str:
        """The name of the state that answers now.

        Raises:
            StorageError: there is no index.
        """
        return self._snapshot().state.index_version

    def stats(self) -> CorpusStats:
        """How much there is.

        Raises:
            StorageError: there is no index.
        """
        versions = self._snapshot().catalogue.versions
        return CorpusStats(
            documents=len({version.key[:2] for version in versions}),
            versions=len(versions),
            clauses=sum(version.clause_count for version in versions),
        )

    def _kept(self, index_version: str) -> "Corpus | None":
        """This index as a kept state has it; None: it is not kept."""
        known = self._others.get(index_version)
        if known is None:
            try:
                state = state_named(self._folder, index_version)
            except InputError:
                return None
            known = Corpus(self._folder, ranker=self._ranker, embedder=self._embedder_name)
            known._pinned = state
            with self._lock:
                while len(self._others) >= MOST_KEPT_OPEN:
                    del self._others[next(iter(self._others))]
                self._others[index_version] = known
        return known

    def _holds(self, hit: Clause, filters: SearchFilters) -> bool:
        """Whether the same clause is visible under the filters in the active state, with the same text."""
        try:
            clause = self._reader().clause(_within(filters, hit.document_id), label=hit.label)
        except NotFoundError:
            return False
        return clause is not None and (clause.version, clause.sha256) == (hit.version, hit.sha256)

    def _snapshot(self) -> Snapshot:
        return self._reader().snapshot

    def _reader(self) -> Reader:
        state = self._pinned or self._answering()
        if state is None:
            raise StorageError(
                f"there is no index in {str(self._folder)!r}; run `casewright init` or `casewright corpus ingest PATH`"
            )
        opened = self._opened
        if opened is not None and opened.snapshot.state == state:
            return opened
        with self._lock:
            if self._opened is None or self._opened.snapshot.state != state:
                self._opened = Reader(Snapshot.open(self._folder, state))
            return self._opened

    def _answering(self) -> ActiveState | None:
        """The state that is chosen, else the active one of the folder; None: there is no index."""
        active, name = read_state(self._folder), self._chosen() if self._chosen else ""
        if active is None or name in ("", active.index_version):
            return active
        if name not in self._named:
            try:
                self._named[name] = state_named(self._folder, name)
            except InputError as error:
                raise StorageError(
                    f"the release in force answers from the index state {name!r}, which is not kept; restore the index "
                    "folder from a backup, or roll the release back"
                ) from error
        return self._named[name]

    def _embedder(self) -> "Embedder":
        from casewright.corpus.embedders import embedder_named

        return embedder_named(self._embedder_name)


def _within(filters: SearchFilters, document_id: str) -> SearchFilters:
    """The filters narrowed to one document; one outside them is not found."""
    if filters.document_ids and document_id not in filters.document_ids:
        raise NotFoundError(f"there is no document {document_id!r} in force that you can see; list the documents")
    return filters.model_copy(update={"document_ids": (document_id,)})
