"""An installation in which a review waits for approval, and fresh copies of it for each test."""

import asyncio
from pathlib import Path

import pytest

from casewright.contracts.run import RunReport
from tests.integration.graphs.reviews import copied, opened

CREDIT_CASE = "HL-2026-0012"
"""A final credit that one supervisor approves."""


@pytest.fixture(scope="session")
def reviewed(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunReport]:
    """An installation in which a review waits for approval, and its report."""
    folder = copied(installation, tmp_path_factory.mktemp("reviewed") / "home")

    async def review() -> RunReport:
        async with opened(folder) as world:
            return await world.start(CREDIT_CASE)

    report = asyncio.run(review())
    assert report.status == "waiting_approval"
    return folder, report


@pytest.fixture
def waiting(reviewed: tuple[Path, RunReport], tmp_path: Path) -> tuple[Path, RunReport]:
    """A data folder of the test's own in which a review waits for approval."""
    folder, report = reviewed
    return copied(folder, tmp_path / "waiting"), report
