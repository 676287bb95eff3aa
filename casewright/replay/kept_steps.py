"""Reads what a run's tools answered, and removes what is old.

What is read is checked against the address that it stands under, and each document against the run and step it is
named for, so that a row which was changed or exchanged is not taken for what was recorded.
"""

import json
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.errors import StorageError
from casewright.models.contents import Contents
from casewright.replay.made_call import MadeCall
from casewright.replay.recording import KeptStep, KeptToolCall
from casewright.storage.database import Database
from casewright.storage.model_tables import model_contents
from casewright.storage.replay_tables import tool_recordings


@dataclass(frozen=True, kw_only=True)
class PlayedStep:
    """What the tools of one step answered."""

    number: int
    node: str
    calls: tuple[MadeCall, ...]
    bytes: int
    """Stored for it, results that others share included."""


@dataclass(frozen=True, kw_only=True)
class LostStep:
    """A step whose recording is not there as it was written."""

    number: int
    problem: str


class KeptSteps:
    """Recordings of one data folder."""

    def __init__(self, database: Database, contents: Contents) -> None:
        self._database = database
        self._contents = contents

    async def of_run(self, tenant: str, run_id: str) -> tuple[PlayedStep | LostStep, ...]:
        """The recorded steps of a run in order; empty: it was run before tools were recorded, or called none.

        Raises:
            StorageError: the database cannot be read.
        """
        rows = tool_recordings.c
        query = select(rows.step, rows.address).where(rows.tenant == tenant, rows.run_id == run_id).order_by(rows.step)
        async with self._database.read_at_length() as connection:
            found = (await connection.execute(query)).all()
            return tuple([await self._step(connection, (tenant, run_id, row.step), row.address) for row in found])

    async def remove_before(self, tenant: str, before_ns: int, *, connection: AsyncConnection) -> int:
        """Remove a tenant's recordings from before an instant; their texts go with those of model calls."""
        older = (tool_recordings.c.tenant == tenant) & (tool_recordings.c.at_ns < before_ns)
        counted = await connection.execute(select(func.count()).select_from(tool_recordings).where(older))
        await connection.execute(delete(tool_recordings).where(older))
        return int(counted.scalar_one())

    async def _step(
        self, connection: AsyncConnection, place: tuple[str, str, int], address: str
    ) -> PlayedStep | LostStep:
        tenant, run_id, number = place
        try:
            texts = await self._texts(connection, tenant, {address})
            document = KeptStep.model_validate(json.loads(texts[address][0]))  # half characters are no JSON of pydantic
            if (document.run_id, document.step) != (run_id, number):
                raise StorageError(f"what stands here is step {document.step} of run {document.run_id!r}")
            wanted = {call.result for call in document.calls if call.result}
            results = await self._texts(connection, tenant, wanted)
        except StorageError as error:
            return LostStep(number=number, problem=str(error))
        except (ValidationError, ValueError):
            return LostStep(number=number, problem="its recording is none that this version can read")
        calls = tuple(_made(call, results) for call in document.calls)
        size = sum(stored for _, stored in (*texts.values(), *results.values()))
        return PlayedStep(number=number, node=document.node, calls=calls, bytes=size)

    async def _texts(self, connection: AsyncConnection, tenant: str, wanted: set[str]) -> dict[str, tuple[str, int]]:
        """By address, each text and how many bytes it takes as it is stored."""
        columns = model_contents.c
        query = select(columns.address, columns.body).where(
            columns.tenant == tenant, columns.address.in_(sorted(wanted))
        )
        bodies = {row.address: _bytes(row.body) for row in await connection.execute(query)}
        if len(bodies) < len(wanted):
            missing = len(wanted) - len(bodies)
            raise StorageError(f"{missing} of its texts are not there; they were pruned or removed")
        return {address: (self._contents.open(tenant, address, body), len(body)) for address, body in bodies.items()}


def _made(call: KeptToolCall, results: dict[str, tuple[str, int]]) -> MadeCall:
    result = json.loads(results[call.result][0]) if call.result else None
    return MadeCall(
        tool=call.tool, arguments=call.arguments, ending=call.ending, result=result, said=call.said, code=call.code
    )


def _bytes(body: object) -> bytes:
    """A body as it is stored; a row that was changed by hand may hold text."""
    return body if isinstance(body, bytes) else str(body).encode()
