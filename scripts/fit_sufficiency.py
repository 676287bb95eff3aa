"""Fit the weights that say whether a search result suffices, and print their figures out of fold.

Usage: python scripts/fit_sufficiency.py DOCUMENTS

DOCUMENTS is the folder that the questions of `evals/datasets/clauses.jsonl` and of the tenant `us` in
`sufficiency.jsonl` are about; the other tenants' are the sample's. A logistic regression by Newton's method over the
four signs of `casewright/corpus/sufficiency.py`, both kinds of question weighing the same in all. It prints what goes
into that file. A ranker that was learned from the same questions flatters them a little: the held-back questions of
`casewright bench answers` are the figure to believe.
"""

import argparse
import datetime as dt
import json
import tempfile
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import numpy as np
import numpy.typing as npt

from casewright.config import app_root
from casewright.contracts.clause import SearchFilters
from casewright.corpus.corpus import Corpus
from casewright.corpus.embedding import default_embedder
from casewright.corpus.manifest import Submission
from casewright.corpus.reranking import default_ranker
from casewright.corpus.search import Searcher, find
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.state import read_state
from casewright.corpus.sufficiency import ENOUGH, measure

SETS = Path(__file__).resolve().parents[1] / "evals" / "datasets"
FILES = ("clauses.jsonl", "sufficiency.jsonl")
SIGNS = ("single", "together", "similarity", "telling")
FOLDS = 10
SEED = 20261101
PENALTY = 0.005
STEPS = 30
Floats = npt.NDArray[np.float64]


def examples(documents: Path) -> Iterator[tuple[tuple[float, ...], bool]]:
    """The signs of every question's result, and whether it can be answered."""
    with tempfile.TemporaryDirectory(prefix="casewright-fit-") as folder:
        searcher = _searcher(Path(folder), documents)
        for line in (line for name in FILES for line in (SETS / name).read_text(encoding="utf-8").splitlines()):
            example = json.loads(line)
            as_of = dt.date.fromisoformat(example["as_of"])
            filters = SearchFilters(tenant=example.get("tenant", "us"), labels=(), as_of=as_of)
            found = find(searcher, example["question"], filters, limit=10)
            if found.hits and not any(hit.exact_reference for hit in found.hits):
                yield astuple(measure(found.question, found.hits, found.similarity)), example["answerable"]


def _searcher(folder: Path, documents: Path) -> Searcher:
    corpus = Corpus(folder)
    submission = Submission(by="fit", at="2020-01-01T00:00:00Z", approved=True)
    corpus.ingest([documents], tenant="us", submission=submission)
    for tenant in ("harborline", "millbrook"):
        own = app_root() / "casewright" / "sample" / tenant / "documents"
        corpus.ingest([own], tenant=tenant, submission=submission)
    state = read_state(folder)
    if state is None:
        raise SystemExit(f"no index was made of {str(documents)!r}; name a folder of documents")
    return Searcher(
        snapshot=Snapshot.open(folder, state), embedder=default_embedder(), ranker=default_ranker(in_memory=True)
    )


def fit(signs: Floats, answerable: Floats) -> Floats:
    """One weight per sign and the bias last."""
    mean: Floats = signs.mean(axis=0)
    scale: Floats = signs.std(axis=0) + 1e-9
    inputs: Floats = np.column_stack(((signs - mean) / scale, np.ones(len(signs))))
    share = float(answerable.mean())
    counts: Floats = (answerable * (0.5 / share) + (1 - answerable) * (0.5 / (1 - share))) / len(signs)
    penalty = PENALTY * np.append(np.ones(len(scale)), 0.0)
    weights: Floats = np.zeros(len(scale) + 1)
    for _ in range(STEPS):
        expected = 1 / (1 + np.exp(-inputs @ weights))
        gradient: Floats = inputs.T @ (counts * (expected - answerable)) + penalty * weights
        curvature: Floats = (inputs * (counts * expected * (1 - expected))[:, None]).T @ inputs + np.diag(penalty)
        weights = weights - np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
    plain: Floats = weights[:-1] / scale
    return np.append(plain, weights[-1] - plain @ mean)


def out_of_fold(signs: Floats, answerable: Floats) -> dict[str, float]:
    """How well results are told apart by weights that have not seen them, at the shipped threshold."""
    folds = np.random.default_rng(SEED).integers(0, FOLDS, len(signs))
    declined = np.zeros(len(signs), dtype=np.bool_)
    for fold in range(FOLDS):
        weights = fit(signs[folds != fold], answerable[folds != fold])
        value = signs[folds == fold] @ weights[:-1] + weights[-1]
        declined[folds == fold] = 1 / (1 + np.exp(-value)) < ENOUGH
    rightly = declined & (answerable == 0)
    return {
        "abstaining_precision": round(rightly.sum() / max(1, declined.sum()), 4),
        "abstaining_recall": round(rightly.sum() / (answerable == 0).sum(), 4),
        "answerable_kept": round((~declined & (answerable == 1)).sum() / answerable.sum(), 4),
    }


def main() -> None:
    """Fit, and print weights and figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=Path)
    found = list(examples(parser.parse_args().documents))
    signs = np.array([each for each, _ in found])
    answerable = np.array([float(can) for _, can in found])
    weights = dict(zip((*SIGNS, "bias"), fit(signs, answerable).round(2).tolist(), strict=True))
    print(json.dumps({"questions": len(found), "weights": weights, "out_of_fold": out_of_fold(signs, answerable)}))


if __name__ == "__main__":
    main()
