"""A ranker orders candidates, or the fused order stands: late, failing and wrong rankers alike."""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.corpus.candidates import Candidates
from casewright.corpus.embedding import default_embedder
from casewright.corpus.features import FEATURES
from casewright.corpus.reranking import (
    WEIGHTS,
    CoverageReranker,
    FeatureReranker,
    RankerRunner,
    RerankerError,
    default_ranker,
    read_weights,
)
from casewright.corpus.words import Question, read_question
from casewright.errors import StorageError

QUESTION = read_question("provisional credit for a debit card", default_embedder())
TEXTS = ("an escrow account", "credit", "provisional credit for a debit card")


def candidates(features: "npt.NDArray[np.float32] | None" = None) -> Candidates:
    """Three candidates, the fused order being 7, 8, 9."""
    return Candidates(
        ids=(7, 8, 9),
        fused=(0.03, 0.02, 0.01),
        similarity=0.5,
        texts=lambda: TEXTS,
        features=None if features is None else lambda: features,
    )


class Scripted:
    """A ranker that does what it is told, once."""

    name = "scripted"

    def __init__(self, act: Callable[[], Sequence[float]], *, blocking: bool) -> None:
        self.blocking = blocking
        self._steps = [act]

    def scores(self, question: Question, candidates: Candidates) -> Sequence[float]:
        return self._steps.pop()()


def failing() -> Sequence[float]:
    raise RerankerError("no model")


@pytest.mark.proves("A2")
@pytest.mark.parametrize("blocking", [True, False])
def test_the_ranker_s_scores_decide_the_order(blocking: bool) -> None:
    ranking = RankerRunner(Scripted(lambda: [0.1, 0.3, 0.2], blocking=blocking)).rank(QUESTION, candidates())
    assert ranking.order == ((8, 0.3), (9, 0.2), (7, 0.1))
    assert ranking.by == "scripted"


@pytest.mark.proves("A2")
def test_a_ranker_that_is_late_is_passed_over_and_the_next_question_is_ranked_again() -> None:
    released = threading.Event()

    def late() -> Sequence[float]:
        assert released.wait(timeout=30)
        return [0.1, 0.2, 0.3]

    slow = Scripted(late, blocking=True)
    runner = RankerRunner(slow, seconds=0.02)
    ranking = runner.rank(QUESTION, candidates())
    released.set()
    assert (ranking.by, [row for row, _ in ranking.order]) == ("fused", [7, 8, 9])


@pytest.mark.proves("A2")
@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("act", [failing, lambda: [1.0], lambda: [1.0, float("nan"), 2.0]])
def test_a_ranker_that_fails_leaves_the_fused_order(act: Callable[[], Sequence[float]], blocking: bool) -> None:
    ranking = RankerRunner(Scripted(act, blocking=blocking)).rank(QUESTION, candidates())
    assert ranking.order == ((7, 0.03), (8, 0.02), (9, 0.01))
    assert ranking.by == "fused"


@pytest.mark.proves("A2")
def test_coverage_brings_the_clause_with_all_the_words_forward() -> None:
    ranking = RankerRunner(CoverageReranker()).rank(QUESTION, candidates())
    assert [row for row, _ in ranking.order] == [9, 8, 7]


@pytest.mark.proves("A2")
def test_the_shipped_weights_prefer_what_fits_better_in_every_respect() -> None:
    better = {"covered_weight": 0.9, "pairs_in_order": 0.5, "bm25_of_best": 1.0, "cosine": 0.9, "bm25_rank": 0.09}
    rows = np.zeros((3, len(FEATURES)), dtype=np.float32)
    for name, value in better.items():
        rows[2, FEATURES.index(name)] = value
    ranking = default_ranker(in_memory=True).rank(QUESTION, candidates(rows))
    assert ranking.by == "features"
    assert ranking.order[0][0] == 9


@pytest.mark.proves("A2")
@pytest.mark.parametrize("name", ["depth", "secondary", "blank", "example"])
def test_the_shipped_weights_put_a_rule_before_what_only_illustrates_it(name: str) -> None:
    rows = np.zeros((3, len(FEATURES)), dtype=np.float32)
    rows[0, FEATURES.index(name)] = 1.0
    assert [row for row, _ in default_ranker(in_memory=True).rank(QUESTION, candidates(rows)).order] == [8, 9, 7]


@pytest.mark.proves("A2")
@pytest.mark.parametrize("name", ["time_for_time", "meaning_for_meaning"])
def test_the_shipped_weights_prefer_the_kind_of_answer_that_is_asked_for(name: str) -> None:
    rows = np.zeros((3, len(FEATURES)), dtype=np.float32)
    rows[2, FEATURES.index(name)] = 1.0
    assert default_ranker(in_memory=True).rank(QUESTION, candidates(rows)).order[0][0] == 9


def test_candidates_without_features_are_left_in_the_fused_order() -> None:
    assert default_ranker(in_memory=True).rank(QUESTION, candidates()).by == "fused"


@pytest.mark.parametrize("damage", ["{", "{}", '{"features": {}}', '{"features": {"cosine": {"weight": 1}}}', "[]"])
def test_weights_that_do_not_fit_are_refused_with_the_way_out(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "ranker.json"
    path.write_text(damage, encoding="utf-8")
    with pytest.raises(StorageError, match="install the package again"):
        read_weights(path)


def test_weights_of_another_order_of_features_are_refused() -> None:
    features = json.loads(WEIGHTS.read_text(encoding="utf-8"))["features"]
    with pytest.raises(StorageError, match="other features"):
        FeatureReranker(dict(reversed(features.items())))


@given(st.lists(st.floats(-1e6, 1e6), min_size=len(FEATURES), max_size=len(FEATURES)))
def test_no_feature_can_outweigh_the_rest_without_bound(values: list[float]) -> None:
    ranker = read_weights()
    score = ranker.weigh(np.array([values], dtype=np.float32))[0]
    assert abs(float(score)) < 100
