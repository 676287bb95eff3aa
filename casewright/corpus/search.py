"""Find clauses: references by name first, then full text and vectors fused by rank.

What is searched carries the caller's scope; a ranker puts the fused candidates into their
final order. Lead-in parents of the best hits are brought along, since an item of a list
says little without them. It is deliberately *not* a judge of its own result; `sufficiency`
is.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from casewright.contracts.clause import ClauseHit, SearchFilters
from casewright.corpus.candidates import Candidates, Row, Scope
from casewright.corpus.labels import Reference, fold_label, references
from casewright.corpus.reranking import RankerRunner
from casewright.corpus.rows import hit_from
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.words import Question, read_question, stems
from casewright.errors import InputError

if TYPE_CHECKING:
    from casewright.corpus.embedding import Embedder

MAX_LIMIT = 100
_WITH_LEAD_IN = 3
"""So many of the best hits bring their parent clause along."""
_VECTOR_CHARACTERS = 4_000
_REFERENCE_CHARACTERS = 4_000


@dataclass(frozen=True, kw_only=True)
class Searcher:
    """What a search needs besides the question."""

    snapshot: Snapshot
    embedder: "Embedder"
    ranker: RankerRunner


@dataclass(frozen=True, kw_only=True)
class Found:
    """Hits, best first, with the question as it was understood."""

    question: Question
    hits: tuple[ClauseHit, ...]
    similarity: float
    """Cosine of the question and the nearest visible clause; 0 where there is none."""
    ranked_by: str
    """The ranker that ordered the hits; `fused` where it failed or was late."""


def find(searcher: Searcher, query: str, filters: SearchFilters, *, limit: int) -> Found:
    """The best hits for a query among what the filters let through.

    Raises:
        InputError: the limit is out of range, or a version is named without `named_version`.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit {limit!r} is out of range; ask for 1 to {MAX_LIMIT} hits")
    snapshot = searcher.snapshot
    scope = snapshot.scope(filters)
    question = read_question(query, searcher.embedder)
    exact = _named(snapshot, question, scope)
    candidates = candidates_of(searcher, question, scope)
    ranking = searcher.ranker.rank(question, candidates)
    scores = dict(ranking.order)
    order = list(dict.fromkeys([*exact, *scores]))[:limit]
    rows = exact | snapshot.source.rows([row_id for row_id in order if row_id not in exact], scope)
    order = _siblings_last(_with_parents(snapshot, order, rows, scope)[:limit], rows, exact)
    hits = tuple(
        hit_from(rows[row_id], score=round(scores.get(row_id, 0.0), 6), rank=rank, exact_reference=row_id in exact)
        for rank, row_id in enumerate(order, start=1)
    )
    return Found(question=question, hits=hits, similarity=candidates.similarity, ranked_by=ranking.by)


def candidates_of(searcher: Searcher, question: Question, scope: Scope) -> Candidates:
    """The candidates of a question before they are ranked; none for a question without words."""
    if not question.words:
        return Candidates.none()
    vector = searcher.embedder.embed([question.text[:_VECTOR_CHARACTERS]])[0]
    return searcher.snapshot.source.candidates(question, vector, scope)


def _named(snapshot: Snapshot, question: Question, scope: Scope) -> dict[int, Row]:
    """The clauses that the query names by label, in the order in which it names them."""
    words = question.text[:_REFERENCE_CHARACTERS].split()
    asked = references(words)
    if not asked:
        return {}
    found = snapshot.source.named({each.folded for each in asked}, scope)
    known = {row["reference"] for row in found.values()}
    documents = {word.strip(".,;:?!()'\"").casefold() for word in words}
    spoken = stems(" ".join(words))
    chosen: dict[int, Row] = {}
    for reference in _longest(each for each in asked if each.folded in known):
        matching = [item for item in found.items() if item[1]["reference"] == reference.folded]
        named = [item for item in matching if item[1]["document_id"].casefold() in documents]
        named = named or [item for item in matching if _titled(item[1], spoken)]
        as_written = [item for item in named or matching if fold_label(item[1]["label"]) in fold_label(question.text)]
        chosen |= sorted(as_written or named or matching, key=lambda item: _place(item[1]))
    return chosen


def _titled(row: Row, spoken: Collection[str]) -> bool:
    """Whether every telling word of the document's title was spoken, which then says whose clause is meant."""
    title = stems(str(row["title"]))
    return bool(title) and all(each in spoken for each in title)


def _place(row: Row) -> tuple[str, int]:
    return (str(row["document_id"]), int(row["position"]))


def _longest(found: Iterable[Reference]) -> list[Reference]:
    """References that do not lie inside an earlier or longer one."""
    kept: list[Reference] = []
    for each in sorted(found, key=lambda each: (each.start, -each.words)):
        if not kept or each.start >= kept[-1].start + kept[-1].words:
            kept.append(each)
    return kept


def _with_parents(snapshot: Snapshot, order: Sequence[int], rows: dict[int, Row], scope: Scope) -> list[int]:
    """The order with the parent clause of each of the best hits that completes one, right after it or before."""
    wanted: Mapping[int, Row] = {row_id: rows[row_id] for row_id in order[:_WITH_LEAD_IN] if rows[row_id]["lead_in"]}
    above = snapshot.source.parents(wanted, scope)
    rows.update(above.values())
    result: dict[int, None] = {}
    for row_id in order:
        result[row_id] = None
        if row_id in above:
            result[above[row_id][0]] = None
    return list(result)


def _siblings_last(order: Sequence[int], rows: Mapping[int, Row], exact: Collection[int]) -> list[int]:
    """The order with further items of a list behind the other hits: the first one speaks for its list."""
    seen: set[tuple[str, str, str]] = set()
    first: list[int] = []
    further: list[int] = []
    for row_id in order:
        row = rows[row_id]
        group = (row["document_id"], row["version"], row["parents"][-1]) if row["lead_in"] else None
        (further if group in seen and row_id not in exact else first).append(row_id)
        if group is not None:
            seen.add(group)
    return first + further
