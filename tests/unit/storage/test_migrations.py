"""Migrations: the schema they make is the schema the code uses, and they may run twice at once."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

import casewright.cases.tables
import casewright.storage.model_tables
import casewright.storage.release_tables
import casewright.storage.replay_tables
import casewright.storage.run_tables
import casewright.storage.tables
from casewright.errors import StorageError
from casewright.storage.metadata import METADATA
from casewright.storage.migrate import current, upgrade

CHECKOUT = Path(__file__).resolve().parents[3]
_TABLE_MODULES = (
    casewright.cases.tables,
    casewright.storage.model_tables,
    casewright.storage.release_tables,
    casewright.storage.replay_tables,
    casewright.storage.run_tables,
    casewright.storage.tables,
)


def test_the_migrated_schema_is_the_one_the_code_uses(tmp_path: Path) -> None:
    path = tmp_path / "new" / "casewright.db"
    upgrade(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
        open_digest = connection.execute(
            text("SELECT sql FROM sqlite_master WHERE name = 'uq_approvals_open_digest'")
        ).scalar_one()
    engine.dispose()
    assert "WHERE state IN ('pending', 'approved')" in open_digest


def test_a_second_upgrade_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "casewright.db"
    assert current(path) is None
    upgrade(path)
    revision = current(path)
    assert revision is not None
    upgrade(path)
    assert current(path) == revision


def test_two_processes_may_upgrade_at_once(tmp_path: Path) -> None:
    path = tmp_path / "casewright.db"
    code = f"from pathlib import Path; from casewright.storage.migrate import upgrade; upgrade(Path({str(path)!r}))"
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=CHECKOUT) for _ in range(2)]
    assert [process.wait(timeout=50) for process in running] == [0, 0]
    assert current(path) is not None


def test_importing_the_migrations_does_not_load_alembic() -> None:
    code = "import sys, casewright.storage.migrate; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, timeout=50, check=False).returncode == 0


def test_a_failed_upgrade_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "casewright.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE drafts (x)")
    connection.commit()
    with pytest.raises(StorageError, match="cannot be set up"):
        upgrade(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    assert names == [("drafts",)]


def test_a_file_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "casewright.db"
    upgrade(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(StorageError, match="was not made by this version"):
        upgrade(path)
    assert current(path) == "9999"


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "casewright.db"
    path.write_text("hello" * 1000)
    for call in (upgrade, current):
        with pytest.raises(StorageError, match=r"casewright\.db"):
            call(path)
