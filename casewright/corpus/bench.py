"""Measure retrieval on its own, apart from answers: recall, precision, latency.

Passages and questions come as JSON lines: `{"id", "document", "text"}` and `{"question",
"relevant": [id]}`. Our search, through the code that serves one, the table's own full text
and hybrid search, and vectors alone are measured in one run over one temporary index.
"""

import datetime as dt
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from casewright.canonical import sha256_text
from casewright.contracts.base import Contract
from casewright.contracts.clause import SearchFilters
from casewright.corpus.clauses import ParsedClause
from casewright.corpus.embedding import Embedder, default_embedder
from casewright.corpus.filters import OPEN_END, Predicate
from casewright.corpus.reranking import RankerRunner, default_ranker
from casewright.corpus.rows import IndexedVersion, row_values, search_text
from casewright.corpus.search import Searcher, find
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.state import ActiveState
from casewright.corpus.table import ClauseTable
from casewright.corpus.words import clean, words
from casewright.errors import InputError

CUTOFF = 10
_TENANT = "bench"
_VERSION = "1"
FILTERS = SearchFilters(tenant=_TENANT, labels=(), as_of=dt.date(2020, 1, 1))
"""Lets every passage through."""


class MethodFigures(Contract):
    """How one way of searching did."""

    recall_at_10: float
    map_at_10: float
    no_result_rate: float
    p50_ms: float
    p95_ms: float


class RetrievalFigures(MethodFigures):
    """Our search, with plain ways of searching the same table for comparison."""

    passages: int
    questions: int
    index_seconds: float
    ranked_by: str
    full_text: MethodFigures
    """LanceDB full text alone."""
    hybrid: MethodFigures
    """LanceDB hybrid search with its own reciprocal rank fusion."""
    vector: MethodFigures
    """The static vectors alone, by LanceDB."""


@dataclass(frozen=True, kw_only=True)
class BenchQuestion:
    """A question with the ids of the passages that answer it."""

    text: str
    relevant: frozenset[str]


def measure(
    passages: Path, questions: Path, *, limit_questions: int | None = None, ranker: RankerRunner | None = None
) -> RetrievalFigures:
    """Index the passages, ask every question four ways, and score the answers.

    `ranker` takes the place of the shipped one, for figures of weights that have not seen the questions.

    Raises:
        InputError: a file is missing or not in the format.
    """
    asked = read_questions(questions)[:limit_questions]
    if not asked:
        raise InputError(f"{str(questions)!r} is empty; give at least one question")
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as folder:
        started = time.perf_counter()
        snapshot = index_passages(Path(folder), passages)
        seconds = time.perf_counter() - started
        searcher = Searcher(
            snapshot=snapshot,
            embedder=default_embedder(),
            ranker=ranker or default_ranker(in_memory=snapshot.in_memory),
        )
        plain = PlainSearch(snapshot.table, searcher.embedder, snapshot.predicate(FILTERS))
        ours = _figures(asked, lambda text: _ours(searcher, text))
        return RetrievalFigures(
            **ours.model_dump(),
            passages=sum(version.clause_count for version in snapshot.catalogue.versions),
            questions=len(asked),
            index_seconds=round(seconds, 2),
            ranked_by=find(searcher, asked[0].text, FILTERS, limit=CUTOFF).ranked_by,
            full_text=_figures(asked, plain.full_text),
            hybrid=_figures(asked, plain.hybrid),
            vector=_figures(asked, plain.vector),
        )


def index_passages(folder: Path, passages: Path) -> Snapshot:
    """A new index of the passages in `folder`; each source document is one document.

    Raises:
        InputError: the file is missing, empty or not in the format.
    """
    texts = _read_passages(passages)
    if not texts:
        raise InputError(f"{str(passages)!r} is empty; give at least one passage")
    return _index(folder, texts, default_embedder())


def average_precision(ranked: Sequence[str], relevant: frozenset[str], *, cutoff: int = CUTOFF) -> float:
    """Mean of the precisions at each relevant place, over all that could be had within the cutoff."""
    found = 0
    total = 0.0
    for place, name in enumerate(ranked[:cutoff], start=1):
        if name in relevant:
            found += 1
            total += found / place
    return total / min(len(relevant), cutoff)


def _ours(searcher: Searcher, text: str) -> list[str]:
    return [hit.label for hit in find(searcher, text, FILTERS, limit=CUTOFF).hits]


