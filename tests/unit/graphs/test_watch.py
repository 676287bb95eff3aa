"""A watch over a database file wakes its waiters after a commit of anybody else, and only then."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from casewright.errors import StorageError
from graphs.watch import DatabaseWatch

PATIENCE_SECONDS = 30


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "watched.db"
    commit(path, "CREATE TABLE things (name TEXT)")
    return path


def writer(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    return connection


def commit(path: Path, statement: str) -> None:
    with contextlib.closing(writer(path)) as connection, connection:
        connection.execute(statement)


async def settled(watch: DatabaseWatch) -> int:
    """The count after the first look, which always counts."""
    return await watch.wait(0, timeout_seconds=PATIENCE_SECONDS)


async def test_every_waiter_is_woken_by_a_commit(file: Path) -> None:
    async with DatabaseWatch(file) as watch:
        seen = await settled(watch)
        waiting = [asyncio.create_task(watch.wait(seen, timeout_seconds=PATIENCE_SECONDS)) for _ in range(3)]
        commit(file, "INSERT INTO things VALUES ('one')")
        assert [count > seen for count in await asyncio.gather(*waiting)] == [True] * 3


async def test_nobody_is_woken_while_a_transaction_is_open_or_after_it_was_rolled_back(file: Path) -> None:
    async with DatabaseWatch(file) as watch:
        seen = await settled(watch)
        connection = writer(file)
        connection.execute("INSERT INTO things VALUES ('one')")
        assert await watch.wait(seen, timeout_seconds=0.05) == seen
        connection.rollback()
        assert await watch.wait(seen, timeout_seconds=0.05) == seen
        connection.execute("INSERT INTO things VALUES ('two')")
        connection.commit()
        assert await watch.wait(seen, timeout_seconds=PATIENCE_SECONDS) > seen
        connection.close()


async def test_a_change_between_noting_and_waiting_is_not_lost(file: Path) -> None:
    async with DatabaseWatch(file) as watch:
        seen = await settled(watch)
        commit(file, "INSERT INTO things VALUES ('one')")
        counted = await watch.wait(seen, timeout_seconds=PATIENCE_SECONDS)
        assert await watch.wait(seen, timeout_seconds=0) == counted > seen


async def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is not set up"):
        async with DatabaseWatch(tmp_path / "absent.db"):
            pass
