"""Learn the weights of the feature ranker from questions with known answers.

Usage: python scripts/train_ranker.py PASSAGES QUESTIONS DOCUMENTS LABELLED [--out FILE]

Two sources, together: a benchmark of flat passages (`casewright bench retrieval` reads the same files), and documents
with structure with questions whose right clauses are known (`casewright bench answers`). One alone teaches the ranker
the habits of one kind of text. Every question counts the same.

The model is linear, so that it stays readable and cannot learn single questions by heart. Its loss is the listwise
cross entropy of each question's candidates (Cao et al. 2007, ListNet with binary relevance), minimised by Adam in
plain numpy. The figures it prints are out of fold: each question is ranked by weights that were learned without it.
The shipped weights are then learned from all questions. Deterministic for the same input.
"""

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from casewright.contracts.clause import SearchFilters
from casewright.corpus.answer_bench import TENANT, index_documents, read_labelled
from casewright.corpus.bench import CUTOFF, FILTERS, BenchQuestion, average_precision, index_passages, read_questions
from casewright.corpus.embedding import default_embedder
from casewright.corpus.features import FEATURES
from casewright.corpus.reranking import WEIGHTS, RankerRunner, default_ranker, standardized
from casewright.corpus.search import Searcher, candidates_of
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.words import read_question

