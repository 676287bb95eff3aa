"""Many reviews over one installation, in a row or at once: what each took, and whether each came to its end.

Cases are copies of sample cases under ids of their own; people vote as soon as a run waits. What is measured is this
process's own memory and open files, and the size of the stores.
"""

import contextlib
import gc
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casewright.contracts.case import CaseFile
from casewright.errors import DeniedError
from casewright.free_memory import give_back
from evals.reviewing.acts import Act
from evals.reviewing.scene import Scene, sample_cases
from evals.reviewing.trail import Trail, read_trail
from graphs.records import RunRow

TEMPLATES = {
    "HL-2026-0012": ("issue_final_credit", 31240),
    "HL-2026-0017": ("issue_final_credit", 21840),
    "HL-2026-0018": ("deny_claim", 0),
}
"""Cases of one reviewer that one supervisor approves, and what the rules give for them."""
MOST_LOOKS = 40


@dataclass(kw_only=True)
class Measured:
    """What was measured after each review, or after each group that ran at once."""

    seconds: list[float] = field(default_factory=list[float])
    resident_kb: list[float] = field(default_factory=list[float])
    """What the process still has once nothing is garbage and what is free was given back, as a worker does at rest."""
    open_files: list[float] = field(default_factory=list[float])
    checkpoint_kb: list[float] = field(default_factory=list[float])
    """What each review added to the rows of the checkpoints."""


@dataclass(kw_only=True)
class Series:
    """The reviews of one scene's installation."""

    scene: Scene
    measured: Measured = field(default_factory=Measured)
    _stored_kb: float = 0

    async def cases(self, count: int) -> list[tuple[str, str]]:
        """Import so many copies; each id with that of its template."""
        named = [(f"{list(TEMPLATES)[number % 3]}-{number:03}", list(TEMPLATES)[number % 3]) for number in range(count)]
        files = [
            CaseFile.model_validate(sample_cases()[template] | {"case_id": case_id}) for case_id, template in named
        ]
        await self.scene.world.services.cases.import_cases(files, importer=self.scene.person("tomas"))
        return named

    async def run(self, case_ids: Sequence[str], *, reopening: bool) -> None:
        """Review these at once, with their votes, to where they rest."""
        begun = time.perf_counter()
        for case_id in case_ids:
            await self.scene.requests.start(self.scene.person("tomas"), case_id)
        await self._look_after(case_ids)
        if reopening:
            await self.scene.perform(Act(do="reopen"))
        for row in await self._rows(case_ids):
            await self._vote(row)
        await self._look_after(case_ids)
        self._note(time.perf_counter() - begun, len(case_ids))

    async def trails(self, case_ids: Sequence[str]) -> list[Trail]:
        """What each case left on record."""
        world = self.scene.world
        return [
            await read_trail(world.services, world.records, tenant=self.scene.tenant, case_id=case_id)
            for case_id in case_ids
        ]

    def leases_held(self) -> int:
        """How many runs are still held by somebody."""
        with contextlib.closing(sqlite3.connect(self.scene.home / "checkpoints.db")) as connection:
            query = "SELECT count(*) FROM run_leases WHERE expires_ns > ?"
            return int(connection.execute(query, (self.scene.clock.now_ns(),)).fetchone()[0])

    async def _rows(self, case_ids: Sequence[str]) -> list[RunRow]:
        records = self.scene.world.records
        return [(await records.list(self.scene.tenant, case_id=case_id))[0] for case_id in case_ids]

    async def _look_after(self, case_ids: Sequence[str]) -> None:
        for _ in range(MOST_LOOKS):
            self.scene.clock.advance(seconds=1)
            if not await self.scene.look():
                return

    async def _vote(self, row: RunRow) -> None:
        if row.status != "waiting_approval":
            return
        with contextlib.suppress(DeniedError):  # then the run goes on waiting, which its case tells
            ledger = self.scene.world.services.approvals
            await ledger.vote(row.waiting_for, voter=self.scene.person("selma"), approve=True, note="")

    def _note(self, seconds: float, reviews: int) -> None:
        stored = _stored_kb(self.scene.home / "checkpoints.db")
        gc.collect()
        give_back()
        self.measured.seconds.append(seconds / reviews)
        self.measured.resident_kb.append(_resident_kb())
        self.measured.open_files.append(float(sum(1 for _ in Path("/proc/self/fd").iterdir())))
        self.measured.checkpoint_kb.append((stored - self._stored_kb) / reviews)
        self._stored_kb = stored


def _resident_kb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    return 0.0


def _stored_kb(path: Path) -> float:
    """What is stored in the checkpoints, whatever the file keeps free."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        query = "SELECT coalesce(sum(length(checkpoint) + length(metadata)), 0) FROM checkpoints"
        writes = "SELECT coalesce(sum(length(value)), 0) FROM writes"
        return float(connection.execute(query).fetchone()[0] + connection.execute(writes).fetchone()[0]) / 1024
