"""A data folder that an older version made says so, and how to bring it up to date."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from casewright.config import Settings, app_root
from casewright.errors import StorageError
from casewright.services import Services
from casewright.storage.database import Database
from casewright.storage.migrate import newest, upgrade
from casewright.storage.revision import REVISION, check_revision
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


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("0005", r"made by an older version \(0005; .*run `casewright init` to bring it up to date"),
        ("0999", r"made by a newer version \(0999; .*use the Casewright that made it"),
    ],
)
def test_a_folder_of_another_version_stops_before_anything_is_read(tmp_path: Path, revision: str, told: str) -> None:
    services = Services(Settings.load(home=str(tmp_path), environment={}, app_root=app_root()))
    path = services.settings.database
    upgrade(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    with pytest.raises(StorageError, match=told) as refused:
        _ = services.database
    assert str(path) in str(refused.value)


def test_a_folder_of_this_version_is_used_and_what_cannot_be_read_is_left_to_its_reader(tmp_path: Path) -> None:
    assert newest() == REVISION
    path = tmp_path / "casewright.db"
    upgrade(path)
    check_revision(path)
    path.write_bytes(b"no database" * 100)
    check_revision(path)
