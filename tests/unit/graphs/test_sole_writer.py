"""One writer per run: the lock says who may work, and dies with its holder."""

from pathlib import Path

import pytest

from casewright.errors import ConflictError
from graphs.checkpoint import sole_writer


@pytest.mark.proves("E4")
async def test_a_second_writer_of_the_same_run_is_told_at_once(tmp_path: Path) -> None:
    async with sole_writer(tmp_path / "locks", "run-1"):
        with pytest.raises(ConflictError, match="'run-1' is being worked on"):
            async with sole_writer(tmp_path / "locks", "run-1"):
                pytest.fail("two writers")
        async with sole_writer(tmp_path / "locks", "run-2"):
            pass
    async with sole_writer(tmp_path / "locks", "run-1"):
        pass


@pytest.mark.proves("E4")
async def test_a_writer_that_fails_lets_the_next_one_in(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="stopped"):
        async with sole_writer(tmp_path / "locks", "run-1"):
            raise RuntimeError("stopped")
    async with sole_writer(tmp_path / "locks", "run-1"):
        pass
