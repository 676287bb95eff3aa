"""Short reads of a SQLite file happen in the caller's thread, and can only read."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from casewright.errors import StorageError
from casewright.storage.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database, None]:
    database = Database.sqlite(tmp_path / "some.db")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE things (name TEXT)"))
    yield database
    await database.close()


async def names(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(text("SELECT name FROM things ORDER BY name"))).scalars())


async def test_a_read_sees_what_was_committed_and_nothing_else(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO things VALUES ('one')"))
        assert await names(database) == []
    assert await names(database) == ["one"]


async def test_a_read_is_one_snapshot(database: Database) -> None:
    async with database.read() as connection:
        count = text("SELECT count(*) FROM things")
        assert (await connection.execute(count)).scalar_one() == 0
        async with database.write() as writer:
            await writer.execute(text("INSERT INTO things VALUES ('one')"))
        assert (await connection.execute(count)).scalar_one() == 0
    assert await names(database) == ["one"]


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        async with database.read() as connection:
            await connection.execute(text("INSERT INTO things VALUES ('one')"))
    async with database.write() as connection:  # the same statement is a good one
        await connection.execute(text("INSERT INTO things VALUES ('one')"))
    assert await names(database) == ["one"]


async def test_only_a_short_read_stays_in_the_thread_of_its_caller(database: Database) -> None:
    threads = {"read": set[int](), "read_at_length": set[int]()}

    def note(name: str) -> None:
        threads[name].add(threading.get_ident())

    async with database.read() as connection:
        raw = (await connection.get_raw_connection()).dbapi_connection
        assert raw is not None
        raw.create_function("here", 0, lambda: note("read"))
        await connection.execute(text("SELECT here()"))
    async with database.read_at_length() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.create_function("here", 0, lambda: note("read_at_length"))
        await connection.execute(text("SELECT here()"))
    assert threads["read"] == {threading.get_ident()}
    assert threads["read_at_length"].isdisjoint(threads["read"])


async def test_many_readers_at_once_all_see_the_same(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO things VALUES ('one')"))
    assert await asyncio.gather(*(names(database) for _ in range(100))) == [["one"]] * 100


async def test_a_read_makes_no_file(tmp_path: Path) -> None:
    database = Database.sqlite(tmp_path / "absent.db")
    with pytest.raises(StorageError, match="casewright init"):
        await names(database)
    assert not (tmp_path / "absent.db").exists()
    await database.close()


def test_a_database_can_be_read_from_one_loop_after_another(tmp_path: Path) -> None:
    opened = list[object]()
    database = Database.sqlite(tmp_path / "some.db")

    @event.listens_for(database.reader.sync_engine, "connect")
    def note(raw: object, _record: object) -> None:
        opened.append(raw)

    async def write_and_read() -> list[str]:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE IF NOT EXISTS things (name TEXT)"))
        found = await names(database)
        await database.close()
        return found

    assert [asyncio.run(write_and_read()) for _ in range(2)] == [[], []]
    assert len(opened) == 2
