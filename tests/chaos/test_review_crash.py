"""kill -9 in the middle of a review: the next process goes on, nothing is lost and no effect is repeated."""

import asyncio
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from casewright.clock import NANOSECONDS
from casewright.contracts.run import RunReport
from evals.chaos.child import driven_until, environment
from graphs.lease import LEASE_SECONDS
from tests.integration.graphs.reviews import World, copied, opened

CHECKOUT = Path(__file__).resolve().parents[2]
CASE = "HL-2026-0012"
"""A final credit that one supervisor approves."""
NODES = ("intake", "facts_analyst", "evidence_checker", "policy_researcher", "drafter", "verify", "propose")
LONGEST_WAIT_SECONDS = 50


def command(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """A real process of the command line."""
    line = [sys.executable, "-m", "casewright.launch", *arguments, "--json"]
    return subprocess.Popen(
        line, cwd=CHECKOUT, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Its exit code and the document it printed."""
    output, messages = process.communicate(timeout=LONGEST_WAIT_SECONDS)
    assert output, messages
    return process.returncode, json.loads(output)


def nodes_so_far(home: Path) -> list[str]:
    """The nodes whose step is recorded, read from outside."""
    connection = sqlite3.connect(f"file:{home / 'casewright.db'}?mode=ro", uri=True, timeout=10)
    rows = connection.execute("SELECT body FROM run_events WHERE kind = 'step' ORDER BY at_ns, seq").fetchall()
    connection.close()
    return [json.loads(body)["node"] for (body,) in rows]


def killed_after(home: Path, process: subprocess.Popen[str], node: str) -> bool:
    """Kill the process as soon as the node's step is recorded; False: it had ended by itself."""
    until = time.monotonic() + LONGEST_WAIT_SECONDS
    while node not in nodes_so_far(home):
        assert time.monotonic() < until, f"{node!r} was not reached"
        try:
            process.wait(timeout=0.01)
        except subprocess.TimeoutExpired:
            continue
        break
    process.kill()
    process.communicate(timeout=LONGEST_WAIT_SECONDS)
    return process.returncode == -signal.SIGKILL


@pytest.mark.proves("E4", "C4")
@pytest.mark.timeout(300)
async def test_a_review_killed_at_every_node_is_finished_by_the_processes_after_it(home: Path) -> None:
    process, kills, run_id = command(home, "review", CASE, "--as", "tomas"), 0, ""
    for node in NODES:
        kills += killed_after(home, process, node)
        run_id = await the_only_run(home)
        process = command(home, "runs", "resume", run_id, "--as", "tomas")
    code, report = finished(process)
    assert kills >= len(NODES) - 2, "processes ended before they could be killed; nothing was proved"
    assert (code, report["status"], report["run_id"]) == (4, "waiting_approval", run_id)
    assert tuple(report["steps"]) == NODES, "every finished step is there once, whatever ran twice"
    async with opened(home) as world:
        (approval,) = await world.services.approvals.list("harborline")
        assert approval.approval_id == report["pending"][0]["approval_id"]
        assert await world.outbox_rows() == 0
    code, voted = finished(command(home, "approvals", "approve", approval.approval_id, "--as", "selma"))
    assert (code, voted["run"]["status"]) == (0, "completed")
    async with opened(home) as world:
        await check_one_effect(world)


class Later:
    """The clock of a process that looks when the lease of the paused one is over."""

    def now_ns(self) -> int:
        return time.time_ns() + 2 * LEASE_SECONDS * NANOSECONDS


@pytest.mark.proves("E4")
@pytest.mark.timeout(180)
async def test_a_paused_process_that_wakes_up_finds_its_run_taken_over_and_changes_nothing(home: Path) -> None:
    process = command(home, "review", CASE, "--as", "tomas")
    try:
        run_id = await paused_after(home, process, "facts_analyst")
        async with opened(home, clock=Later()) as world:
            report = await world.runner.resume("harborline", run_id)
            assert (report.status, tuple(report.steps)) == ("waiting_approval", NODES)
            process.send_signal(signal.SIGCONT)
            code, said = finished(process)
            assert (code, "taken over" in said["error"]["message"]) == (1, True), said
            after = await world.runner.resume("harborline", run_id)
            assert after.model_copy(update={"budget": report.budget}) == report, "it may have spent a call, no more"
            (approval,) = await world.services.approvals.list("harborline")
            assert approval.approval_id == report.pending[0].approval_id
            assert await world.outbox_rows() == 0
    finally:
        process.kill()
        process.communicate(timeout=LONGEST_WAIT_SECONDS)


async def paused_after(home: Path, process: subprocess.Popen[str], node: str) -> str:
    """Stop the process (SIGSTOP) as soon as the node's step is recorded; the id of its run."""
    until = time.monotonic() + LONGEST_WAIT_SECONDS
    while node not in nodes_so_far(home):
        assert time.monotonic() < until, f"{node!r} was not reached"
        assert process.poll() is None, process.communicate(timeout=LONGEST_WAIT_SECONDS)
        await asyncio.sleep(0.005)
    process.send_signal(signal.SIGSTOP)
    while is_writing(home):  # SQLite lets nobody write while one is stopped in a write; that is another test's matter
        assert time.monotonic() < until, "it was never found between two writes"
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
    assert "propose" not in nodes_so_far(home), "it was paused too late; nothing would be proved"
    return await the_only_run(home)


def is_writing(home: Path) -> bool:
    """Whether somebody keeps one of the databases to write it."""
    for name in ("checkpoints.db", "casewright.db"):
        with contextlib.closing(sqlite3.connect(home / name, timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.execute("ROLLBACK")
    return False


async def the_only_run(home: Path) -> str:
    async with opened(home) as world:
        (row,) = await world.records.list("harborline")
        assert row.status in ("running", "waiting_approval")
        return row.run_id


async def check_one_effect(world: World) -> None:
    """One effect, one receipt, one approval used, and an audit that is whole."""
    assert len(await world.effects(CASE)) == await world.outbox_rows() == 1
    assert await world.audited("effect.executed") == await world.audited("approval.consumed") == 1
    assert await world.audited("run.ended") == 1
    assert await world.services.outbox.recover() == ()
    assert (await world.services.audit.verify()).ok


@pytest.fixture(scope="module")
def approved(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunReport]:
    """A data folder in which a run waits and its approval is given."""
    folder = copied(installation, tmp_path_factory.mktemp("approved") / "home")

    async def review() -> RunReport:
        async with opened(folder) as world:
            report = await world.start(CASE)
            await world.vote(report, "selma")
            return report

    return folder, asyncio.run(review())


POINTS = (
    ("before UPDATE approvals", 1),
    ("after INSERT outbox", 1),
    ("before UPDATE outbox", 1),
    ("before INSERT run_events", 1),
    ("after INSERT run_events", 2),
    ("before UPDATE runs", 2),
)
"""Before the approval is used; before and after the row is committed; after the effect; after the step; at the end."""


@pytest.mark.proves("E4", "C4")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[0]} {point[1]}")
async def test_a_kill_while_an_approved_action_executes_leaves_one_effect(
    approved: tuple[Path, RunReport], tmp_path: Path, point: tuple[str, int]
) -> None:
    folder, report = approved
    home = copied(folder, tmp_path / "killed")
    child = driven_until(home, "harborline", report.run_id, *point)
    assert child.returncode == -signal.SIGKILL, child.stderr
    async with opened(home) as world:
        done = await world.resume(report)
        assert (done.status, done.because) == ("completed", "the approved action was executed")
        assert done.receipt is not None
        assert done.steps == (*report.steps, "gate", "act", "record")
        await check_one_effect(world)
        assert await world.resume(report) == done
