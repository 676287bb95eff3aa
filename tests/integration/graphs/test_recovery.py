"""A process that died between a node's writes and the checkpoint after them: the next one goes on."""

import sqlite3
from pathlib import Path

import pytest

from casewright.contracts.run import RunReport
from tests.integration.graphs.reviews import opened

NODES = ("intake", "facts_analyst", "evidence_checker", "policy_researcher", "drafter", "verify", "propose")


def lose_checkpoints_after(home: Path, run_id: str, steps: int) -> None:
    """Forget every checkpoint after so many finished nodes but one; what the last node wrote is still there.

    This is what the disk holds when a process is killed after a node's writes are stored and
    before the checkpoint that takes them up.
    """
    connection = sqlite3.connect(home / "checkpoints.db")
    rows = connection.execute(
        "SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? ORDER BY checkpoint_id", (run_id,)
    ).fetchall()
    kept = [row[0] for row in rows][: steps + 1]  # the first one holds the input, before any node
    marks = ", ".join("?" for _ in kept)
    for table in ("checkpoints", "writes"):
        connection.execute(
            f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id NOT IN ({marks})",
            (run_id, *kept),
        )
    pending = connection.execute(
        "SELECT count(*) FROM writes WHERE thread_id = ? AND checkpoint_id = ?", (run_id, kept[-1])
    ).fetchone()
    connection.commit()
    connection.close()
    assert pending[0] > 0, "nothing is pending; the test proves nothing"


@pytest.mark.proves("E4")
@pytest.mark.parametrize("steps", range(1, len(NODES) + 1))
async def test_a_node_whose_checkpoint_was_lost_is_taken_up_and_not_run_again(
    waiting: tuple[Path, RunReport], steps: int
) -> None:
    home, report = waiting
    lose_checkpoints_after(home, report.run_id, steps)
    async with opened(home) as world:
        resumed = await world.resume(report)
        assert (resumed.status, resumed.steps) == ("waiting_approval", NODES)
        ran = [event.body["node"] for event in await world.records.events(report.run_id, kind="step")]
        assert ran == [*NODES, *NODES[steps:]], "the node with the stored writes ran again"
        assert await world.outbox_rows() == 0


@pytest.mark.proves("E4", "C3")
async def test_a_proposal_that_was_revoked_before_it_could_be_noted_ends_the_review(
    waiting: tuple[Path, RunReport],
) -> None:
    home, report = waiting
    before = NODES.index("propose")
    lose_checkpoints_after(home, report.run_id, before)
    async with opened(home) as world:
        approval_id = report.pending[0].approval_id
        await world.services.approvals.revoke(approval_id, by=world.person("tomas"), why="withdrawn")
        ended = await world.resume(report)
        assert (ended.status, ended.steps[: before + 1], ended.pending) == ("incomplete", NODES, ())
        assert "the action was revoked before" in ended.because
        assert len(await world.services.approvals.list("harborline")) == 1
        assert await world.outbox_rows() == 0
