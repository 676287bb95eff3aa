"""One index state as a search reads it: arrays and columns in blocks by document version.

They are mapped from the files that `state_files` writes. A search scores only the blocks of versions that the
caller may see and asked for, so the filter holds before anything is ranked. Rows are numbered in the order of tenant,
document, version and position; neighbours in a document are neighbours here. Read only, shared among threads.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from casewright.corpus.arrays import mapped
from casewright.corpus.candidates import Row
from casewright.corpus.columns import Columns
from casewright.corpus.lexicon import Lexicon, term_hash
from casewright.corpus.rows import HIT_COLUMNS, VERSION_COLUMNS, IndexedVersion

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from casewright.corpus.embedding import Vectors

    Floats = npt.NDArray[np.float32]
    Integers = npt.NDArray[np.int32]
    Flags = npt.NDArray[np.bool_]

MAX_ROWS = 2_000_000
"""Twice what was measured; past it the table's own searches are used (`table_source`)."""
EXACT_ROWS = 16_384
"""Up to so many visible rows every vector is compared in full."""
_COMPARED_IN_FULL = (512, 1 / 64)
"""Past that, so many at least and such a share: the best by their first principal components. Of the 60 nearest of
110,000 visible clauses 99 % are among them."""
_BESIDE = 2
"""How far the ranker looks at vectors around a clause."""
COLUMNS_FILE = "clauses.arrow"
CLAUSE_COLUMNS = (*(name for name in HIT_COLUMNS if name not in VERSION_COLUMNS), "reference")
"""Kept by row; the other columns of a hit are kept once for each version."""
Key = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Visible:
    """The rows that one set of versions has."""

    blocks: tuple[slice, ...]
    rows: "Integers"
    """Ascending."""
    mask: "Flags"
    """By row, whether it is among them."""
    within: slice
    """From the first to the last of them."""


