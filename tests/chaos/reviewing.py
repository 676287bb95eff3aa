"""Real workers over a data folder for the chaos tests, and the people who act meanwhile.

A worker is a process of the command line. People act in the test's own process, through the same requests,
questions and ledger as commands and routes. Every wait is bounded.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from casewright.contracts.run import RunReport, RunStatus
from casewright.errors import DeniedError
from graphs.records import RunRow
from graphs.requests import RunRequests
from tests.integration.graphs.reviews import World, reviewer_of

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120
TENANT = "harborline"
OVER: tuple[RunStatus, ...] = ("completed", "incomplete", "cancelled", "failed")


def environment(home: Path) -> dict[str, str]:
    """What a child process sees: this checkout, this data folder, no keys."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CASEWRIGHT_", "ANTHROPIC_"))}
    return kept | {"PYTHONPATH": str(CHECKOUT), "CASEWRIGHT_HOME": str(home)}


@dataclass
class WorkerProcess:
    """One `casewright worker`, which may be killed and started again."""

    home: Path
    concurrency: int = 4
    kills: int = 0
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> "subprocess.Popen[str]":
        line = [sys.executable, "-m", "casewright.launch", "worker", "--concurrency", str(self.concurrency)]
        log = (self.home / "worker.log").open("a", encoding="utf-8")
        with log:
            self.process = subprocess.Popen(line, cwd=CHECKOUT, env=environment(self.home), stderr=log, text=True)
        return self.process

    def kill(self) -> None:
        """Send SIGKILL; nothing of it can clean up."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_SECONDS)
            self.kills += 1
            self.process = None

    def end(self) -> int:
        """SIGTERM; its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_SECONDS)
        self.process = None
        return code


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
