"""Reviews over an installation of the sample organisation, and what tests ask of it afterwards.

They run over the real servers, policies, index and database; only the model may be scripted.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from casewright.clock import Clock
from casewright.config import Budgets, app_root
from casewright.contracts.approval import Approval
from casewright.contracts.case import CaseFile
from casewright.contracts.run import RunReport
from casewright.models.provider import Provider
from casewright.storage.run_tables import run_events
from casewright.storage.tables import audit_events, outbox
from evals.world import ReviewWorld, opened_reviews
from evals.world import copied as copied

SAMPLE = app_root() / "casewright" / "sample"


@cache
def sample_cases() -> dict[str, dict[str, Any]]:
    """Every sample case as its file has it, by id."""
    found: dict[str, dict[str, Any]] = {}
    for tenant in ("harborline", "millbrook"):
        for case in json.loads((SAMPLE / tenant / "cases.json").read_text(encoding="utf-8")):
            found[case["case_id"]] = case
    return found


def reviewer_of(case_id: str) -> str:
    """The person to whom the case is assigned."""
    return str(sample_cases()[case_id]["assigned_to"][0])


def changed(case_id: str, **fields: Any) -> CaseFile:
    """A sample case with some fields replaced."""
    return CaseFile.model_validate_json(json.dumps(sample_cases()[case_id] | fields))


class World(ReviewWorld):
    """One process's view of an installation, and what tests ask of it."""

    async def start(self, case_id: str, *, fresh: bool = False) -> RunReport:
        """The review of a case as its reviewer."""
        return await self.runner.start(self.person(reviewer_of(case_id)), case_id, fresh=fresh)

    async def resume(self, report: RunReport) -> RunReport:
        return await self.runner.resume(self.tenant(report), report.run_id)

    async def vote(self, report: RunReport, voter: str, *, approve: bool = True) -> Approval:
        """A vote on what the run waits for; the run is not woken."""
        return await self.services.approvals.vote(
            report.pending[0].approval_id, voter=self.person(voter), approve=approve, note=""
        )

    async def add(self, case: CaseFile) -> None:
        """Import a case again, with what is new in it."""
        importer = self.person(reviewer_of(case.case_id))
        report = await self.services.cases.import_cases([case], importer=importer)
        assert not report.skipped, report

    def tenant(self, report: RunReport) -> str:
        return self.person(reviewer_of(report.case_id)).tenant

    async def effects(self, case_id: str) -> list[str]:
        """What was executed on a case, as its timeline tells."""
        stored = await self.services.cases.load(self.person(reviewer_of(case_id)).tenant, case_id)
        assert stored is not None
        return [event.what for event in stored.case.timeline if event.source == "recorded effect"]

    async def outbox_rows(self) -> int:
        return await self._count(outbox)

    async def audited(self, kind: str) -> int:
        async with self.services.database.read() as connection:
            query = select(func.count()).select_from(audit_events).where(audit_events.c.kind == kind)
            return int((await connection.execute(query)).scalar_one())

    async def footprint(self) -> tuple[int, int, int]:
        """How many run events, audit events and effects there are."""
        return await self._count(run_events), await self._count(audit_events), await self._count(outbox)

    async def _count(self, table: Any) -> int:
        async with self.services.database.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


@asynccontextmanager
async def opened(
    home: Path, *, budgets: Budgets | None = None, provider: Provider | None = None, clock: Clock | None = None
) -> AsyncGenerator[World, None]:
    """A world over the data folder, like one process would see it."""
    policies = app_root() / "policies"
    async with opened_reviews(home, policies=policies, budgets=budgets, provider=provider, clock=clock) as known:
        yield World(services=known.services, gateway=known.gateway, runner=known.runner, records=known.records)
