"""kill -9 at every step of an execution: after recovery one effect, one receipt, one approval used."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from casewright.clock import ManualClock
from casewright.identity.keys import SigningKey
from tests.unit.audit.kernel import START_NS, TENANT, Kernel, caller, credit, kernel

CHECKOUT = Path(__file__).resolve().parents[2]
STEPS = (
    "before BEGIN",
    "before UPDATE approvals",
    "after UPDATE approvals",
    "before INSERT audit_events",
    "after INSERT audit_events",
    "before UPDATE audit_head",
    "after UPDATE audit_head",
    "before INSERT outbox",
    "after INSERT outbox",
    "before COMMIT",
    "before BEGIN",
    "before INSERT case_timeline",
    "after INSERT case_timeline",
    "before UPDATE outbox",
    "after UPDATE outbox",
    "before INSERT audit_events",
    "after INSERT audit_events",
    "before UPDATE audit_head",
    "after UPDATE audit_head",
    "before COMMIT",
)
"""What one execution does to the database; a test compares this with what really happens."""
ADMITTED = 10
"""From this step on the first transaction is committed."""


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database in which the call is approved, and the signing key."""
    folder = tmp_path_factory.mktemp("approved")

    async def fill() -> None:
        async with kernel(folder) as world:
            await world.approved()
            world.signer.save(folder / "key.pem")

    asyncio.run(fill())
    connection = sqlite3.connect(folder / "casewright.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return folder


def run_child(folder: Path, step: int) -> subprocess.CompletedProcess[str]:
    files = [str(folder / "casewright.db"), str(folder / "key.pem")]
    command = [sys.executable, "-m", "tests.chaos.effects_child", *files, str(step)]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=50, check=False
    )


def copied(approved: Path, folder: Path) -> Path:
    for name in ("casewright.db", "key.pem"):
        shutil.copy(approved / name, folder / name)
    return folder


def reopened(folder: Path) -> Kernel:
    return Kernel.over(folder / "casewright.db", SigningKey.load(folder / "key.pem"), ManualClock(START_NS))


async def test_the_steps_are_those_of_a_real_execution(approved: Path, tmp_path: Path) -> None:
    done = run_child(copied(approved, tmp_path), -1)
    assert (done.returncode, tuple(done.stdout.split("\n")[:-1])) == (0, STEPS), done.stderr


@pytest.mark.proves("C4")
@pytest.mark.parametrize("step", range(len(STEPS)), ids=[f"{n}-{name}" for n, name in enumerate(STEPS)])
async def test_a_kill_at_any_step_leaves_one_effect_and_one_receipt_after_recovery(
    approved: Path, tmp_path: Path, step: int
) -> None:
    folder = copied(approved, tmp_path)
    killed = run_child(folder, step)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    world = reopened(folder)
    assert len(await world.effects()) == 0
    recovered = await world.outbox.recover()
    assert len(recovered) == (1 if step >= ADMITTED else 0)
    receipt = await world.outbox.execute(credit(), caller=caller())
    assert receipt.repeated is (step >= ADMITTED)
    assert await world.outbox.recover() == ()
    kinds = [event.kind for event in await world.audit.events(tenant=TENANT)]
    assert (kinds.count("approval.consumed"), kinds.count("effect.executed")) == (1, 1)
    assert len(await world.effects()) == 1
    assert (await world.audit.verify()).ok
    await world.database.close()


@pytest.mark.proves("C4")
async def test_two_processes_that_recover_at_once_deliver_once(approved: Path, tmp_path: Path) -> None:
    folder = copied(approved, tmp_path)
    assert run_child(folder, ADMITTED).returncode == -signal.SIGKILL
    worlds = [reopened(folder) for _ in range(3)]
    receipts = await asyncio.gather(*(world.outbox.recover() for world in worlds))
    assert sum(not receipt.repeated for found in receipts for receipt in found) == 1
    assert len(await worlds[0].effects()) == 1
    for world in worlds:
        await world.database.close()
