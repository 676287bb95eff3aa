"""The LanceDB table under the corpus: open, read, write, index.

The only module that touches LanceDB, which it imports when first needed. Their
failures leave here as `StorageError`. It knows nothing of documents or questions.
"""

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casewright.corpus.filters import Predicate
from casewright.corpus.protected import protected_states
from casewright.errors import CasewrightError, StorageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from casewright.corpus.embedding import Vectors

TABLE_NAME = "clauses"
EVERY_ROW = 2_000_000_000
_STRING_COLUMNS = (
    "tenant",
    "document_id",
    "version",
    "title",
    "status",
    "label_set",
    "issuer",
    "jurisdiction",
    "file_sha256",
    "approval",
    "source",
    "parser",
    "ingested_by",
    "ingested_at",
    "approved_by",
    "approved_at",
    "supersedes",
    "label",
    "parent",
    "reference",
    "heading",
    "text",
    "sha256",
    "lead_in",
    "links",
    "body",
)
_INTEGER_COLUMNS = (
    "effective_from",
    "own_effective_to",
    "effective_to",
    "correction",
    "published",
    "clause_count",
    "position",
)
_WRITE_BATCH = 4_096
KEPT_STATES = 10
"""The newest so many states stay readable; older ones are cleaned up."""
_CLEANUP_MARGIN = timedelta(days=1)
"""Covers readers of a state that was just replaced."""


@contextmanager
def storage_errors(folder: Path) -> Generator[None]:
    """Turn failures of the index's files and engine into `StorageError`.

    The engine reports a damaged file in many ways, a Rust panic (a BaseException) included.
    """
    try:
        yield
    except CasewrightError:
        raise
    except BaseException as error:
        panic = type(error).__name__ == "PanicException"
        if not panic and not isinstance(error, OSError | RuntimeError | ValueError):
            raise
        cause = str(error).split("\n", 1)[0][:300]
        raise StorageError(
            f"the index in {str(folder)!r} cannot be read or written ({cause}); check free space and permissions, "
            "or move the folder away and run `casewright corpus ingest`"
        ) from error


