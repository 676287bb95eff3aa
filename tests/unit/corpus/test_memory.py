"""Where much is visible, vectors are compared roughly first: what is nearest is found, and what is said is exact."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from casewright.corpus.catalogue import Catalogue
from casewright.corpus.memory import CLAUSE_COLUMNS, EXACT_ROWS, ClauseMemory, Visible, best
from casewright.corpus.rows import IndexedVersion
from casewright.corpus.state_files import open_memory
from casewright.corpus.table import ClauseTable

DIMENSIONS = 96
SIZES = (9_000, 9_000, 2_500)
DOCUMENTS = ("a", "b", "c")
ROWS = sum(SIZES)


class Table(ClauseTable):
    """A table of vectors and labels alone, that can be read once in order and not otherwise."""

    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = vectors

    @property
    def version(self) -> int:
        return 1

    @property
    def dimensions(self) -> int:
        return DIMENSIONS

    def in_order(self, sort_by: object) -> np.ndarray:
        assert sort_by == ("tenant", "document_id", "version", "position")
        return np.arange(ROWS, dtype=np.uint64)

    def rows_in_order(self, row_ids: np.ndarray, columns: object) -> Any:
        arrow = import_module("pyarrow")
        assert columns == (*CLAUSE_COLUMNS, "terms", "vector")
        count = len(row_ids)
        texts = [f"1.{row}" for row in row_ids.tolist()]
        named = {name: arrow.array(texts) for name in CLAUSE_COLUMNS}
        flat = arrow.array(self._vectors[row_ids].reshape(-1))
        terms = arrow.array([[7]] * count, type=arrow.list_(arrow.int32()))
        return arrow.table({**named, "terms": terms, "vector": arrow.FixedSizeListArray.from_arrays(flat, DIMENSIONS)})


def version(document: str, clauses: int) -> IndexedVersion:
    return IndexedVersion(
        tenant="t",
        document_id=document,
        version="1",
        title="T",
        status="published",
        label_set="",
        issuer="",
        effective_from=20200101,
        own_effective_to=99991231,
        effective_to=99991231,
        file_sha256="0" * 64,
        clause_count=clauses,
        approval="approved",
    )


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """As real ones are: a direction they share, some dimensions that tell much and many that tell little."""
    random = np.random.default_rng(5)
    spread = 0.96 ** np.arange(DIMENSIONS)
    turned, _ = np.linalg.qr(random.normal(size=(DIMENSIONS, DIMENSIONS)))
    return unit((random.normal(size=(ROWS, DIMENSIONS)) * spread + 0.3) @ turned)


@pytest.fixture(scope="module")
def memory(vectors: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> ClauseMemory:
    versions = [version(name, size) for name, size in zip(DOCUMENTS, SIZES, strict=True)]
    folder: Path = tmp_path_factory.mktemp("index")
    return open_memory(folder, Table(vectors), Catalogue({each.key: each for each in versions}))


def of(memory: ClauseMemory, *documents: str) -> Visible:
    return memory.visible(("t", name, "1") for name in documents)


@pytest.mark.proves("A2")
def test_the_nearest_of_many_visible_clauses_are_found_with_their_exact_cosines(
    memory: ClauseMemory, vectors: np.ndarray
) -> None:
    visible = of(memory, "a", "c", "b")
    assert len(visible.rows) == ROWS > EXACT_ROWS
    kept = 0
    for asked in vectors[::2_000]:
        cosines, compared = memory.cosines(asked, visible)
        exact = vectors @ asked
        nearest = np.argsort(-exact, kind="stable")[:60]
        assert len(compared) < ROWS / 20
        assert best(cosines, compared, limit=60)[0] == nearest[0]
        assert cosines[compared] == pytest.approx(exact[compared], abs=1e-5)
        kept += np.isin(nearest, compared).sum()
    assert kept / (60 * len(vectors[::2_000])) >= 0.97


@pytest.mark.proves("A4")
@pytest.mark.parametrize("documents", [("a", "b"), ("a",), ("c",), ()])
def test_no_clause_out_of_scope_is_compared(
    memory: ClauseMemory, vectors: np.ndarray, documents: tuple[str, ...]
) -> None:
    visible = of(memory, *documents)
    cosines, compared = memory.cosines(vectors[3], visible)
    assert visible.mask[compared].all()
    assert not cosines[~visible.mask].any()
    if len(visible.rows) <= EXACT_ROWS:
        assert compared.tolist() == visible.rows.tolist()
        assert cosines[compared] == pytest.approx((vectors @ vectors[3])[compared], abs=1e-5)


def test_what_stands_around_a_candidate_is_compared_too_but_not_beyond_its_document(
    memory: ClauseMemory, vectors: np.ndarray
) -> None:
    visible = of(memory, "a", "b", "c")
    cosines = np.zeros(ROWS, dtype=np.float32)
    last_of_a, first_of_c = SIZES[0] - 1, SIZES[0] + SIZES[1]
    memory.compare_around(cosines, vectors[0], [last_of_a, first_of_c], visible)
    assert np.flatnonzero(cosines).tolist() == [
        *range(last_of_a - 2, last_of_a + 1),
        *range(first_of_c, first_of_c + 3),
    ]


@pytest.mark.proves("A2")
def test_of_equal_scores_the_first_clauses_are_the_best() -> None:
    scores = np.array([0.5, 0.9, 0.5, 0.5, 0.0, 0.9], dtype=np.float32)
    rows = np.arange(6, dtype=np.int32)
    assert best(scores, rows, limit=3).tolist() == [1, 5, 0]
    assert best(scores, rows, limit=4).tolist() == [1, 5, 0, 2]
    assert best(scores, rows, limit=50).tolist() == [1, 5, 0, 2, 3]
    assert best(scores, rows[:0], limit=3).tolist() == []


def test_a_label_leads_to_its_clause_in_the_version_beside(memory: ClauseMemory) -> None:
    assert memory.labelled("1.9001", "1.9001", beside=9_500) == 9_001
    assert memory.labelled("1.9001", "1.9001", beside=3) is None
    assert memory.with_references({"1.3", "1.9001", "nothing"}, of(memory, "a")) == [3]
