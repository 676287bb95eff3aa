"""The vectors of one index state in memory, in blocks by document version.

A search multiplies only the blocks of versions that the caller may see and asked for, so
the filter holds before anything is scored. Past `MAX_ROWS` the table's own vector search
is used instead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from casewright.corpus.table import ClauseTable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from casewright.corpus.embedding import Vectors

MAX_ROWS = 150_000
"""About 150 MB of vectors."""
Key = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class VectorBlocks:
    """Unit vectors grouped by version; read only."""

    matrix: "Vectors"
    row_ids: "npt.NDArray[np.uint64]"
    blocks: Mapping[Key, slice]

    @classmethod
    def read(cls, table: ClauseTable) -> "VectorBlocks":
        """All vectors of the table."""
        import numpy as np

        keys, row_ids, matrix = table.vectors()
        order = sorted(range(len(keys)), key=keys.__getitem__)
        blocks: dict[Key, slice] = {}
        start = 0
        for end in range(1, len(order) + 1):
            if end == len(order) or keys[order[end]] != keys[order[start]]:
                blocks[keys[order[start]]] = slice(start, end)
                start = end
        chosen = np.asarray(order, dtype=np.int64)
        return cls(matrix=np.ascontiguousarray(matrix[chosen]), row_ids=row_ids[chosen], blocks=blocks)

    def nearest(self, vector: "Vectors", keys: Iterable[Key], *, limit: int) -> list[tuple[int, float]]:
        """Row ids and cosines of the nearest rows among the given versions, nearest first."""
        import numpy as np

        chosen = [self.blocks[key] for key in keys if key in self.blocks]
        if not chosen:
            return []
        scores = np.concatenate([self.matrix[block] @ vector for block in chosen])
        ids = np.concatenate([self.row_ids[block] for block in chosen])
        count = min(limit, len(scores))
        best = np.argpartition(-scores, count - 1)[:count]
        best = best[np.lexsort((ids[best], -scores[best]))]
        return [(int(ids[index]), float(scores[index])) for index in best]
