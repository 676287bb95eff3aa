"""Put candidates into their final order: a seam, two light rankers, and a time limit.

A ranker that fails or is late is passed over and the fused order stands, so that a search
never waits for one. `features` is the default; `coverage` serves an index too large for
memory. It is deliberately *not* a filter: every candidate was already in scope.
"""

import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from casewright.corpus.candidates import Candidates
from casewright.corpus.features import FEATURES
from casewright.corpus.words import Question, stems
from casewright.errors import StorageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WEIGHTS = Path(__file__).parent / "data" / "ranker.json"
TIME_LIMIT_SECONDS = 0.25
"""How long a search waits for a blocking ranker."""
_EXTREME = 6.0
"""Features beyond so many deviations from the mean are cut off there."""
_COVERAGE_WEIGHT = 0.2
"""A full coverage counts as much as a first place in a ranking of weight about 2."""
_COVERED = 40
"""So many candidates are read for `coverage`."""


class RerankerError(Exception):
    """A ranker cannot score these candidates; the fused order stands."""


class Reranker(Protocol):
    """Scores the candidates of one question."""

    name: str
    blocking: bool
    """Whether it may take long, so that it is given a thread and a time limit."""

    def scores(self, question: Question, candidates: Candidates) -> Sequence[float]:
        """One score per candidate, the higher the better.

        Raises:
            RerankerError: it cannot score these.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Candidates in their final order."""

    order: tuple[tuple[int, float], ...]
    """Handles with scores, best first."""
    by: str
    """The ranker that made the order; `fused` where none did."""


class FeatureReranker:
    """A weighted sum of the features of each candidate."""

    name = "features"
    blocking = False

    def __init__(self, weights: Mapping[str, Mapping[str, float]]) -> None:
        """Take mean, scale and weight of every feature.

        Raises:
            StorageError: they are not the features that are computed here.
        """
        import numpy as np

        if tuple(weights) != FEATURES or not all(math.isfinite(v) for each in weights.values() for v in each.values()):
            raise StorageError(
                f"the ranker's weights are for other features than {', '.join(FEATURES)}; install the package again"
            )
        self._mean, self._scale, self._weight = (
            np.array([each[part] for each in weights.values()], dtype=np.float32)
            for part in ("mean", "scale", "weight")
        )

    def scores(self, question: Question, candidates: Candidates) -> Sequence[float]:
        if candidates.features is None:
            raise RerankerError("these candidates have no features")
        return self.weigh(candidates.features()).tolist()

    def weigh(self, features: "npt.NDArray[np.float32]") -> "npt.NDArray[np.float32]":
        """One score per row of features."""
        return standardized(features, self._mean, self._scale) @ self._weight


class CoverageReranker:
    """The fused score and how much of the question's weight each of the first candidates covers.

    Fusion by rank forgets by how much one hit is better than the next; coverage, in the
    question's own or equal words, brings that back.
    """

    name = "coverage"
    blocking = False

    def scores(self, question: Question, candidates: Candidates) -> Sequence[float]:
        texts = candidates.texts()[:_COVERED]
        covered = [question.coverage(stems(text)) for text in texts]
        covered += [0.0] * (len(candidates.ids) - len(covered))
        return [score + _COVERAGE_WEIGHT * share for score, share in zip(candidates.fused, covered, strict=True)]


class RankerRunner:
    """Runs one ranker within its time limit; safe to share among threads."""

    def __init__(self, ranker: Reranker, *, seconds: float = TIME_LIMIT_SECONDS) -> None:
        """Name the ranker; a thread is started only for one that blocks."""
        self._ranker = ranker
        self._seconds = seconds
        self._lock = Lock()
        self._pool: ThreadPoolExecutor | None = None

    def rank(self, question: Question, candidates: Candidates) -> Ranking:
        """The final order: the ranker's, or the fused one where it fails or is late."""
        try:
            scores = self._scores(question, candidates)
        except (RerankerError, TimeoutError):
            return fused_order(candidates)
        if len(scores) != len(candidates.ids) or not all(map(math.isfinite, scores)):
            return fused_order(candidates)
        places = sorted(range(len(scores)), key=lambda place: -scores[place])
        return Ranking(order=tuple((candidates.ids[place], scores[place]) for place in places), by=self._ranker.name)

    def _scores(self, question: Question, candidates: Candidates) -> Sequence[float]:
        if not self._ranker.blocking:
            return self._ranker.scores(question, candidates)
        with self._lock:
            self._pool = self._pool or ThreadPoolExecutor(2, thread_name_prefix="reranker")
        work = self._pool.submit(self._ranker.scores, question, candidates)
        try:
            return work.result(timeout=self._seconds)
        finally:
            work.cancel()


def fused_order(candidates: Candidates) -> Ranking:
    """The candidates as fusion left them."""
    return Ranking(order=tuple(zip(candidates.ids, candidates.fused, strict=True)), by="fused")


def standardized(
    features: "npt.NDArray[np.float32]", mean: "npt.NDArray[np.float32]", scale: "npt.NDArray[np.float32]"
) -> "npt.NDArray[np.float32]":
    """Features in deviations from their mean, extremes cut off; what weights are learned and applied on."""
    return ((features - mean) / scale).clip(-_EXTREME, _EXTREME)


def read_weights(path: Path = WEIGHTS) -> FeatureReranker:
    """The ranker whose weights a file holds.

    Raises:
        StorageError: the file is missing or damaged.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return FeatureReranker(document["features"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(
            f"the ranker's weights {str(path)!r} cannot be read ({error}); install the package again"
        ) from error


@lru_cache(maxsize=2)
def default_ranker(*, in_memory: bool) -> RankerRunner:
    """The ranker that ships with the package for an index of this kind."""
    return RankerRunner(read_weights() if in_memory else CoverageReranker())
