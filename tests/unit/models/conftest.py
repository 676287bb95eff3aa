"""A desk that keeps model calls, over an empty database, fresh for each test."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from casewright.storage.migrate import upgrade
from tests.support.recorded_calls import Desk, recording_desk


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that is up to date and empty; to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "casewright.db"
    upgrade(path)
    return path


@pytest.fixture
async def desk(migrated: Path, tmp_path: Path) -> AsyncGenerator[Desk, None]:
    own = tmp_path / "desk"
    own.mkdir()
    async with recording_desk(Path(shutil.copy(migrated, own / "casewright.db"))) as made:
        yield made
