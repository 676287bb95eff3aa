"""Which clauses a run has retrieved: only these may be quoted in its drafts."""

from collections.abc import Sequence

from sqlalchemy import insert, select

from casewright.clock import Clock
from casewright.errors import InputError
from casewright.storage.database import Database
from casewright.storage.tables import retrievals


class Retrievals:
    """The retrieved set of each run, by tenant."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(self, tenant: str, run_id: str, clauses: Sequence[tuple[str, str]], index_version: str) -> None:
        """Add `(clause_id, sha256)` pairs; a clause seen before keeps its first record.

        Raises:
            InputError: the tenant or the run is empty, so nothing could be bound to it.
        """
        if not tenant or not run_id:
            raise InputError(f"retrievals of tenant {tenant!r} and run {run_id!r} belong to nobody; name both")
        found = dict(clauses)
        if not found:
            return
        async with self._database.write() as connection:
            query = select(retrievals.c.clause_id).where(retrievals.c.tenant == tenant, retrievals.c.run_id == run_id)
            known = set((await connection.execute(query)).scalars())
            now_ns = self._clock.now_ns()
            rows = [
                {
                    "tenant": tenant,
                    "run_id": run_id,
                    "clause_id": clause_id,
                    "sha256": sha256,
                    "index_version": index_version,
                    "at_ns": now_ns,
                }
                for clause_id, sha256 in found.items()
                if clause_id not in known
            ]
            if rows:
                await connection.execute(insert(retrievals), rows)

    async def of_run(self, tenant: str, run_id: str) -> frozenset[str]:
        """The ids of all clauses the run has retrieved; empty for a run that is not the tenant's."""
        query = select(retrievals.c.clause_id).where(retrievals.c.tenant == tenant, retrievals.c.run_id == run_id)
        async with self._database.read() as connection:
            return frozenset((await connection.execute(query)).scalars())
