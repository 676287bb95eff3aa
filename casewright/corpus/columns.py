"""Columns of the index in a file, as Arrow keeps them: mapped into memory, read by row number.

The only other place besides `table` that touches Arrow, which is imported when first
needed. It knows nothing of what the columns mean.
"""

import ctypes
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

ROWS_AT_ONCE = 8_192
"""Every part that is written but the last has so many rows, so that a row is found without a search."""


class Columns:
    """An immutable table."""

    def __init__(self, path: Path) -> None:
        """Map the file.

        Raises:
            OSError: it is missing.
            ValueError: it is damaged.
        """
        arrow = import_module("pyarrow")
        reader = arrow.ipc.open_file(arrow.memory_map(str(path)))
        self._parts = [reader.get_batch(place) for place in range(reader.num_record_batches)]
        self.rows = sum(part.num_rows for part in self._parts)
        if any(part.num_rows != ROWS_AT_ONCE for part in self._parts[:-1]):
            raise ValueError(f"{str(path)!r} has parts of another size")

    def take(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """These rows, in this order."""
        return [self._parts[row // ROWS_AT_ONCE].slice(row % ROWS_AT_ONCE, 1).to_pylist()[0] for row in rows]

    def value(self, name: str, row: int) -> Any:
        """One value."""
        return self._parts[row // ROWS_AT_ONCE].column(name)[row % ROWS_AT_ONCE].as_py()


def write_columns(path: Path, parts: Iterable[Any]) -> None:
    """Write Arrow tables of `ROWS_AT_ONCE` rows, the last one shorter; at least one, which may be empty.

    Raises:
        OSError: the file cannot be written.
    """
    arrow = import_module("pyarrow")
    with path.open("wb") as file:
        left = iter(parts)
        first = next(left)
        with arrow.ipc.new_file(file, first.schema) as writer:
            for part in chain((first,), left):
                writer.write_table(part.combine_chunks(), max_chunksize=ROWS_AT_ONCE)
        file.flush()
        os.fsync(file.fileno())


def give_back_memory() -> None:
    """Return to the system what a large read has freed; allocators keep it otherwise, half of a server's memory."""
    import_module("pyarrow").default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)
