"""A data folder that an older version made says so, and how to bring it up to date."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from casewright.errors import StorageError
from casewright.storage.database import Database
from casewright.storage.migrate import upgrade
from casewright.storage.tables import drafts


async def test_a_missing_column_is_explained_as_an_older_folder_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "casewright.db"
    upgrade(path)
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE drafts DROP COLUMN agent")
    connection.close()
    database = Database.sqlite(path)
    with pytest.raises(StorageError, match=r"older version; run `casewright init`"):
        async with database.read() as reader:
            await reader.execute(select(drafts))
    await database.close()
