"""What is done to an installation while a review runs, as data and as the thing itself.

A fault strikes parts of the real product: their files, their connections, their answers, their processes. Who tries it
begins it, lets a worker drive, and ends it; `met` says how often it was really met.
"""

import asyncio
import resource
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from casewright.contracts.base import Contract
from casewright.contracts.principal import ServerName
from casewright.errors import StorageError
from evals.chaos.child import driven_until
from evals.chaos.fuse import NamedFuse
from evals.chaos.policy import OddEngine, Oddity, Strikes
from evals.chaos.servers import Failing, failing_server
from evals.chaos.workers import PATIENCE_SECONDS, WorkerProcess
from evals.reviewing.models import Conduct
from evals.reviewing.scene import Scene
from evals.world import ReviewWorld

Part = Literal["policy", "model", "server", "statement", "database", "checkpoints", "index", "clock", "kill", "worker"]


class FaultGiven(Contract):
    """What strikes."""

    part: Part
    how: str
    """Of the part: an oddity, a conduct, a way of failing, the name of a statement, `full`, `locked`, `missing`, …"""
    where: str = ""
    """The tool, task, or server and tool (`drafting save_draft`) that it strikes at; empty: anywhere."""
    times: int = 1_000_000
    """How often it strikes before it is over by itself; of a kill or a statement: at which occurrence."""
    seconds: float = 0
    """How long a lock is kept; how far the clock jumps."""


@dataclass(kw_only=True)
class Fault:
    """One fault upon one scene; the ones below do what their names say."""

    given: FaultGiven
    strikes: Strikes = field(init=False)

    def __post_init__(self) -> None:
        self.strikes = Strikes(left=self.given.times)

    def prepare(self, world: ReviewWorld) -> ReviewWorld:
        """Put what may strike into a world of which nothing was used yet."""
        return world

    async def begin(self, scene: Scene) -> None:
        """From now on it strikes."""
        self.strikes.active = True

    async def end(self, scene: Scene) -> None:
        """It is over, whatever it did."""
        self.strikes.active = False


class PolicyFault(Fault):
    def prepare(self, world: ReviewWorld) -> ReviewWorld:
        services = world.services
        odd = OddEngine(services.engine, cast(Oddity, self.given.how), self.given.where, self.strikes)
        services.__dict__["engine"] = odd
        return world


class ServerFault(Fault):
    def prepare(self, world: ReviewWorld) -> ReviewWorld:
        server, _, tool = self.given.where.partition(" ")
        return failing_server(world, cast(ServerName, server), tool, cast(Failing, self.given.how), self.strikes)


class ModelFault(Fault):
    async def begin(self, scene: Scene) -> None:
        scene.model.conduct = cast(Conduct, self.given.how)
        scene.model.only, scene.model.times = self.given.where, self.given.times
        self._asked = len(scene.model.asked)

    async def end(self, scene: Scene) -> None:
        scene.model.conduct = "plain"
        self.strikes.met = len(scene.model.asked) - self._asked


class StatementFault(Fault):
    """The database refuses one statement, as a full disk would."""

    async def begin(self, scene: Scene) -> None:
        def refuse() -> None:
            raise StorageError("the disk is full; nothing was written")

        self._fuse = NamedFuse(self.given.how, self.given.times, refuse)
        self._fuse.watch(scene.world.services.database)

    async def end(self, scene: Scene) -> None:
        self.strikes.met = self._fuse.burnt


