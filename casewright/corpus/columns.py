"""Columns of the index in memory, as Arrow keeps them: compact, read by row number.

The only other place besides `table` that touches Arrow, which is imported when first
needed. It knows nothing of what the columns mean.
"""

import ctypes
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_REPEATED = frozenset({"tenant", "document_id", "version", "title", "status", "heading", "lead_in"})


class Columns:
    """An immutable table."""

    def __init__(self, table: Any) -> None:
        """Take an Arrow table; what repeats from row to row is kept once."""
        for place, name in enumerate(table.column_names):
            if name in _REPEATED:
                table = table.set_column(place, name, table[name].dictionary_encode())
        self._table = table.combine_chunks()

    def values(self, name: str) -> list[Any]:
        """All values of one column."""
        return self._table[name].to_pylist()

    def take(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """These rows, in this order."""
        arrow = import_module("pyarrow")
        return self._table.take(arrow.array(rows, type=arrow.int64())).to_pylist() if rows else []

    def among(self, name: str, values: Collection[str]) -> "npt.NDArray[np.bool_]":
        """By row, whether its text in the named column is one of the values."""
        arrow = import_module("pyarrow")
        wanted = arrow.array(sorted(set(values)), type=arrow.string())
        return import_module("pyarrow.compute").is_in(self._table[name], value_set=wanted).to_numpy()

    def place(self, name: str, value: str, *, within: slice) -> int | None:
        """The first row of a range that has the text in the named column."""
        part = self._table[name].slice(within.start, within.stop - within.start)
        found = int(import_module("pyarrow.compute").index(part, value).as_py())
        return None if found < 0 else int(within.start) + found


def give_back_memory() -> None:
    """Return to the system what a large read has freed; allocators keep it otherwise, half of a server's memory."""
    import_module("pyarrow").default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)
