"""What a run begins with, and whether present code may go on with what another wrote.

A new run is pinned to the versions in force; a fork begins with what it may keep of its parent. Called by whoever
wakes a run (`graphs.wakeup`), which holds its lease.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from casewright.services import Services
from graphs.budget import reconciled
from graphs.forking import forked_state
from graphs.records import RunRecords, RunRow
from graphs.spending import RecordedSpending
from graphs.state import ReviewState, ReviewUpdate
from graphs.versions import Pins, admitted, changes, pins_under, state_version

if TYPE_CHECKING:
    from graphs.review import ReviewGraph


class Beginnings:
    """Reads and notes versions and parents of runs."""

    def __init__(self, services: Services, records: RunRecords) -> None:
        self._services = services
        self._records = records

    async def state(self, graph: "ReviewGraph", row: RunRow) -> ReviewState:
        """The state of a run that has taken no step; it is pinned if it was not yet."""
        if not row.pins:
            begun = self._services.release.begun_with(row.tenant, row.case_id)
            await self._records.pin(row.run_id, pins_under(self._services, begun).model_dump(mode="json"))
        return {**await self._of_parent(graph, row), **blank(row)} if row.parent else blank(row)

    async def admitted(self, row: RunRow, values: Mapping[str, Any]) -> ReviewUpdate:
        """What to change in the stored state before the run goes on; migrations and changed versions are noted.

        Raises:
            VersionRefusedError: code of another version wrote it.
        """
        update = admitted(row.run_id, row.pins, values)
        if update:
            body: dict[str, object] = {"from": state_version(values), "to": update.get("state_version")}
            await self._records.step(row.run_id, "migrated", body)
        release = self._services.release.of_run(row.run_id)
        await self._note_changes(row, pins_under(self._services, release))
        return update

    async def _of_parent(self, graph: "ReviewGraph", row: RunRow) -> ReviewState:
        snapshot = await graph.aget_state({"configurable": {"thread_id": row.parent}})
        if not snapshot.values:  # it took no step
            return blank(row)
        spent = await RecordedSpending(self._services.database).of_run(row.tenant, row.parent)
        values = cast(ReviewState, snapshot.values)
        told = await self._records.events(row.run_id, kind="forked")
        at = str(told[-1].body.get("at", "")) if told else ""
        return forked_state({**values, **reconciled(values, spent)}, at)

    async def _note_changes(self, row: RunRow, now: Pins) -> None:
        """Note what is in force now and was not at the beginning; the same is noted once."""
        body: dict[str, object] = dict(changes(row.pins, now))
        noted = await self._records.events(row.run_id, kind="versions")
        if body != (noted[-1].body if noted else {}):
            await self._records.step(row.run_id, "versions", body)


def blank(row: RunRow) -> ReviewState:
    """Whom a run is for, and nothing else."""
    return ReviewState(run_id=row.run_id, case_id=row.case_id, tenant=row.tenant, subject=row.subject)