class DatabaseFault(Fault):
    """`locked` by another process's transaction, or `full`: no file may grow beyond what it is now."""

    async def begin(self, scene: Scene) -> None:
        if self.given.how == "full":
            self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            most = max(path.stat().st_size for path in scene.home.glob("*.db-wal")) + int(self.given.seconds)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, self._limits[1]))
            return
        taken = threading.Event()
        self._holder = threading.Thread(target=self._hold, args=(scene.home / self.given.where, taken))
        self._holder.start()
        await asyncio.to_thread(taken.wait, 30)
        self.strikes.met = 1

    def _hold(self, path: Path, taken: threading.Event) -> None:
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        taken.set()
        time.sleep(self.given.seconds)
        connection.execute("ROLLBACK")
        connection.close()

    async def end(self, scene: Scene) -> None:
        if self.given.how == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
            self.strikes.met = int(await was_disturbed(scene))
            return
        await asyncio.to_thread(self._holder.join, 60)


class CheckpointFault(Fault):
    """A byte of the newest checkpoint is another one."""

    async def begin(self, scene: Scene) -> None:
        connection = sqlite3.connect(scene.home / "checkpoints.db")
        with connection:
            rows = connection.execute("SELECT max(checkpoint_id) FROM checkpoints").fetchone()
            changed = connection.execute(
                "UPDATE checkpoints SET checkpoint = CAST(checkpoint || x'00' AS BLOB) WHERE checkpoint_id = ?", rows
            )
            self.strikes.met = changed.rowcount
        connection.close()


class IndexFault(Fault):
    """The index is `missing`, or its largest file is `cut` in half; the process has just begun."""

    async def begin(self, scene: Scene) -> None:
        self._index, self._kept = scene.home / "index", scene.home / "index-kept"
        if self.given.how == "missing":
            self._index.rename(self._kept)
        else:
            self._file = max(self._index.rglob("*.lance"), key=lambda path: path.stat().st_size)
            self._whole = self._file.read_bytes()
            self._file.write_bytes(self._whole[: len(self._whole) // 2])
        await scene.reopen()

    async def end(self, scene: Scene) -> None:
        self.strikes.met = int(await was_disturbed(scene))
        if self.given.how == "missing":
            self._kept.rename(self._index)
        else:
            self._file.write_bytes(self._whole)
        await scene.reopen()


class ClockFault(Fault):
    async def begin(self, scene: Scene) -> None:
        scene.clock.advance(seconds=self.given.seconds)
        self.strikes.met = 1


class KillFault(Fault):
    """Another process drives the run and is killed (SIGKILL) at a statement."""

    async def begin(self, scene: Scene) -> None:
        run = (await scene.runs())[-1]
        name, times = self.given.how, self.given.times
        child = await asyncio.to_thread(driven_until, scene.home, scene.tenant, run.run_id, name, times)
        self.strikes.met = int(child.returncode == -9)


class WorkerFault(Fault):
    """A real worker is killed (`kill`) or told to end (`end`) after so many steps of the run."""

    async def begin(self, scene: Scene) -> None:
        run, worker = (await scene.runs())[-1], WorkerProcess(scene.home)
        process = worker.start()
        try:
            until = time.monotonic() + PATIENCE_SECONDS / 3
            while len(await scene.world.records.events(run.run_id, kind="step")) < self.given.times:
                if time.monotonic() > until or process.poll() is not None:
                    return
                await asyncio.sleep(0.005)
            if self.given.how == "end":
                self.strikes.met = int(await asyncio.to_thread(worker.end) == 0)
            else:
                self.strikes.met = 1
        finally:
            await asyncio.to_thread(worker.kill)


async def was_disturbed(scene: Scene) -> bool:
    """Whether the newest run shows that something failed on its way."""
    run = (await scene.runs())[-1]
    return run.attempts > 0 or run.status in ("failed", "incomplete")


_KINDS: dict[Part, type[Fault]] = {
    "policy": PolicyFault,
    "model": ModelFault,
    "server": ServerFault,
    "statement": StatementFault,
    "database": DatabaseFault,
    "checkpoints": CheckpointFault,
    "index": IndexFault,
    "clock": ClockFault,
    "kill": KillFault,
    "worker": WorkerFault,
}


def fault_of(given: FaultGiven) -> Fault:
    """The fault that the data name."""
    return _KINDS[given.part](given=given)
