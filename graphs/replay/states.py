"""The states of a run as its checkpoints hold them, each checked against its seal before it is read."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from casewright.services import Services
from casewright.storage.database import storage_error
from graphs.checkpoint import SealedSaver, open_checkpoints
from graphs.seals import Seals
from graphs.state import ReviewState

_IDS = "SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = '' ORDER BY checkpoint_id"
_INPUT = "__start__"
_NAMES = frozenset(ReviewState.__annotations__) | {"node"}


async def recorded_states(services: Services, run_id: str) -> tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...]]:
    """What a run began with, and its state after each place of its trail.

    Raises:
        TamperedError: a checkpoint is not as it was written.
        StorageError: they cannot be read.
    """
    settings = services.settings
    if not settings.checkpoints.exists():
        return {}, ()
    initial: Mapping[str, Any] = {}
    by_place: dict[int, Mapping[str, Any]] = {}
    try:
        async with open_checkpoints(settings.checkpoints) as plain:
            saver = SealedSaver(plain.conn, Seals.of(services.signing_key))
            async with plain.conn.execute(_IDS, (run_id,)) as rows:
                ids = [str(row[0]) for row in await rows.fetchall()]
            for one in ids:
                values = await _values(saver, run_id, one)
                initial = initial or values.get(_INPUT, {})
                if values.get("trail"):
                    by_place[len(values["trail"])] = state_values(values)
    except sqlite3.Error as error:
        raise storage_error(str(settings.checkpoints), error) from error
    return initial, tuple(by_place[place] for place in sorted(by_place))


def state_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the state alone, without what the graph library keeps beside them."""
    return {name: value for name, value in values.items() if name in _NAMES}


async def _values(saver: SealedSaver, run_id: str, checkpoint_id: str) -> dict[str, Any]:
    asked: Any = {"configurable": {"thread_id": run_id, "checkpoint_ns": "", "checkpoint_id": checkpoint_id}}
    found = await saver.aget_tuple(asked)
    return {} if found is None else dict(found.checkpoint["channel_values"])
