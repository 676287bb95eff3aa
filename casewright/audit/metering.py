"""Holds the meters of runs against the events of a verified chain: the calls counted, and the taint.

A run whose calls were made before events said what they read is held to its calls, and to what later events say: its
taint may be more than they tell, never less.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Integer, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit import statements
from casewright.audit.chain import EventRow
from casewright.audit.meter import COUNTED, UNTRUSTED
from casewright.storage.tables import run_meters

_Run = tuple[str, str]
"""Tenant and run."""


class MeterCheck:
    """What the events of one chain tell of runs."""

    def __init__(self) -> None:
        self._carried: dict[str, int] = {}
        """The calls that each fork began with: those of the run that it was forked from."""
        self._tainted: set[_Run] = set()
        self._older: set[_Run] = set()
        """Runs with an event that does not say whether it tainted them."""

    def see(self, event: EventRow, body: Mapping[str, Any]) -> None:
        """Take in the next sound event, of whatever kind."""
        run, says = (event.tenant, event.run_id), body.get(UNTRUSTED)
        if event.kind == "run.forked":
            self._carried[event.run_id] = int(body.get("calls", 0))
        if says is True:
            self._tainted.add(run)
        elif says is None and event.run_id and event.kind in (*COUNTED, "run.forked"):
            self._older.add(run)

    async def problem(self, connection: AsyncConnection) -> str:
        """The first meter that is not what the events tell, so that a budget or rule of trust would not hold."""
        return await self._wrong_calls(connection) or await self._wrong_taint(connection)

    async def _wrong_calls(self, connection: AsyncConnection) -> str:
        wrong = {row.run_id: row for row in (await connection.execute(statements.WRONG_METER)).all()}
        for run_id in sorted({*wrong, *self._carried}):
            beyond = wrong[run_id].metered - wrong[run_id].made if run_id in wrong else 0
            if beyond != self._carried.get(run_id, 0):
                return (
                    f"the meter of run {run_id!r} counts {beyond:+} calls beside those it made, but it began with "
                    f"{self._carried.get(run_id, 0)}: it was changed"
                )
        return ""

    async def _wrong_taint(self, connection: AsyncConnection) -> str:
        raw = type_coerce(run_meters.c.untrusted, Integer)  # as it is stored: any number would read as true
        missing = set(self._tainted)
        for tenant, run_id, stored in await connection.execute(select(run_meters.c.tenant, run_meters.c.run_id, raw)):
            run = (tenant, run_id)
            missing.discard(run)
            tainted = run in self._tainted
            if stored not in (0, 1) or (stored != tainted and (tainted or run not in self._older)):
                told = "has" if tainted else "has not"
                return f"run {run_id!r} {told} read untrusted text, but its meter says otherwise: it was changed"
        return f"the meter of run {min(missing)[1]!r}, which has read untrusted text, is missing" if missing else ""
