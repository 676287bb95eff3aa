"""Find clauses: references by name first, then full text and vectors fused by rank.

Every query to the table carries the caller's prefilter. Lead-in parents of the best hits
are brought along, since an item of a list says little without them. It is deliberately
*not* a judge of its own result; `sufficiency` is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from casewright.contracts.clause import ClauseHit, SearchFilters
from casewright.corpus.filters import Predicate, one_of
from casewright.corpus.fusion import fuse
from casewright.corpus.labels import Reference, fold_label, fold_reference, references
from casewright.corpus.ranking import rerank
from casewright.corpus.rows import HIT_COLUMNS, clause_id, hit_from
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.words import Question, read_question
from casewright.errors import InputError

if TYPE_CHECKING:
    from casewright.corpus.embedding import Embedder

MAX_LIMIT = 100
CANDIDATES = 100
"""Taken from each ranking before they are fused."""
RERANKED = 40
"""So many of the fused candidates are read and ordered again."""
_EXPANSION_WEIGHT = 0.4
_WITH_LEAD_IN = 3
"""So many of the best hits bring their parent clause along."""
_VECTOR_CHARACTERS = 4_000
_REFERENCE_CHARACTERS = 4_000
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Hits, best first, with the question as it was understood."""

    question: Question
    hits: tuple[ClauseHit, ...]
    similarity: float
    """Cosine of the question and the nearest visible clause; 0 where there is none."""


def find(snapshot: Snapshot, embedder: "Embedder", query: str, filters: SearchFilters, *, limit: int) -> Found:
    """The best hits for a query among what the filters let through.

    Raises:
        InputError: the limit is out of range, or a version is named without `named_version`.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit {limit!r} is out of range; ask for 1 to {MAX_LIMIT} hits")
    predicate = snapshot.predicate(filters)
    question = read_question(query, embedder)
    named = _named(snapshot, question, predicate)
    nearest = nearest_candidates(snapshot, embedder, question, filters)
    fused = fuse(full_text_candidates(snapshot, question, predicate), [row_id for row_id, _ in nearest])
    fused = fused[: max(RERANKED, limit)]
    rows = snapshot.take([row_id for row_id, _ in fused], filters)
    scores = {clause_id(rows[row_id]): score for row_id, score in rerank(question, fused, rows)}
    by_name = {clause_id(row): row for row in (*rows.values(), *named)}
    exact = [clause_id(row) for row in named]
    order = list(dict.fromkeys([*exact, *scores]))
    order = _with_parents(snapshot, order[:limit], by_name, predicate)[:limit]
    hits = tuple(
        hit_from(by_name[name], score=round(scores.get(name, 0.0), 6), rank=rank, exact_reference=name in exact)
        for rank, name in enumerate(order, start=1)
    )
    return Found(question=question, hits=hits, similarity=max(0.0, nearest[0][1]) if nearest else 0.0)


def full_text_candidates(snapshot: Snapshot, question: Question, predicate: Predicate) -> list[int]:
    """Row ids by full-text score, best first."""
    if not question.words:
        return []
    texts = [(" ".join(question.words), 1.0)]
    if question.expansions:
        texts.append((" ".join(question.expansions), _EXPANSION_WEIGHT))
    return snapshot.table.full_text(texts, predicate, limit=CANDIDATES)


def nearest_candidates(
    snapshot: Snapshot, embedder: "Embedder", question: Question, filters: SearchFilters
) -> list[tuple[int, float]]:
    """Row ids and cosines by nearness to the question, nearest first."""
    if not question.words:
        return []
    vector = embedder.embed([question.text[:_VECTOR_CHARACTERS]])[0]
    return snapshot.nearest(vector, filters, limit=CANDIDATES)


def _named(snapshot: Snapshot, question: Question, predicate: Predicate) -> list[Row]:
    """The clauses that the query names by label, in the order in which it names them."""
    words = question.text[:_REFERENCE_CHARACTERS].split()
    asked = references(words)
    if not asked:
        return []
    rows = snapshot.table.select(
        (*HIT_COLUMNS, "reference"), predicate & one_of("reference", {each.folded for each in asked})
    )
    known = {row["reference"] for row in rows}
    documents = {word.strip(".,;:?!()'\"").casefold() for word in words}
    chosen: list[Row] = []
    for reference in _longest(each for each in asked if each.folded in known):
        matching = [row for row in rows if row["reference"] == reference.folded]
        named = [row for row in matching if row["document_id"].casefold() in documents]
        as_written = [row for row in named or matching if fold_label(row["label"]) in fold_label(question.text)]
        chosen += sorted(as_written or named or matching, key=lambda row: (row["document_id"], row["position"]))
    return chosen


def _longest(found: Iterable[Reference]) -> list[Reference]:
    """References that do not lie inside an earlier or longer one."""
    kept: list[Reference] = []
    for each in sorted(found, key=lambda each: (each.start, -each.words)):
        if not kept or each.start >= kept[-1].start + kept[-1].words:
            kept.append(each)
    return kept


def _with_parents(snapshot: Snapshot, order: Sequence[str], rows: dict[str, Row], predicate: Predicate) -> list[str]:
    """The order with the parent clause of each of the best hits that completes one, right after it."""
    wanted = {name: _parent_name(rows[name]) for name in order[:_WITH_LEAD_IN] if rows[name]["lead_in"]}
    missing = [name for name, parent in wanted.items() if parent not in rows]
    if missing:
        labels = {fold_reference(rows[name]["parents"][-1]) for name in missing}
        documents = {rows[name]["document_id"] for name in missing}
        asked = predicate & one_of("reference", labels) & one_of("document_id", documents)
        rows.update({clause_id(row): row for row in snapshot.table.select(HIT_COLUMNS, asked)})
    result: list[str] = []
    for name in order:
        result.append(name)
        if name in wanted and wanted[name] in rows and wanted[name] not in order:
            result.append(wanted[name])
    return list(dict.fromkeys(result))


def _parent_name(row: Row) -> str:
    return f"{row['document_id']}@{row['version']}#{row['parents'][-1]}"
