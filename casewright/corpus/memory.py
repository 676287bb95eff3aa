"""One index state in memory: everything a search reads, in blocks by document version.

A search scores only the blocks of versions that the caller may see and asked for, so the
filter holds before anything is ranked. Rows are numbered in the order of tenant, document,
version and position; neighbours in a document are neighbours here. Past `MAX_ROWS` the
table's own searches are used instead (`table_source`). Read only, shared among threads.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from casewright.corpus.columns import Columns, give_back_memory
from casewright.corpus.lexicon import Lexicon
from casewright.corpus.rows import HIT_COLUMNS
from casewright.corpus.table import ClauseTable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from casewright.corpus.embedding import Vectors

    Floats = npt.NDArray[np.float32]
    Integers = npt.NDArray[np.int32]
    Flags = npt.NDArray[np.bool_]

MAX_ROWS = 150_000
"""About 450 MB in memory."""
Key = tuple[str, str, str]
_KEY = ("tenant", "document_id", "version")


@dataclass(frozen=True, kw_only=True)
class Visible:
    """The rows that one set of versions has."""

    blocks: tuple[slice, ...]
    rows: "Integers"
    """Ascending."""
    mask: "Flags"
    """By row, whether it is among them."""


@dataclass(frozen=True, kw_only=True)
class ClauseMemory:
    """The columns of all clauses."""

    blocks: Mapping[Key, slice]
    matrix: "Vectors"
    """Unit vectors, one per row."""
    lexicon: Lexicon
    first: "Integers"
    """By row, the first row of its version."""
    last: "Integers"
    """By row, the last row of its version."""
    columns: Columns
    """`HIT_COLUMNS` and `reference`."""

    @classmethod
    def read(cls, table: ClauseTable) -> "ClauseMemory":
        """All rows of the table.

        Raises:
            StorageError: it cannot be read.
        """
        import numpy as np

        columns, terms, offsets, matrix = table.everything((*HIT_COLUMNS, "reference"), sort_by=(*_KEY, "position"))
        keys = zip(*(columns.values(name) for name in _KEY), strict=True)
        blocks: dict[Key, slice] = {}
        start = 0
        for key, group in groupby(keys):
            end = start + sum(1 for _ in group)
            blocks[key] = slice(start, end)
            start = end
        sizes = [block.stop - block.start for block in blocks.values()]
        lexicon = Lexicon.build(terms, offsets)
        give_back_memory()
        return cls(
            blocks=blocks,
            matrix=matrix,
            lexicon=lexicon,
            first=np.repeat(np.array([block.start for block in blocks.values()], dtype=np.int32), sizes),
            last=np.repeat(np.array([block.stop - 1 for block in blocks.values()], dtype=np.int32), sizes),
            columns=columns,
        )

    def visible(self, keys: Iterable[Key]) -> Visible:
        """The rows of these versions."""
        import numpy as np

        chosen = sorted((self.blocks[key] for key in keys if key in self.blocks), key=lambda block: block.start)
        mask = np.zeros(len(self.matrix), dtype=np.bool_)
        for block in chosen:
            mask[block] = True
        return Visible(blocks=tuple(chosen), rows=np.flatnonzero(mask).astype(np.int32), mask=mask)

    def cosines(self, vector: "Vectors", visible: Visible) -> "Floats":
        """By row, the cosine to a unit vector; 0 for rows out of sight."""
        import numpy as np

        scores = np.zeros(len(self.matrix), dtype=np.float32)
        for block in visible.blocks:
            np.einsum("ij,j->i", self.matrix[block], vector, out=scores[block])  # no threads of BLAS to wait for
        return scores

    def with_references(self, references: Collection[str], visible: Visible) -> list[int]:
        """The visible rows whose folded label is one of these."""
        return (self.columns.among("reference", references) & visible.mask).nonzero()[0].tolist()

    def labelled(self, label: str, *, beside: int) -> int | None:
        """The row with this label in the version that the row `beside` belongs to."""
        version = slice(int(self.first[beside]), int(self.last[beside]) + 1)
        return self.columns.place("label", label, within=version)


def best(scores: "Floats", visible: Visible, *, limit: int) -> "Integers":
    """The visible rows of the highest scores above zero, best first; equal ones in row order."""
    import numpy as np

    mine = scores[visible.rows]
    if len(mine) > limit:
        chosen = np.argpartition(-mine, limit - 1)[:limit]
        chosen = chosen[np.lexsort((chosen, -mine[chosen]))]
    else:
        chosen = np.argsort(-mine, kind="stable")
    return visible.rows[chosen[mine[chosen] > 0]]