FOLDS = 5
CLAUSES_CUTOFF = 5
SEED = 20261101
EPOCHS = 250
RATE = 0.02
PENALTY = 1e-4
Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The candidates of one question, in fused order."""

    names: list[str]
    relevant: frozenset[str]
    features: Array
    structured: bool
    """Whether the candidates are clauses of documents, not flat passages."""

    @property
    def targets(self) -> Floats:
        """1 for a candidate that answers the question, else 0."""
        return np.array([float(name in self.relevant) for name in self.names])


@dataclass(frozen=True, kw_only=True)
class Model:
    """What the ranker ships: the standardisation and the weights."""

    mean: Array
    scale: Array
    weight: Array

    def document(self, trained_on: str, figures: dict[str, float]) -> str:
        parts = zip(FEATURES, self.mean.tolist(), self.scale.tolist(), self.weight.tolist(), strict=True)
        features = {
            name: {"mean": round(mean, 6), "scale": round(scale, 6), "weight": round(weight, 6)}
            for name, mean, scale, weight in parts
        }
        about = (
            f"Made by scripts/train_ranker.py from {trained_on}; figures are out of fold, {FOLDS} folds by question."
        )
        return json.dumps({"about": about, "out_of_fold": figures, "features": features}, indent=2) + "\n"


def of_passages(passages: Path, questions: list[BenchQuestion]) -> list[Group]:
    """The candidates of every benchmark question with their features, as a search sees them."""
    with tempfile.TemporaryDirectory(prefix="casewright-train-") as folder:
        snapshot = index_passages(Path(folder), passages)
        asked = [_group(snapshot, each.text, FILTERS, each.relevant) for each in questions]
    return [group for group in asked if group is not None]


def of_documents(documents: Path, labelled: Path) -> list[Group]:
    """The candidates of every answerable question with their features, as a search sees them."""
    with tempfile.TemporaryDirectory(prefix="casewright-train-") as folder:
        snapshot = index_documents(Path(folder), documents)
        asked = [
            _group(
                snapshot,
                each.question,
                SearchFilters(tenant=TENANT, labels=(), as_of=each.as_of),
                frozenset(f"{each.document_id} {label}" for label in each.labels),
            )
            for each in read_labelled(labelled)
            if each.answerable
        ]
    return [group for group in asked if group is not None]


def _group(snapshot: Snapshot, text: str, filters: SearchFilters, relevant: frozenset[str]) -> Group | None:
    fused: RankerRunner = default_ranker(in_memory=False)
    searcher = Searcher(snapshot=snapshot, embedder=default_embedder(), ranker=fused)
    scope = snapshot.scope(filters)
    candidates = candidates_of(searcher, read_question(text, searcher.embedder), scope)
    if candidates.features is None or not candidates.ids:
        return None
    rows = snapshot.source.rows(candidates.ids, scope)
    structured = filters is not FILTERS
    names = [
        f"{rows[row_id]['document_id']} {rows[row_id]['label']}" if structured else str(rows[row_id]["label"])
        for row_id in candidates.ids
    ]
    return Group(names=names, relevant=relevant, features=candidates.features(), structured=structured)


def learn(groups: list[Group]) -> Model:
    """Weights that put the relevant candidates of these groups first."""
    usable = [group for group in groups if group.targets.any()]
    features = np.concatenate([group.features for group in usable])
    mean, scale = features.mean(axis=0), features.std(axis=0) + np.float32(1e-6)
    inputs = standardized(features, mean, scale).astype(np.float64)
    sizes = [len(group.names) for group in usable]
    starts, owners = np.concatenate([[0], np.cumsum(sizes)[:-1]]), np.repeat(np.arange(len(sizes)), sizes)
    targets = np.concatenate([group.targets / group.targets.sum() for group in usable])
    weight, first, second = (np.zeros(inputs.shape[1]) for _ in range(3))
    for epoch in range(1, EPOCHS + 1):
        scores = inputs @ weight
        raised = np.exp(scores - np.maximum.reduceat(scores, starts)[owners])
        shares = raised / np.add.reduceat(raised, starts)[owners]
        gradient = inputs.T @ (shares - targets) / len(sizes) + PENALTY * weight
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2
        rate = RATE if epoch < 0.6 * EPOCHS else 0.2 * RATE
        weight -= rate * (first / (1 - 0.9**epoch)) / (np.sqrt(second / (1 - 0.99**epoch)) + 1e-8)
    return Model(mean=mean, scale=scale, weight=weight.astype(np.float32))


def ranked(model: Model, group: Group) -> list[str]:
    """The best passages of a group by the model."""
    scores = standardized(group.features, model.mean, model.scale) @ model.weight
    return [group.names[place] for place in np.argsort(-scores, kind="stable")[:CUTOFF]]


def out_of_fold(groups: list[Group], passages: int, clauses: int) -> dict[str, float]:
    """Figures of weights that have not seen the question that they rank; one without candidates counts as 0."""
    folds = np.random.default_rng(SEED).integers(0, FOLDS, len(groups))
    recall = precision = hits = 0.0
    for fold in range(FOLDS):
        model = learn([group for group, own in zip(groups, folds, strict=True) if own != fold])
        for group in (group for group, own in zip(groups, folds, strict=True) if own == fold):
            best = ranked(model, group)
            if group.structured:
                hits += bool(group.relevant & set(best[:CLAUSES_CUTOFF]))
            else:
                recall += len(group.relevant & set(best)) / len(group.relevant)
                precision += average_precision(best, group.relevant)
    return {
        "recall_at_10": round(recall / passages, 4),
        "map_at_10": round(precision / passages, 4),
        "clause_in_first_5": round(hits / clauses, 4),
    }


def main() -> None:
    """Learn, print the out-of-fold figures, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("passages", "questions", "documents", "labelled"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--name", default="the ObliQA dev split", help="what the questions are, for the record")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    given = parser.parse_args()
    questions = read_questions(given.questions)
    answerable = sum(each.answerable for each in read_labelled(given.labelled))
    groups = of_passages(given.passages, questions) + of_documents(given.documents, given.labelled)
    figures = out_of_fold(groups, len(questions), answerable)
    source = f"{len(questions)} questions of {given.name} and {answerable} of {given.labelled.name}"
    given.out.write_text(learn(groups).document(source, figures), encoding="utf-8")
    print(json.dumps({"learned_from": source, "out_of_fold": figures, "out": str(given.out)}))


if __name__ == "__main__":
    main()
