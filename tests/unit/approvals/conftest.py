"""A folder of the organisation that approvals wait in, made once and copied for each test."""

import shutil
from pathlib import Path

import pytest

from tests.unit.approvals.organisation import establish


@pytest.fixture(scope="session")
def established(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder; copy it before you write to it."""
    home = tmp_path_factory.mktemp("organisation") / "home"
    establish(home)
    return home


@pytest.fixture
def office(established: Path, tmp_path: Path) -> Path:
    """A copy that this test may change."""
    return Path(shutil.copytree(established, tmp_path / "office"))