class PlainSearch:
    """The table's own searches, as they come, under the same filter; they return labels."""

    def __init__(self, table: ClauseTable, embedder: Embedder, where: Predicate) -> None:
        """Take the table, what makes vectors, and the filter."""
        self._table = table
        self._embedder = embedder
        self._where = where

    def full_text(self, text: str) -> list[str]:
        """Full text alone."""
        return self._labels(self._table.full_text([(plain_words(text), 1.0)], self._where, limit=CUTOFF))

    def hybrid(self, text: str) -> list[str]:
        """Full text and vectors, fused by the table."""
        vector = self._embedder.embed([text])[0]
        return self._labels(self._table.hybrid(plain_words(text), vector, self._where, limit=CUTOFF))

    def vector(self, text: str) -> list[str]:
        """Vectors alone."""
        found = self._table.nearest(self._embedder.embed([text])[0], self._where, limit=CUTOFF)
        return self._labels([row_id for row_id, _ in found])

    def _labels(self, row_ids: Sequence[int]) -> list[str]:
        rows = {int(row["_rowid"]): str(row["label"]) for row in self._table.take(row_ids, ["label"])}
        return [rows[row_id] for row_id in row_ids]


def plain_words(text: str) -> str:
    """A question without the punctuation that the table's query parser stumbles over."""
    return " ".join(words(clean(text)))


def _figures(asked: Sequence[BenchQuestion], search: Callable[[str], list[str]]) -> MethodFigures:
    search(asked[0].text)
    recalls, precisions, seconds = list[float](), list[float](), list[float]()
    empty = 0
    for question in asked:
        started = time.perf_counter()
        ranked = search(question.text)
        seconds.append(time.perf_counter() - started)
        empty += not ranked
        recalls.append(len(question.relevant & set(ranked)) / len(question.relevant))
        precisions.append(average_precision(ranked, question.relevant))
    seconds.sort()
    return MethodFigures(
        recall_at_10=round(sum(recalls) / len(asked), 4),
        map_at_10=round(sum(precisions) / len(asked), 4),
        no_result_rate=round(empty / len(asked), 4),
        p50_ms=round(1000 * seconds[len(seconds) // 2], 2),
        p95_ms=round(1000 * seconds[int(len(seconds) * 0.95)], 2),
    )


def _index(folder: Path, texts: Mapping[str, tuple[str, str]], embedder: Embedder) -> Snapshot:
    """A table of the passages; each source document is one document."""
    table = ClauseTable.for_writing(folder, dimensions=embedder.dimensions, version=None)
    by_document = sorted(texts.items(), key=lambda item: item[1][0])
    rows: list[dict[str, Any]] = []
    bodies: list[str] = []
    for document, group in groupby(by_document, key=lambda item: item[1][0]):
        clauses = [_clause(label, text, place) for place, (label, (_, text)) in enumerate(group)]
        version = _version(document, len(clauses))
        rows += [row_values(version, clause) for clause in clauses]
        bodies += [search_text(clause) for clause in clauses]
    table.add(rows, embedder.embed(bodies))
    state = ActiveState(table_version=table.finish(), index_version="bench", embedder=embedder.name)
    return Snapshot.open(folder, state)


def _clause(label: str, text: str, position: int) -> ParsedClause:
    return ParsedClause(
        label=label,
        text=text,
        sha256=sha256_text(text),
        heading="",
        parents=(),
        position=position,
        lead_in=(),
        titles=(),
    )


def _version(document_id: str, clauses: int) -> IndexedVersion:
    return IndexedVersion(
        approval="approved",
        tenant=_TENANT,
        document_id=document_id,
        version=_VERSION,
        title=document_id,
        status="published",
        label_set="",
        issuer="",
        effective_from=20000101,
        own_effective_to=OPEN_END,
        effective_to=OPEN_END,
        file_sha256="",
        clause_count=clauses,
    )


def _read_passages(path: Path) -> dict[str, tuple[str, str]]:
    """Document and text by passage id; passages without text are left out."""
    found: dict[str, tuple[str, str]] = {}
    for number, line in _lines(path):
        name, text = line.get("id"), line.get("text")
        if not isinstance(name, str) or not isinstance(text, str):
            raise InputError(f"line {number} of {str(path)!r} has no text 'id' and 'text'; give both")
        if text.strip():
            found[name] = (str(line.get("document", "")), " ".join(text.split()))
    return found


def read_questions(path: Path) -> list[BenchQuestion]:
    """The questions of a file.

    Raises:
        InputError: it is missing or not in the format.
    """
    found: list[BenchQuestion] = []
    for number, line in _lines(path):
        text, relevant = line.get("question"), line.get("relevant")
        if not isinstance(text, str) or not isinstance(relevant, list) or not relevant:
            raise InputError(f"line {number} of {str(path)!r} has no text 'question' and list 'relevant'; give both")
        names = cast("list[object]", relevant)
        found.append(BenchQuestion(text=text, relevant=frozenset(str(name) for name in names)))
    return found


def _lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{str(path)!r} cannot be read ({error}); name a UTF-8 file of JSON lines") from error
    found: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            value: object = json.loads(line) if line.strip() else {}
        except ValueError as error:
            raise InputError(f"line {number} of {str(path)!r} is not JSON; mend it") from error
        if isinstance(value, dict) and value:
            found.append((number, cast("dict[str, Any]", value)))
    return found
