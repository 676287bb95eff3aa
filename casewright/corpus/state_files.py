"""The files that a search maps: made from the table once for each state, beside it, and shared by all processes.

Ingest makes them before a state becomes the active one; whoever opens a state without them, or with damaged ones,
makes them anew. They hold nothing that the table does not, and are named by what they are made from, so that an
approval makes none. It knows nothing of searches; `memory` maps what is written here.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casewright.corpus.arrays import ArrayWriter, mapped, save
from casewright.corpus.catalogue import Catalogue
from casewright.corpus.columns import ROWS_AT_ONCE, give_back_memory, write_columns
from casewright.corpus.lexicon import Lexicon, term_hash
from casewright.corpus.memory import CLAUSE_COLUMNS, COLUMNS_FILE, ClauseMemory
from casewright.corpus.table import ClauseTable
from casewright.corpus.traits import READ, traits_of
from casewright.errors import StorageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FOLDER = "search"
_FORMAT = "2"
_KEPT = 2
"""The two states opened or made last; another kept state gets its files anew when it is opened."""
_ROUGH_DIMENSIONS = 64
_SORTED_BY = ("tenant", "document_id", "version", "position")
_LEFT_OVER_SECONDS = 3_600
_UNFINISHED = ".unfinished-"


def open_memory(folder: Path, table: ClauseTable, catalogue: Catalogue) -> ClauseMemory:
    """Map the files of the table's state, which are made first where they are missing or damaged.

    Raises:
        StorageError: the table does not hold what its catalogue says.
        OSError: the files can be written neither beside the table nor among temporary files.
    """
    place = _place(folder, table, catalogue)
    with suppress(OSError, ValueError):
        found = ClauseMemory.read(place, catalogue.versions)
        with suppress(OSError):  # an index that may only be read
            os.utime(place)
        return found
    with suppress(OSError, ValueError):
        make_files(folder, table, catalogue, anew=True)
        return ClauseMemory.read(place, catalogue.versions)
    with tempfile.TemporaryDirectory(prefix="casewright-search-", ignore_cleanup_errors=True) as temporary:
        _make(Path(temporary), table, catalogue)
        return ClauseMemory.read(Path(temporary), catalogue.versions)


def make_files(folder: Path, table: ClauseTable, catalogue: Catalogue, *, anew: bool = False) -> None:
    """Make the files of the table's state unless they are there, and remove those of older states.

    Raises:
        StorageError: the table does not hold what its catalogue says.
        OSError: they cannot be written.
    """
    place = _place(folder, table, catalogue)
    if anew or not place.is_dir():
        place.parent.mkdir(exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=place.parent))
        try:
            _make(unfinished, table, catalogue)
            unfinished.chmod(place.parent.stat().st_mode & 0o777)  # temporary folders are their maker's alone
            if anew:
                shutil.rmtree(place, ignore_errors=True)
            with suppress(OSError):  # another process was faster
                unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        give_back_memory()
    os.utime(place)
    _remove_older(place)


def _place(folder: Path, table: ClauseTable, catalogue: Catalogue) -> Path:
    """Where the files of a state stand; states with the same clauses share them."""
    whole = hashlib.sha256(_FORMAT.encode())
    for version in catalogue.versions:
        # A version without a hash has been withdrawn; which text it had only the table's version says.
        text = version.file_sha256 or str(table.version)
        parts = (*version.key, text, version.parser, version.ingested_at, str(version.clause_count))
        whole.update(("\x1f".join(parts) + "\x1e").encode())
    return folder / FOLDER / whole.hexdigest()[:24]


def _remove_older(place: Path) -> None:
    def touched(path: Path) -> float:
        with suppress(FileNotFoundError):
            return path.stat().st_mtime
        return 0.0

    others = [path for path in place.parent.iterdir() if path != place]
    finished = sorted((path for path in others if not path.name.startswith(_UNFINISHED)), key=touched)
    left_over = [
        path
        for path in others
        if path.name.startswith(_UNFINISHED) and time.time() - touched(path) > _LEFT_OVER_SECONDS
    ]
    for path in (*finished[: len(finished) + 1 - _KEPT], *left_over):
        shutil.rmtree(path, ignore_errors=True)


def _make(place: Path, table: ClauseTable, catalogue: Catalogue) -> None:
    order = table.in_order(_SORTED_BY)
    counted = sum(version.clause_count for version in catalogue.versions)
    if counted != len(order):
        raise StorageError(
            f"the index holds {len(order)} clauses where its documents have {counted}; move the index folder away and "
            "run `casewright corpus ingest`"
        )
    with ArrayWriter(place, "matrix", shape=(len(order), table.dimensions), dtype="float32") as vectors:
        reading = _Reading(table, order, vectors)
        write_columns(place / COLUMNS_FILE, reading.parts())
    reading.finish(place)


class _Reading:
    """The table read once, in order: columns are handed on, vectors written, words and labels kept for the end."""

    def __init__(self, table: ClauseTable, order: "npt.NDArray[np.uint64]", vectors: ArrayWriter) -> None:
        self._table = table
        self._order = order
        self._vectors = vectors
        self._squares: Any = 0.0
        self._sums: Any = 0.0
        self._terms: list[npt.NDArray[np.int32]] = []
        self._lengths: list[npt.NDArray[np.int64]] = []
        self._references: list[int] = []
        self._traits: list[npt.NDArray[np.uint8]] = []

    def parts(self) -> Iterator[Any]:
        """The columns of all rows."""
        for start in range(0, max(1, len(self._order)), ROWS_AT_ONCE):
            rows = self._order[start : start + ROWS_AT_ONCE]
            part = self._table.rows_in_order(rows, (*CLAUSE_COLUMNS, "terms", "vector"))
            self._put_aside(part)
            yield part.select(list(CLAUSE_COLUMNS))

    def _put_aside(self, part: Any) -> None:
        import numpy as np

        flat = part["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        vectors = flat.reshape(-1, self._table.dimensions)
        self._vectors.add(vectors)
        self._squares = self._squares + vectors.T @ vectors
        self._sums = self._sums + vectors.sum(axis=0)
        terms = part["terms"].combine_chunks()
        offsets = terms.offsets.to_numpy().astype(np.int64)
        self._terms.append(terms.values.to_numpy()[offsets[0] : offsets[-1]].copy())
        self._lengths.append(np.diff(offsets))
        self._references += map(term_hash, part["reference"].to_pylist())
        self._traits.append(traits_of(part.select(list(READ)).to_pylist()))

    def finish(self, place: Path) -> None:
        """Write the arrays that need all rows."""
        import numpy as np

        offsets = np.concatenate(([0], np.cumsum(np.concatenate(self._lengths))))
        lexicon = Lexicon.build(np.concatenate(self._terms), offsets)
        for each in fields(lexicon):
            save(place, each.name, getattr(lexicon, each.name))
        hashes = np.array(self._references, dtype=np.int32)
        order = np.argsort(hashes, kind="stable")
        save(place, "references", hashes[order])
        save(place, "referring", order.astype(np.int32))
        save(place, "traits", np.concatenate(self._traits))
        self._write_rough(place)

    def _write_rough(self, place: Path) -> None:
        """The vectors in the basis of their own principal components, the first ones only."""
        import numpy as np

        count = max(1, len(self._order))
        mean = self._sums / count
        _, components = np.linalg.eigh(self._squares / count - np.outer(mean, mean))
        basis = components[:, ::-1][:, :_ROUGH_DIMENSIONS].astype(np.float32)
        save(place, "basis", basis)
        matrix = mapped(place, "matrix")
        with ArrayWriter(place, "rough", shape=(len(matrix), basis.shape[1]), dtype="float32") as writer:
            for start in range(0, len(matrix), ROWS_AT_ONCE):
                writer.add(matrix[start : start + ROWS_AT_ONCE] @ basis)
