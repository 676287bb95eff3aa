"""How much a review keeps of its course: little, and no more for long documents than for short ones."""

import sqlite3
from pathlib import Path

import pytest

from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import changed, opened, sample_cases

pytestmark = pytest.mark.thorough
MOST_BYTES = 100_000
"""Of one review to its effect, over all its checkpoints."""


def kept_bytes(home: Path, run_id: str) -> int:
    """Of every value in every row that the checkpoint library wrote for the run."""
    connection = sqlite3.connect(home / "checkpoints.db")
    rows = [
        row
        for table in ("checkpoints", "writes")
        for row in connection.execute(f"SELECT * FROM {table} WHERE thread_id = ?", (run_id,))
    ]
    connection.close()
    return sum(len(value) if isinstance(value, bytes) else len(str(value).encode()) for row in rows for value in row)


@pytest.mark.proves("E4")
@pytest.mark.parametrize("more", [0, 4_000], ids=["as it is", "with a long narrative"])
async def test_a_whole_review_keeps_less_than_a_hundred_kilobytes_however_long_its_documents(
    home: Path, more: int
) -> None:
    told = str(sample_cases()[CREDIT_CASE]["narrative"]) + " The shop was closed on that day." * more
    assert not more or len(told) > MOST_BYTES
    async with opened(home) as world:
        await world.add(changed(CREDIT_CASE, narrative=told))
        report = await world.start(CREDIT_CASE)
        await world.vote(report, "selma")
        done = await world.resume(report)
        assert done.status == "completed", done.because
        kept = kept_bytes(home, done.run_id)
        assert 0 < kept < MOST_BYTES
