"""kill -9 while two processes append to one audit, and two processes that append at once without harm."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from casewright.audit.chain import AuditVerification
from casewright.audit.log import AuditLog
from casewright.clock import SystemClock
from casewright.identity.keys import SigningKey
from casewright.storage.database import Database
from casewright.storage.migrate import upgrade

CHECKOUT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.thorough


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    upgrade(tmp_path / "casewright.db")
    SigningKey.generate().save(tmp_path / "key.pem")
    return tmp_path


def child(folder: Path, name: str, *, tasks: int, appends: int) -> subprocess.Popen[str]:
    files = [str(folder / "casewright.db"), str(folder / "key.pem")]
    command = [sys.executable, "-m", "tests.chaos.audit_child", *files, name, str(tasks), str(appends)]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    with (folder / f"{name}.err").open("w") as errors:
        return subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1
        )


def lines_of(process: subprocess.Popen[str], count: int) -> list[str]:
    """The next lines that the process printed."""
    assert process.stdout is not None
    return [line for line in (process.stdout.readline() for _ in range(count)) if line]


def rest_of(process: subprocess.Popen[str]) -> list[str]:
    """Everything that was printed before the end; a last line may be torn."""
    assert process.stdout is not None
    with process.stdout:
        found = [line for line in process.stdout if line.endswith("\n")]
    process.wait(30)
    return found


def places(lines: list[str]) -> dict[int, str]:
    return {int(seq): hash_ for seq, hash_ in (line.split() for line in lines)}


def stored(folder: Path) -> dict[int, str]:
    connection = sqlite3.connect(folder / "casewright.db")
    found = dict(connection.execute("SELECT seq, hash FROM audit_events").fetchall())
    connection.close()
    return found


def verified(folder: Path) -> AuditVerification:
    async def verify() -> AuditVerification:
        database = Database.sqlite(folder / "casewright.db")
        log = AuditLog(database, SigningKey.load(folder / "key.pem"), SystemClock())
        try:
            return await log.verify()
        finally:
            await database.close()

    return asyncio.run(verify())


@pytest.mark.proves("G1")
@pytest.mark.parametrize("moment", [1, 7, 40, 151, 400])
def test_every_event_acknowledged_before_a_kill_is_there_and_the_chain_is_sound(folder: Path, moment: int) -> None:
    killed = child(folder, "killed", tasks=4, appends=0)
    other = child(folder, "other", tasks=4, appends=0)
    acknowledged: dict[str, list[str]] = {"killed": [], "other": []}
    try:
        acknowledged["killed"] += lines_of(killed, moment)
        killed.send_signal(signal.SIGKILL)
        acknowledged["killed"] += rest_of(killed)
        acknowledged["other"] += lines_of(other, moment)  # the lock of the dead does not stop the living
        other.send_signal(signal.SIGKILL)
        acknowledged["other"] += rest_of(other)
    finally:
        for process in (killed, other):
            process.kill()
            process.wait(30)
    assert [process.returncode for process in (killed, other)] == [-signal.SIGKILL] * 2
    assert all(len(lines) >= moment for lines in acknowledged.values())
    present = stored(folder)
    for lines in acknowledged.values():
        for seq, hash_ in places(lines).items():
            assert present.get(seq) == hash_
    verdict = verified(folder)
    assert (verdict.ok, verdict.events) == (True, len(present)), verdict.problem


@pytest.mark.proves("G1")
def test_two_processes_with_fifty_appends_each_at_a_time_make_one_chain(folder: Path) -> None:
    processes = [child(folder, name, tasks=50, appends=10) for name in ("one", "two")]
    outputs = [rest_of(process) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], [
        (folder / f"{name}.err").read_text() for name in ("one", "two")
    ]
    assert [len(lines) for lines in outputs] == [500, 500]
    acknowledged = places(outputs[0]) | places(outputs[1])
    assert acknowledged == stored(folder)
    assert sorted(acknowledged) == list(range(1, 1_001))
    verdict = verified(folder)
    assert (verdict.ok, verdict.events) == (True, 1_000), verdict.problem
