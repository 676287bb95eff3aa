"""Real workers over a data folder for the chaos tests, and the people who act meanwhile.

A worker is a process of the command line. People act in the test's own process, through the same requests,
questions and ledger as commands and routes. Every wait is bounded.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from casewright.contracts.run import RunReport, RunStatus
from casewright.errors import DeniedError
from evals.chaos.child import environment
from evals.chaos.workers import PATIENCE_SECONDS, WorkerProcess
from graphs.records import RunRow
from graphs.requests import RunRequests
from tests.integration.graphs.reviews import World, reviewer_of

__all__ = ["CHECKOUT", "PATIENCE_SECONDS", "People", "WorkerProcess", "environment"]

CHECKOUT = Path(__file__).resolve().parents[2]
TENANT = "harborline"
OVER: tuple[RunStatus, ...] = ("completed", "incomplete", "cancelled", "failed")


@dataclass
class People:
    """A reviewer who asks for reviews and approvers who decide them, at their own pace."""

    world: World
    approvers: tuple[str, ...] = ("selma", "idris")
    votes: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Whose vote was counted, by approval."""

    @property
    def requests(self) -> RunRequests:
        return RunRequests(self.world.services, self.world.records, self.world.services.questions)

    async def ask(self, case_id: str) -> str:
        """A review of the case; its run."""
        return (await self.requests.start(self.world.person(reviewer_of(case_id)), case_id)).run_id

    async def row(self, run_id: str) -> RunRow:
        return await self.world.records.get(TENANT, run_id)

    async def decide(self, row: RunRow) -> None:
        """One vote on what the run waits for, by whoever has not voted yet."""
        approval = await self.world.services.approvals.get(TENANT, row.waiting_for)
        voted = {vote.voter for vote in approval.votes}
        for name in self.approvers:
            if name not in voted and approval.state == "pending":
                try:
                    await self.world.services.approvals.vote(
                        row.waiting_for, voter=self.world.person(name), approve=True, note=""
                    )
                except DeniedError:  # not of the roles that may decide this one
                    continue
                self.votes.setdefault(row.waiting_for, []).append(name)
                return

    async def see_to(self, run_ids: list[str], *, until: float) -> dict[str, RunReport]:
        """Decide whatever is asked until every run is over; their last reports."""
        while True:
            rows = [await self.row(run_id) for run_id in run_ids]
            if all(row.status in OVER for row in rows):
                return {row.run_id: row.report for row in rows if row.report is not None}
            assert time.monotonic() < until, [(row.run_id, row.status, row.attempts) for row in rows]
            for row in rows:
                if row.status == "waiting_approval":
                    await self.decide(row)
            await asyncio.sleep(0.02)


def deadline(seconds: float = PATIENCE_SECONDS) -> float:
    """When a wait has to be over."""
    return time.monotonic() + seconds


async def at_a_random_moment(chance: random.Random, *, longest_seconds: float) -> None:
    """Let a random while pass; the test is about any moment, so none is waited for."""
    await asyncio.sleep(chance.uniform(0.0, longest_seconds))
