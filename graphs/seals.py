"""A seal on every row of a run's checkpoints, so that a row changed behind the run's back is refused, not executed.

HMAC-SHA-256 (RFC 2104) over all columns, with a key derived from the installation's signing key. Triggers of the
writing connection seal each row within the statement that writes it, like the fence of the lease; what is read is
checked before it is deserialized. Deleted rows are *not* noticed: what is left is an earlier state, as after a crash,
and whatever the run does from there is approved and executed once, as before (record 0010).
"""

import contextlib
import hashlib
import hmac
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization

from casewright.errors import StorageError
from casewright.identity.keys import SigningKey

if TYPE_CHECKING:
    import aiosqlite

Value = str | int | float | bytes | None
COLUMNS = {
    "checkpoints": (
        "thread_id",
        "checkpoint_ns",
        "checkpoint_id",
        "parent_checkpoint_id",
        "type",
        "checkpoint",
        "metadata",
    ),
    "writes": (
        "thread_id",
        "checkpoint_ns",
        "checkpoint_id",
        "task_id",
        "task_path",
        "idx",
        "channel",
        "type",
        "value",
    ),
}
"""Every column of the tables that the checkpoint library writes; a test compares them with the installed version."""
_PLACES = {
    "checkpoints": ("thread_id", "checkpoint_ns", "checkpoint_id", "''", "0"),
    "writes": ("thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "idx"),
}
"""Where the seal of a row stands; a write always has a task."""
_WAIT_SECONDS = 10
_TABLE = """
CREATE TABLE IF NOT EXISTS row_seals (
    thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL, checkpoint_id TEXT NOT NULL,
    task_id TEXT NOT NULL, idx INTEGER NOT NULL, seal BLOB NOT NULL,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
) WITHOUT ROWID
"""
_TRIGGER = """
CREATE TEMP TRIGGER seal_{table} AFTER INSERT ON main.{table}
BEGIN
    DELETE FROM row_seals WHERE (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) = ({place});
    INSERT INTO row_seals VALUES ({place}, casewright_seal('{table}', {columns}));
END
"""
"""Deleted first: a conflict clause of the outer statement would replace one in here, and keep an old seal."""
_READ = """
SELECT {columns}, (
    SELECT seal FROM row_seals AS kept
    WHERE (kept.thread_id, kept.checkpoint_ns, kept.checkpoint_id, kept.task_id, kept.idx) = ({place})
) FROM {table} AS row WHERE (thread_id, checkpoint_ns, checkpoint_id) = (?, ?, ?)
"""


UNSEALED = ("0001", "0002", "0003", "0004")
"""Revisions of the database whose casewright wrote no seals."""


class TamperedError(StorageError):
    """Cancel the run: a row of its checkpoints is not as casewright wrote it, so nothing of it is executed."""


class Seals:
    """Seals and checks rows with a key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, signing_key: SigningKey) -> "Seals":
        """With a key of their own, derived from the installation's (HKDF-Expand of RFC 5869, one block)."""
        raw = signing_key.private_key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        return cls(hmac.digest(raw, b"casewright checkpoint rows\x01", hashlib.sha256))

    def seal(self, table: str, *values: Value) -> bytes:
        """The seal of a row of one of the tables, its values in the order of `COLUMNS`."""
        return hmac.digest(self._key, b"".join(_framed((table, *values))), hashlib.sha256)

    async def guard(self, connection: "aiosqlite.Connection") -> None:
        """Let this connection seal every row that it writes, within the same statement."""
        await connection.execute(_TABLE)
        library: Any = connection
        await library.create_function("casewright_seal", -1, self.seal, deterministic=True)
        for table, columns in COLUMNS.items():
            new = ", ".join(f"NEW.{name}" for name in columns)
            await connection.execute(_TRIGGER.format(table=table, columns=new, place=_place(table, "NEW")))
        await connection.commit()

    async def check(self, connection: "aiosqlite.Connection", checkpoint: tuple[str, str, str]) -> None:
        """Check a checkpoint and the writes that came after it.

        Args:
            checkpoint: thread, namespace and id.

        Raises:
            TamperedError: a row has no seal, or another one than its content.
        """
        for table, columns in COLUMNS.items():
            names = ", ".join(f"row.{name}" for name in columns)
            query = _READ.format(table=table, columns=names, place=_place(table, "row"))
            async with connection.execute(query, checkpoint) as rows:
                async for row in rows:
                    self._check(table, checkpoint[0], tuple(row))

    def adopt(self, path: Path) -> int:
        """Seal what was written before there were seals, once, when a data folder is brought up to date; the rows."""
        if not path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(path, timeout=_WAIT_SECONDS)) as connection, connection:
            connection.execute(_TABLE)
            connection.create_function("casewright_seal", -1, self.seal, deterministic=True)
            known = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            return sum(connection.execute(_adoption(table)).rowcount for table in COLUMNS if table in known)

    def _check(self, table: str, run_id: str, row: Sequence[Value]) -> None:
        *values, seal = row
        if not isinstance(seal, bytes) or not hmac.compare_digest(seal, self.seal(table, *values)):
            raise TamperedError(
                f"a row of {table!r} of run {run_id!r} is not as it was written; nothing of the run is executed. "
                "Cancel it and review the case anew, or restore the data folder from a backup"
            )


def _adoption(table: str) -> str:
    names = ", ".join(f"row.{name}" for name in COLUMNS[table])
    sealed = f"{_place(table, 'row')}, casewright_seal('{table}', {names})"
    return f"INSERT OR IGNORE INTO row_seals SELECT {sealed} FROM {table} AS row"  # noqa: S608 - names of this file


def _place(table: str, row: str) -> str:
    return ", ".join(name if name in ("''", "0") else f"{row}.{name}" for name in _PLACES[table])


def _framed(values: Iterable[Value]) -> Iterable[bytes]:
    """Each value with its kind and length before it, so that no two rows give the same bytes."""
    for value in values:
        content = value if isinstance(value, bytes) else b"" if value is None else str(value).encode()
        yield f"{type(value).__name__}:{len(content)}:".encode() + content
