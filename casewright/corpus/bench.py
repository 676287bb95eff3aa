"""Measure retrieval on its own, apart from answers: recall, precision, latency.

Passages and questions come as JSON lines: `{"id", "document", "text"}` and `{"question",
"relevant": [id]}`. Full text, vectors and their fusion are measured in one run over one
temporary index, through the same code that serves a search.
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
from casewright.corpus.embedding import Embedder, default_embedder
from casewright.corpus.filters import OPEN_END
from casewright.corpus.markdown import ParsedClause
from casewright.corpus.rows import IndexedVersion, row_values, search_text
from casewright.corpus.search import find, full_text_candidates, nearest_candidates
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.state import ActiveState
from casewright.corpus.table import ClauseTable
from casewright.corpus.words import read_question
from casewright.errors import InputError

CUTOFF = 10
_TENANT = "bench"
_VERSION = "1"
_FILTERS = SearchFilters(tenant=_TENANT, labels=(), as_of=dt.date(2020, 1, 1))


class MethodFigures(Contract):
    """How one way of searching did."""

    recall_at_10: float
    map_at_10: float
    no_result_rate: float
    p50_ms: float
    p95_ms: float


class RetrievalFigures(MethodFigures):
    """The fused search, with its parts for comparison."""

    passages: int
    questions: int
    index_seconds: float
    full_text: MethodFigures
    vector: MethodFigures


@dataclass(frozen=True, kw_only=True)
class _Question:
    text: str
    relevant: frozenset[str]


def measure(passages: Path, questions: Path, *, limit_questions: int | None = None) -> RetrievalFigures:
    """Index the passages, ask every question three ways, and score the answers.

    Raises:
        InputError: a file is missing or not in the format.
    """
    texts = _read_passages(passages)
    asked = _read_questions(questions)[:limit_questions]
    if not texts or not asked:
        raise InputError(
            f"{str(passages)!r} or {str(questions)!r} is empty; give at least one passage and one question"
        )
    embedder = default_embedder()
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as folder:
        started = time.perf_counter()
        snapshot = _index(Path(folder), texts, embedder)
        seconds = time.perf_counter() - started
        hybrid = _figures(asked, lambda text: _hybrid(snapshot, embedder, text))
        full_text = _figures(asked, lambda text: _full_text(snapshot, embedder, text))
        vector = _figures(asked, lambda text: _vector(snapshot, embedder, text))
    return RetrievalFigures(
        **hybrid.model_dump(),
        passages=len(texts),
        questions=len(asked),
        index_seconds=round(seconds, 2),
        full_text=full_text,
        vector=vector,
    )


def average_precision(ranked: Sequence[str], relevant: frozenset[str], *, cutoff: int = CUTOFF) -> float:
    """Mean of the precisions at each relevant place, over all that could be had within the cutoff."""
    found = 0
    total = 0.0
    for place, name in enumerate(ranked[:cutoff], start=1):
        if name in relevant:
            found += 1
            total += found / place
    return total / min(len(relevant), cutoff)


def _hybrid(snapshot: Snapshot, embedder: Embedder, text: str) -> list[str]:
    return [hit.label for hit in find(snapshot, embedder, text, _FILTERS, limit=CUTOFF).hits]


def _full_text(snapshot: Snapshot, embedder: Embedder, text: str) -> list[str]:
    found = full_text_candidates(snapshot, read_question(text, embedder), snapshot.predicate(_FILTERS))
    return _labels(snapshot, found[:CUTOFF])


def _vector(snapshot: Snapshot, embedder: Embedder, text: str) -> list[str]:
    found = nearest_candidates(snapshot, embedder, read_question(text, embedder), _FILTERS)
    return _labels(snapshot, [row_id for row_id, _ in found[:CUTOFF]])


def _labels(snapshot: Snapshot, row_ids: Sequence[int]) -> list[str]:
    rows = snapshot.take(row_ids, _FILTERS)
    return [rows[row_id]["label"] for row_id in row_ids]


def _figures(asked: Sequence[_Question], search: Callable[[str], list[str]]) -> MethodFigures:
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


def _read_questions(path: Path) -> list[_Question]:
    found: list[_Question] = []
    for number, line in _lines(path):
        text, relevant = line.get("question"), line.get("relevant")
        if not isinstance(text, str) or not isinstance(relevant, list) or not relevant:
            raise InputError(f"line {number} of {str(path)!r} has no text 'question' and list 'relevant'; give both")
        names = cast("list[object]", relevant)
        found.append(_Question(text=text, relevant=frozenset(str(name) for name in names)))
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
