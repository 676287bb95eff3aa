"""Every row of the checkpoints is sealed as it is written, and a row that was changed is refused before it is read."""

import contextlib
import pickle
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.base import CheckpointMetadata, empty_checkpoint

from casewright.clock import ManualClock
from graphs.checkpoint import SealedSaver, held_checkpoints
from graphs.lease import leased
from graphs.seals import COLUMNS, Seals, TamperedError

SEALS = Seals(b"k" * 32)
CONFIG: Any = {"configurable": {"thread_id": "run-1", "checkpoint_ns": ""}}
CHANGES = (
    "UPDATE checkpoints SET checkpoint = x'80'",
    "UPDATE checkpoints SET type = 'pickle'",
    "UPDATE checkpoints SET metadata = '{}'",
    "UPDATE checkpoints SET parent_checkpoint_id = 'another'",
    "UPDATE checkpoints SET checkpoint_id = checkpoint_id || '0'",
    "UPDATE writes SET value = x'80'",
    "UPDATE writes SET type = 'json'",
    "UPDATE writes SET channel = 'approval_id'",
    "UPDATE writes SET idx = idx + 1",
    "UPDATE writes SET task_path = 'another'",
    "INSERT INTO writes SELECT thread_id, checkpoint_ns, checkpoint_id, 'forged', '', 0, channel, type, value "
    "FROM writes",
    "INSERT INTO checkpoints SELECT thread_id, checkpoint_ns, 'z', parent_checkpoint_id, type, checkpoint, metadata "
    "FROM checkpoints",
    "DELETE FROM row_seals",
    "UPDATE row_seals SET seal = x'00'",
    "UPDATE row_seals SET seal = (SELECT seal FROM row_seals AS other WHERE other.task_id != row_seals.task_id)",
)


@asynccontextmanager
async def held(folder: Path, seals: Seals = SEALS) -> AsyncGenerator[SealedSaver, None]:
    path = folder / "checkpoints.db"
    async with (
        leased(path, folder / "locks", "run-1", ManualClock(1)) as lease,
        held_checkpoints(path, lease, seals) as saver,
    ):
        yield saver


async def written(saver: SealedSaver, value: str = "a value") -> None:
    """One checkpoint and one write after it."""
    metadata: CheckpointMetadata = {"source": "loop", "step": 1, "parents": {}}
    config = await saver.aput(CONFIG, empty_checkpoint(), metadata, {})
    await saver.aput_writes(config, [("channel", value)], "task")


def change(folder: Path, statement: str, *values: Any) -> None:
    """Change the file as somebody would who can write it and has no key."""
    with contextlib.closing(sqlite3.connect(folder / "checkpoints.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount >= 1, "nothing was changed; the test proves nothing"


@pytest.mark.proves("E4")
async def test_what_was_written_is_read_again_by_whoever_has_the_key(tmp_path: Path) -> None:
    async with held(tmp_path) as saver:
        await written(saver, "first")
        await written(saver, "second")
    async with held(tmp_path) as saver:
        found = await saver.aget_tuple(CONFIG)
        assert found is not None
        assert found.pending_writes == [("task", "channel", "second")]
        assert found.parent_config is None


@pytest.mark.proves("E4")
@pytest.mark.parametrize("statement", CHANGES)
async def test_a_row_that_was_changed_is_refused(tmp_path: Path, statement: str) -> None:
    async with held(tmp_path) as saver:
        await written(saver)
    change(tmp_path, statement)
    async with held(tmp_path) as saver:
        with pytest.raises(TamperedError, match="of run 'run-1' is not as it was written"):
            await saver.aget_tuple(CONFIG)


class Witness:
    """Says that it was brought to life by being deserialized."""

    alive: bool = False

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return _awake, ()


def _awake() -> None:
    Witness.alive = True


@pytest.mark.proves("E4")
async def test_code_in_a_row_is_not_run(tmp_path: Path) -> None:
    async with held(tmp_path) as saver:
        await written(saver)
    change(tmp_path, "UPDATE writes SET type = 'pickle', value = ?", pickle.dumps(Witness()))
    async with held(tmp_path) as saver:
        with pytest.raises(TamperedError):
            await saver.aget_tuple(CONFIG)
    assert not Witness.alive
    pickle.loads(pickle.dumps(Witness()))
    assert Witness.alive, "the bytes do nothing anyway; the test proves nothing"


async def test_another_key_reads_nothing(tmp_path: Path) -> None:
    async with held(tmp_path) as saver:
        await written(saver)
    async with held(tmp_path, Seals(b"another key")) as saver:
        with pytest.raises(TamperedError):
            await saver.aget_tuple(CONFIG)


async def test_a_row_written_again_after_it_was_lost_has_its_new_seal(tmp_path: Path) -> None:
    async with held(tmp_path) as saver:
        config = await saver.aput(CONFIG, empty_checkpoint(), {"source": "loop", "step": 1, "parents": {}}, {})
        await saver.aput_writes(config, [("channel", "first")], "task")
        change(tmp_path, "DELETE FROM writes")
        await saver.aput_writes(config, [("channel", "second")], "task")
        found = await saver.aget_tuple(CONFIG)
        assert found is not None
        assert found.pending_writes == [("task", "channel", "second")]


async def test_what_was_written_before_there_were_seals_is_adopted_once_and_nothing_else_is(tmp_path: Path) -> None:
    async with held(tmp_path) as saver:
        await written(saver)
    change(tmp_path, "DELETE FROM row_seals")
    path = tmp_path / "checkpoints.db"
    assert SEALS.adopt(path) == 2
    assert SEALS.adopt(path) == 0
    async with held(tmp_path) as saver:
        assert await saver.aget_tuple(CONFIG) is not None
    change(tmp_path, "UPDATE writes SET value = x'80'")
    assert SEALS.adopt(path) == 0, "a row that has a seal keeps it"
    assert SEALS.adopt(tmp_path / "absent.db") == 0


async def test_every_column_of_the_library_s_tables_is_sealed(tmp_path: Path) -> None:
    async with held(tmp_path):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "checkpoints.db")) as connection:
        for table, columns in COLUMNS.items():
            there = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            assert sorted(there) == sorted(columns), f"another version of the library changed {table!r}"


VALUES = st.lists(st.one_of(st.none(), st.integers(), st.text(), st.binary()), max_size=4)


@given(VALUES, VALUES)
def test_two_rows_have_one_seal_only_if_they_are_the_same(first: list[Any], second: list[Any]) -> None:
    assert (SEALS.seal("writes", *first) == SEALS.seal("writes", *second)) == (first == second)
    assert SEALS.seal("writes", *first) != SEALS.seal("checkpoints", *first)
