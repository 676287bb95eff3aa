"""The process of `casewright bench corpus` that searches: ours and plain LanceDB in turns, over the same questions.

`python -m commands.bench_corpus_search INDEX` reads a job from standard input and prints the figures.
"""

import datetime as dt
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from casewright.contracts.clause import SearchFilters
from casewright.corpus.bench import CUTOFF, PlainSearch
from casewright.corpus.corpus import Corpus
from casewright.corpus.embedding import default_embedder
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.states import active_state
from commands.bench_timing import percentile

BLOCK = 20
"""Questions of one kind in a row, so that whatever else the machine does falls on all kinds."""
HYBRID_BLOCKS = 5
"""The hybrid search compares every visible vector, so only the first blocks are asked of it."""


def main(index: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """Milliseconds of every kind of search; what was searched and from what."""
    filters = SearchFilters(tenant=job["tenant"], labels=(), as_of=dt.date.fromisoformat(job["as_of"]))
    corpus = Corpus(index)
    asked: list[str] = job["questions"]
    began = time.perf_counter()
    corpus.search(asked[0], filters, limit=CUTOFF)
    opened = time.perf_counter() - began
    snapshot = Snapshot.open(index, active_state(index))
    plain = PlainSearch(snapshot.table, default_embedder(), snapshot.predicate(filters))
    kinds: dict[str, Callable[[str], object]] = {
        "ours": lambda question: corpus.search(question, filters, limit=CUTOFF),
        "full_text": plain.full_text,
        "hybrid": plain.hybrid,
    }
    figures = _timed(kinds, asked)
    return {
        "visible_clauses": sum(each.clauses for each in corpus.documents(filters)),
        "mapped": snapshot.in_memory,
        "first_search_seconds": round(opened, 2),
        **figures,
        "cpu_to_full_text": round(figures["ours"]["cpu_ms"] / figures["full_text"]["cpu_ms"], 2),
        "p95_to_full_text": round(figures["ours"]["p95_ms"] / figures["full_text"]["p95_ms"], 2),
        "p95_to_hybrid": round(figures["ours"]["p95_ms"] / figures["hybrid"]["p95_ms"], 2),
    }


def _timed(kinds: Mapping[str, Callable[[str], object]], asked: list[str]) -> dict[str, dict[str, Any]]:
    samples: dict[str, list[float]] = {name: [] for name in kinds}
    processor = dict.fromkeys(kinds, 0.0)
    for search in kinds.values():
        for question in asked[:BLOCK]:
            search(question)
    for number, start in enumerate(range(0, len(asked), BLOCK)):
        for name, search in kinds.items():
            if name == "hybrid" and number >= HYBRID_BLOCKS:
                continue
            before = time.process_time()
            for question in asked[start : start + BLOCK]:
                began = time.perf_counter()
                search(question)
                samples[name].append((time.perf_counter() - began) * 1_000)
            processor[name] += time.process_time() - before
    return {name: _figures(taken, processor[name]) for name, taken in samples.items()}


def _figures(samples: list[float], processor_seconds: float) -> dict[str, Any]:
    points = {f"p{point}_ms": round(percentile(samples, point), 2) for point in (50, 95, 99)}
    # The mean of all threads: what stays the same on a machine that does other things as well.
    return {**points, "cpu_ms": round(1_000 * processor_seconds / len(samples), 2), "searches": len(samples)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), json.loads(sys.stdin.read()))) + "\n")
