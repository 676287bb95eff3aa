"""The API over an installation in which a review waits for approval; each test has a copy of its own."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.run import RunReport
from tests.integration.graphs import reviews
from tests.support.api import Api, serving
from tests.support.installation import POLICIES, World

CASE = "HL-2026-0001"


@dataclass
class Reviewed:
    """The API, and the review of rosa's case that waits for a supervisor."""

    api: Api
    report: RunReport

    @property
    def run_id(self) -> str:
        return self.report.run_id

    @property
    def approval_id(self) -> str:
        return self.report.pending[0].approval_id

    @property
    def approval(self) -> str:
        """Its address."""
        return f"/v1/approvals/{self.approval_id}"

    async def vote(self, by: str, **changes: Any) -> Any:
        """One person's vote, for the digest that is right unless another is given."""
        body = {"approve": True, "digest": self.report.pending[0].digest, "note": ""} | changes
        return await self.api.post(f"{self.approval}/votes", body, by=by)


@pytest.fixture(scope="session")
def reviewed_home(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunReport]:
    """An installation in which that review waits; copy it before you write to it."""
    folder = reviews.copied(installation, tmp_path_factory.mktemp("reviewed") / "home")

    async def review() -> RunReport:
        async with reviews.opened(folder) as world:
            return await world.start(CASE)

    report = asyncio.run(review())
    assert report.status == "waiting_approval"
    return folder, report


@pytest.fixture
async def reviewed(reviewed_home: tuple[Path, RunReport], tmp_path: Path) -> AsyncGenerator[Reviewed]:
    folder, report = reviewed_home
    world = World(reviews.copied(folder, tmp_path / "home"), POLICIES)
    approval = await world.services.approvals.get("harborline", report.pending[0].approval_id)
    world.clock.at_ns = approval.created_ns + 1_000_000_000
    try:
        async with serving(world) as api:
            yield Reviewed(api=api, report=report)
    finally:
        await world.services.close()
