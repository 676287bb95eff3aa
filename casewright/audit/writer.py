"""Extends the chain on a bare SQLite connection, a group of entries per transaction.

It is *not* for appends in somebody's transaction (see `casewright.audit.log`); both share the
statements and the `Extender`. The thread is that of `casewright.storage.groups`.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Insert

from casewright.audit import statements
from casewright.audit.chain import EventRow, Head
from casewright.audit.extension import Extender, Extension, Tail
from casewright.audit.prepared import PreparedEntry
from casewright.storage.database import connect_to_file
from casewright.storage.groups import GroupRoutine, GroupWriter

Connect = Callable[[], sqlite3.Connection]
AuditWriter = GroupWriter[PreparedEntry, EventRow]


def audit_writer(file: Path, extender: Extender, connect: Connect | None = None) -> AuditWriter:
    """A writer for the database in `file`; `connect` replaces how it opens the file."""
    sql = _Sql()

    def write(connection: sqlite3.Connection, entries: Sequence[PreparedEntry]) -> Sequence[EventRow]:
        extension = extender.extend(sql.tail(connection), entries)
        sql.store(connection, extension)
        return extension.events

    routine = GroupRoutine(name=str(file), connect=connect or (lambda: connect_to_file(file)), write=write)
    return GroupWriter(routine)


def append_by_hand(file: Path, extender: Extender, entry: PreparedEntry, row: tuple[str, Sequence[Any]]) -> None:
    """Add one event together with a row of another table to a database that nobody else has open, such as a copy.

    Raises:
        sqlite3.Error: it cannot be written.
        StorageError: the log does not fit its signed head.
    """
    sql = _Sql()
    with closing(connect_to_file(file)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(*row)
        sql.store(connection, extender.extend(sql.tail(connection), [entry]))
        connection.execute("COMMIT")


class _Sql:
    """The shared statements as text."""

    def __init__(self) -> None:
        self._head = statements.as_text(statements.HEAD)
        self._last = statements.as_text(statements.LAST)
        self._checkpoint = statements.as_text(statements.CHECKPOINT)
        self._add_event = statements.as_text(statements.ADD_EVENT)
        self._add_decision = statements.as_text(statements.ADD_DECISION)
        self._add_head = statements.as_text(statements.ADD_HEAD)
        self._move_head = statements.as_text(statements.MOVE_HEAD)
        self._add_checkpoint = statements.as_text(statements.ADD_CHECKPOINT)
        self._add_to_meter = statements.as_text(statements.add_to_meter("sqlite"))

    def tail(self, connection: sqlite3.Connection) -> Tail:
        head = connection.execute(self._head).fetchone()
        return Tail(
            head=None if head is None else Head(seq=head[0], hash=head[1], signature=head[2]),
            last=connection.execute(self._last).fetchone(),
            checkpoint=connection.execute(self._checkpoint).fetchone(),
        )

    def store(self, connection: sqlite3.Connection, extension: Extension) -> None:
        connection.executemany(self._add_event, [row._asdict() for row in extension.events])
        if extension.decisions:
            connection.executemany(self._add_decision, extension.decisions)
        if extension.meters:
            connection.executemany(self._add_to_meter, extension.meters)
        connection.execute(self._add_head if extension.first else self._move_head, extension.head)
        if extension.checkpoint is not None:
            connection.execute(self._add_checkpoint, extension.checkpoint)
        for beside in extension.beside:
            connection.executemany(_text(beside.insert("sqlite")), beside.rows)


@cache
def _text(statement: Insert) -> str:
    return statements.as_text(statement)
