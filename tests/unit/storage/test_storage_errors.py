"""What a failing database is told to people: the cause and the way out, for the pool and the bare connections."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from casewright.errors import StorageError, UnavailableError
from casewright.storage.database import Database, connect_to_file, storage_error
from casewright.storage.migrate import upgrade


@pytest.mark.parametrize(
    ("cause", "error", "words"),
    [
        ("database is locked", UnavailableError, "try again"),
        ("attempt to write a readonly database", StorageError, "make the file and its folder writable"),
        ("database or disk is full", StorageError, "Free some space"),
        ("no such table: run_meters", StorageError, "casewright init"),
        ("no such column: x", StorageError, "older version"),
        ("unable to open database file", StorageError, "casewright init"),
        ("database disk image is malformed", StorageError, "backup"),
    ],
)
def test_every_cause_has_its_own_way_out(cause: str, error: type[Exception], words: str) -> None:
    found = storage_error("/data/casewright.db", sqlite3.OperationalError(cause))
    assert type(found) is error
    assert words in str(found)
    assert "'/data/casewright.db'" in str(found)


async def test_a_read_only_database_is_not_sent_to_a_backup(tmp_path: Path) -> None:
    path = tmp_path / "casewright.db"
    upgrade(path)
    database = Database.sqlite(path)
    with pytest.raises(StorageError, match="cannot be written; make the file and its folder writable") as caught:
        async with database.write() as connection:
            await connection.execute(text("PRAGMA query_only=ON"))
            await connection.execute(text("DELETE FROM audit_head"))
    assert "backup" not in str(caught.value)
    await database.close()


def test_a_bare_connection_opens_what_is_there_and_makes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ä folder?" / "case wright#1.db"
    path.parent.mkdir()
    with pytest.raises(sqlite3.OperationalError):
        connect_to_file(path)
    assert not path.exists()
    upgrade(path)
    connection = connect_to_file(path, read_only=True)
    assert connection.execute("SELECT count(*) FROM audit_events").fetchone() == (0,)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM audit_events")
    connection.close()


async def test_closing_a_database_closes_what_was_opened_beside_it_every_time(tmp_path: Path) -> None:
    database = Database.sqlite(tmp_path / "casewright.db")
    closed: list[int] = []
    database.at_close(lambda: closed.append(1))
    database.at_close(lambda: closed.append(2))
    await database.close()
    await database.close()
    assert closed == [1, 2, 1, 2]