class ClauseTable:
    """The table at one state; a handle that is not written to may be shared among threads."""

    def __init__(self, folder: Path, handle: Any) -> None:
        self._folder = folder
        self._handle = handle

    @classmethod
    def at_version(cls, folder: Path, version: int) -> "ClauseTable":
        """A reader pinned to one version.

        Raises:
            StorageError: it is not there or damaged.
        """
        with storage_errors(folder):
            handle = _connect(folder).open_table(TABLE_NAME)
            handle.checkout(version)
            return cls(folder, handle)

    @classmethod
    def latest(cls, folder: Path) -> "ClauseTable":
        """A handle on the newest version, whichever state is active; for what looks after the table itself.

        Raises:
            StorageError: it is not there or damaged.
        """
        with storage_errors(folder):
            return cls(folder, _connect(folder).open_table(TABLE_NAME))

    @classmethod
    def for_writing(cls, folder: Path, *, dimensions: int, version: int | None) -> "ClauseTable":
        """The writer's handle, set back to `version` if a run broke off after it; made new if there is none."""
        with storage_errors(folder):
            database = _connect(folder)
            if version is None:
                left_over = (folder / f"{TABLE_NAME}.lance").exists()
                handle = database.create_table(
                    TABLE_NAME, schema=_schema(dimensions), mode="overwrite" if left_over else "create"
                )
                _create_indices(handle)
                return cls(folder, handle)
            handle = database.open_table(TABLE_NAME)
            if handle.version != version:
                handle.checkout(version)
                handle.restore()
            return cls(folder, handle)

    @property
    def version(self) -> int:
        with storage_errors(self._folder):
            return int(self._handle.version)

    def select(self, columns: Sequence[str], where: Predicate, *, with_row_id: bool = False) -> list[dict[str, Any]]:
        """The rows that match, in no given order; with `_rowid` where asked for."""
        with storage_errors(self._folder):
            search = self._handle.search().where(where.sql).select(list(columns)).with_row_id(with_row_id)
            return search.limit(EVERY_ROW).to_list()

    def full_text(self, texts: Sequence[tuple[str, float]], where: Predicate, *, limit: int) -> list[int]:
        """Row ids of the best matches of any of the weighted texts, best first."""
        query = import_module("lancedb.query")
        matches = [query.MatchQuery(text, "body", boost=weight) for text, weight in texts]
        chosen = (
            matches[0] if len(matches) == 1 else query.BooleanQuery([(query.Occur.SHOULD, match) for match in matches])
        )
        with storage_errors(self._folder):
            search = self._handle.search(chosen, query_type="fts").where(where.sql)
            found = search.select(["_score"]).with_row_id(True).limit(limit).to_list()
            return [int(row["_rowid"]) for row in found]

    def nearest(self, vector: "Vectors", where: Predicate, *, limit: int) -> list[tuple[int, float]]:
        """Row ids and cosines of the nearest rows, nearest first, by the table's own search."""
        with storage_errors(self._folder):
            search = self._handle.search(vector, vector_column_name="vector").distance_type("dot").where(where.sql)
            found = search.select(["_distance"]).with_row_id(True).limit(limit).to_list()
            return [(int(row["_rowid"]), 1.0 - float(row["_distance"])) for row in found]

    def hybrid(self, text: str, vector: "Vectors", where: Predicate, *, limit: int) -> list[int]:
        """Row ids by the table's own hybrid search, reciprocal rank fusion with its defaults, best first."""
        with storage_errors(self._folder):
            search = self._handle.search(query_type="hybrid", vector_column_name="vector", fts_columns="body")
            found = search.vector(vector).text(text).distance_type("dot").where(where.sql).with_row_id(True)
            return [int(row_id) for row_id in found.limit(limit).to_arrow()["_rowid"].to_pylist()]

    def row_count(self) -> int:
        with storage_errors(self._folder):
            return int(self._handle.count_rows())

    @property
    def dimensions(self) -> int:
        """Of the vectors."""
        with storage_errors(self._folder):
            return int(self._handle.schema.field("vector").type.list_size)

    def in_order(self, sort_by: Sequence[str]) -> "npt.NDArray[np.uint64]":
        """The ids of all rows, sorted by these columns."""
        with storage_errors(self._folder):
            search = self._handle.search().select(list(sort_by)).with_row_id(True)
            found = search.limit(EVERY_ROW).to_arrow()
            order = import_module("pyarrow.compute").sort_indices(found, [(name, "ascending") for name in sort_by])
            return found["_rowid"].to_numpy()[order.to_numpy()]

    def rows_in_order(self, row_ids: "npt.NDArray[np.uint64]", columns: Sequence[str]) -> Any:
        """These columns of the rows with these ids, in their order, as an Arrow table."""
        numpy = import_module("numpy")
        with storage_errors(self._folder):
            if not len(row_ids):
                return self._handle.search().where("1 = 0").select(list(columns)).limit(1).to_arrow()
            found = self._handle.take_row_ids(row_ids.tolist()).select(list(columns)).with_row_id().to_arrow()
            given = found["_rowid"].to_numpy()
            sorter = numpy.argsort(given)
            order = sorter[numpy.searchsorted(given, row_ids, sorter=sorter)]
            return found.select(list(columns)).take(order)

    def take(self, row_ids: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """The rows with these ids, `_rowid` included, in no given order. It filters nothing."""
        if not row_ids:
            return []
        with storage_errors(self._folder):
            return self._handle.take_row_ids(list(row_ids)).select(list(columns)).with_row_id().to_list()

    def add(self, rows: Sequence[Mapping[str, Any]], vectors: "Vectors") -> None:
        """Append rows with their vectors."""
        arrow = import_module("pyarrow")
        schema = _schema(int(vectors.shape[1]))
        with storage_errors(self._folder):
            for start in range(0, len(rows), _WRITE_BATCH):
                batch = rows[start : start + _WRITE_BATCH]
                flat = arrow.array(vectors[start : start + _WRITE_BATCH].reshape(-1))
                arrays = [
                    arrow.array([row[name] for row in batch], type=schema.field(name).type)
                    for name in schema.names[:-1]
                ]
                arrays.append(arrow.FixedSizeListArray.from_arrays(flat, int(vectors.shape[1])))
                self._handle.add(arrow.Table.from_arrays(arrays, schema=schema))

    def delete(self, where: Predicate) -> None:
        with storage_errors(self._folder):
            self._handle.delete(where.sql)

    def set_values(self, where: Predicate, values: Mapping[str, str | int]) -> None:
        """Store the values in the columns of the rows that match."""
        with storage_errors(self._folder):
            self._handle.update(where=where.sql, values=dict(values))

    def finish(self, *, margin: timedelta = _CLEANUP_MARGIN, keep: str = "") -> int:
        """Bring the indices up to date, compact, and clean up what is older than every kept state by `margin`.

        Returns the resulting version. The state named `keep` stays, however old.
        Tagged versions must not be in reach of the clean-up: it would refuse.
        """
        with storage_errors(self._folder):
            self._handle.optimize(cleanup_older_than=self._drop_older_states(keep) + margin)
            return int(self._handle.version)

    def tag(self, name: str, version: int) -> None:
        """Keep the version from being cleaned up, and its name."""
        with storage_errors(self._folder):
            tags = self._handle.tags
            if name in tags.list():
                tags.update(name, version)
            else:
                tags.create(name, version)

    def tags(self) -> dict[str, int]:
        """The versions kept, by name."""
        with storage_errors(self._folder):
            kept: dict[str, Any] = self._handle.tags.list()
            return {name: int(value["version"]) for name, value in kept.items()}

    def drop(self, names: Iterable[str], *, also_kept: int, margin: timedelta) -> None:
        """Take these tags off, compact, and clean up what is older than every tagged version and `also_kept`."""
        with storage_errors(self._folder):
            for name in names:
                self._handle.tags.delete(name)
            kept = {*self.tags().values(), also_kept}
            self._handle.optimize(cleanup_older_than=self._age(kept) + _CLEANUP_MARGIN)
            # Once more with nothing left to compact: the margin may be less than compacting takes.
            self._handle.optimize(cleanup_older_than=self._age(kept) + margin)

    def _drop_older_states(self, keep: str) -> timedelta:
        """Drop the tags before the newest nine but `keep` and what releases name; the age of the oldest that stays."""
        kept = protected_states(self._folder)
        tags = self.tags()
        by_age = sorted(tags.items(), key=lambda item: (item[0] in kept, item[0] == keep, item[1]))
        dropped = [name for name, _ in by_age[: max(0, len(by_age) + 1 - KEPT_STATES)] if name not in kept]
        for name in dropped:
            self._handle.tags.delete(name)
        return self._age({version for name, version in by_age if name not in dropped})

    def _age(self, kept: Collection[int]) -> timedelta:
        """How old the oldest of these versions is."""
        born = [each["timestamp"] for each in self._handle.list_versions() if each["version"] in kept]
        oldest: datetime | None = min(born, default=None)
        return timedelta(0) if oldest is None else max(timedelta(0), datetime.now(oldest.tzinfo) - oldest)


def _connect(folder: Path) -> Any:
    return import_module("lancedb").connect(str(folder))


def _schema(dimensions: int) -> Any:
    arrow = import_module("pyarrow")
    fields = [(name, arrow.string()) for name in _STRING_COLUMNS]
    fields += [(name, arrow.int32()) for name in _INTEGER_COLUMNS]
    fields += [("parents", arrow.list_(arrow.string())), ("terms", arrow.list_(arrow.int32()))]
    fields += [("vector", arrow.list_(arrow.float32(), dimensions))]
    return arrow.schema(fields)


def _create_indices(handle: Any) -> None:
    """Full text, and the columns that every filter names; `finish` brings new rows into them."""
    kinds = import_module("lancedb.index")
    handle.create_index("body", config=kinds.FTS(stem=True, remove_stop_words=True, ascii_folding=True))
    for column in ("tenant", "label_set", "status"):
        handle.create_index(column, config=kinds.Bitmap())
    for column in ("effective_from", "effective_to", "reference"):
        handle.create_index(column, config=kinds.BTree())