@dataclass(frozen=True, kw_only=True)
class ClauseMemory:
    """The columns of all clauses."""

    blocks: Mapping[Key, slice]
    versions: tuple[Mapping[str, object], ...]
    """The columns of a hit that all clauses of a version share, in the order of the blocks."""
    block: "Integers"
    """By row, the number of its block."""
    first: "Integers"
    """By row, the first row of its version."""
    last: "Integers"
    """By row, the last row of its version."""
    matrix: "Vectors"
    """Unit vectors, one per row."""
    basis: "Floats"
    """The principal components of the vectors, one per column."""
    rough: "Floats"
    """The vectors in that basis, one per row."""
    references: "Integers"
    """Hashes of the folded labels, ascending."""
    referring: "Integers"
    """The row that each of them belongs to."""
    traits: "npt.NDArray[np.uint8]"
    """By row, what kind of text it is (`traits.TRAITS`)."""
    lexicon: Lexicon
    columns: Columns

    @classmethod
    def read(cls, folder: Path, versions: Iterable[IndexedVersion]) -> "ClauseMemory":
        """Map the files of a state that has these versions, ordered by their keys.

        Raises:
            OSError: a file is missing.
            ValueError: a file is damaged or of another state.
        """
        import numpy as np

        known = tuple(versions)
        sizes = [version.clause_count for version in known]
        starts = [0, *accumulate(sizes)]
        columns = Columns(folder / COLUMNS_FILE)
        lexicon = Lexicon(**{field.name: mapped(folder, field.name) for field in fields(Lexicon)})
        found = cls(
            blocks={version.key: slice(starts[n], starts[n + 1]) for n, version in enumerate(known)},
            versions=tuple(
                {name: getattr(version, name) for name in HIT_COLUMNS if name in VERSION_COLUMNS} for version in known
            ),
            block=np.repeat(np.arange(len(known), dtype=np.int32), sizes),
            first=np.repeat(np.array(starts[:-1], dtype=np.int32), sizes),
            last=np.repeat(np.array(starts[1:], dtype=np.int32) - 1, sizes),
            matrix=mapped(folder, "matrix"),
            basis=mapped(folder, "basis"),
            rough=mapped(folder, "rough"),
            references=mapped(folder, "references"),
            referring=mapped(folder, "referring"),
            traits=mapped(folder, "traits"),
            lexicon=lexicon,
            columns=columns,
        )
        lengths = {starts[-1], columns.rows, len(found.matrix), len(found.rough), len(lexicon.offsets) - 1}
        if len(lengths | {len(found.references), len(found.referring), len(found.traits)}) != 1:
            raise ValueError(f"{str(folder)!r} has arrays of different lengths")
        return found

    def visible(self, keys: Iterable[Key]) -> Visible:
        """The rows of these versions."""
        import numpy as np

        chosen = sorted((self.blocks[key] for key in keys if key in self.blocks), key=lambda block: block.start)
        mask = np.zeros(len(self.matrix), dtype=np.bool_)
        for block in chosen:
            mask[block] = True
        within = slice(chosen[0].start, chosen[-1].stop) if chosen else slice(0, 0)
        return Visible(blocks=tuple(chosen), rows=np.flatnonzero(mask).astype(np.int32), mask=mask, within=within)

    def cosines(self, vector: "Vectors", visible: Visible) -> "tuple[Floats, Integers]":
        """By row, the cosine to a unit vector, and the visible rows that were compared; 0 for all others."""
        import numpy as np

        scores = np.zeros(len(self.matrix), dtype=np.float32)
        if len(visible.rows) > EXACT_ROWS:
            near = self._near(vector, visible)
            scores[near] = np.einsum("ij,j->i", self.matrix[near], vector)
            return scores, near
        for block in visible.blocks:
            np.einsum("ij,j->i", self.matrix[block], vector, out=scores[block])  # no threads of BLAS to wait for
        return scores, visible.rows

    def compare_around(self, scores: "Floats", vector: "Vectors", rows: Sequence[int], visible: Visible) -> None:
        """Put the cosines of these rows and of those beside them in the same version in, unless all are there."""
        import numpy as np

        if len(visible.rows) <= EXACT_ROWS or not rows:
            return
        mine = np.asarray(rows, dtype=np.int32)
        around = mine[:, None] + np.arange(-_BESIDE, _BESIDE + 1, dtype=np.int32)
        inside = (around >= self.first[mine][:, None]) & (around <= self.last[mine][:, None])
        wanted = np.unique(around[inside])
        scores[wanted] = np.einsum("ij,j->i", self.matrix[wanted], vector)

    def _near(self, vector: "Vectors", visible: Visible) -> "Integers":
        """The visible rows that are the nearest by the principal components alone."""
        import numpy as np

        wanted = np.einsum("ij,i->j", self.basis, vector)
        scores = np.empty(len(visible.rows), dtype=np.float32)
        start = 0
        for block in visible.blocks:
            end = start + block.stop - block.start
            np.einsum("ij,j->i", self.rough[block], wanted, out=scores[start:end])
            start = end
        least, share = _COMPARED_IN_FULL
        return visible.rows[_highest(scores, max(least, int(share * len(scores))))]

    def rows(self, ids: Collection[int]) -> list[Row]:
        """The columns of these rows, in their order."""
        read = zip(ids, self.columns.take(tuple(ids)), strict=True)
        return [{**self.versions[int(self.block[row])], **values} for row, values in read]

    def with_references(self, references: Collection[str], visible: Visible) -> list[int]:
        """The visible rows whose folded label is one of these, ascending."""
        found = {row for reference in references for row in self._referring(reference, visible.mask)}
        return sorted(found)

    def labelled(self, label: str, reference: str, *, beside: int) -> int | None:
        """The row with this label, folded as `reference`, in the version that the row `beside` belongs to."""
        first, last = int(self.first[beside]), int(self.last[beside])
        named = (row for row in self._hashed(reference) if first <= row <= last)
        return next((row for row in sorted(named) if self.columns.value("label", row) == label), None)

    def _referring(self, reference: str, mask: "Flags") -> list[int]:
        rows = self._hashed(reference)
        return [row for row in rows if mask[row] and self.columns.value("reference", row) == reference]

    def _hashed(self, reference: str) -> list[int]:
        """The rows whose folded label has this hash, of all tenants."""
        wanted = self.references.dtype.type(term_hash(reference))  # of their own type, or all are converted
        start, end = (int(self.references.searchsorted(wanted, side)) for side in ("left", "right"))
        return self.referring[start:end].tolist()


def best(scores: "Floats", rows: "Integers", *, limit: int) -> "Integers":
    """Those of the rows with the highest scores above zero, best first; equal ones in row order."""
    import numpy as np

    mine = scores[rows]
    chosen = _highest(mine, limit)
    chosen = chosen[np.lexsort((chosen, -mine[chosen]))]
    return rows[chosen[mine[chosen] > 0]]


def _highest(scores: "Floats", limit: int) -> "Integers":
    """The places of the highest scores, ascending; of equal ones at the end of the list the first."""
    import numpy as np

    if len(scores) <= limit:
        return np.arange(len(scores), dtype=np.int32)
    least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
    above, equal = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    return np.sort(np.concatenate((above, equal[: limit - len(above)]))).astype(np.int32)
