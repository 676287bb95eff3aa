"""Holds every stored release and switch against the events of a verified chain.

Called by the verification of the audit, which shows it each event once that is known to be sound.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.chain import EventRow
from casewright.contracts.release import ReleaseMove
from casewright.errors import StorageError
from casewright.releases.history import (
    MAKING,
    SWITCHES,
    Standing,
    standing,
    standing_difference,
    switch_difference,
)
from casewright.releases.manifest import read_move
from casewright.storage.release_tables import release_moves, releases

_STANDING = select(
    releases.c.release_id,
    releases.c.tenant,
    releases.c.subject,
    releases.c.state,
    releases.c.confirmed_by,
    releases.c.override_why.label("why"),
).order_by(releases.c.release_id)


class ReleaseCheck:
    """What the events of one chain tell of releases."""

    def __init__(self) -> None:
        self._switches: list[EventRow] = []
        self._told: dict[str, Standing | None] = {}

    def see(self, event: EventRow, body: Mapping[str, Any]) -> None:
        """Take in the next sound event, of whatever kind."""
        if event.kind in SWITCHES.values():
            self._switches.append(event)
        elif event.kind in MAKING:
            name = str(body.get("release"))
            self._told[name] = standing(self._told.get(name), event, body)

    async def problem(self, connection: AsyncConnection) -> str:
        """The first stored switch or release that is not what the events tell of it; empty: all of them are."""
        rows = (await connection.execute(select(release_moves).order_by(release_moves.c.seq))).all()
        for row, event in zip(rows, self._switches, strict=False):
            if differs := _differs(row, event):
                return f"{differs} of the switch {row.seq} between releases is not what event {event.seq} tells"
        if len(rows) != len(self._switches):
            return f"{len(rows)} switches between releases are stored, but events tell of {len(self._switches)}"
        return await self._wrong_standing(connection)

    async def _wrong_standing(self, connection: AsyncConnection) -> str:
        missing = set(self._told)
        for row in (await connection.execute(_STANDING)).mappings():
            values = dict(row)
            name = values.pop("release_id")
            missing.discard(name)
            if differs := standing_difference(Standing(**values), self._told.get(name)):
                return f"{differs} of the release {name!r} is not what its events tell"
        return f"the release {min(missing)!r}, which events tell of, is missing" if missing else ""


def _differs(row: Row[Any], event: EventRow) -> str:
    try:
        move = read_move({name: getattr(row, name) for name in ReleaseMove.model_fields})
    except StorageError:
        return "a value"
    return switch_difference(move, event) or ("" if row.tenant == event.tenant else "the organisation")
