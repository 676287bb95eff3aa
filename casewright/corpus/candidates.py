"""What a search chooses from: candidates of one question, and where they come from.

Two sources give them: `memory_source` for an index that fits into memory, `table_source`
for a larger one. A source returns only what its scope lets through.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from casewright.corpus.filters import Predicate
from casewright.corpus.words import Question

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from casewright.corpus.embedding import Vectors

FULL_TEXT_CANDIDATES = 100
VECTOR_CANDIDATES = 60
EXPANSION_WEIGHT = 0.6
"""What other words for the same thing count in full text."""
Key = tuple[str, str, str]
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What one caller may see and asked for."""

    predicate: Predicate
    keys: tuple[Key, ...]
    """The versions (tenant, document, version) that the predicate lets through."""


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Clauses that may answer a question, in fused order."""

    ids: tuple[int, ...]
    """Handles that the source understands."""
    fused: tuple[float, ...]
    """Fused scores, falling."""
    similarity: float
    """Cosine of the question and the nearest visible clause; 0 where there is none."""
    texts: Callable[[], Sequence[str]]
    """Reads the texts, headings and lead-ins included, in the order of `ids`."""
    features: "Callable[[], npt.NDArray[np.float32]] | None"
    """Computes one row of `features.FEATURES` per candidate; absent where nothing is in memory."""

    @classmethod
    def none(cls) -> "Candidates":
        """No candidates."""
        return cls(ids=(), fused=(), similarity=0.0, texts=tuple[str, ...], features=None)


class Source(Protocol):
    """Finds and reads clauses of one index state."""

    def candidates(self, question: Question, vector: "Vectors", scope: Scope) -> Candidates:
        """The best of full text and vectors, fused by rank."""
        ...

    def rows(self, ids: Sequence[int], scope: Scope) -> dict[int, Row]:
        """`HIT_COLUMNS` of these clauses.

        Raises:
            StorageError: one of them is out of scope.
        """
        ...

    def named(self, references: Collection[str], scope: Scope) -> dict[int, Row]:
        """The clauses in scope whose folded label is one of these, `reference` among their columns."""
        ...

    def parents(self, rows: Mapping[int, Row], scope: Scope) -> dict[int, tuple[int, Row]]:
        """By the handle of each given clause, the handle and columns of the nearest clause above it in scope."""
        ...
