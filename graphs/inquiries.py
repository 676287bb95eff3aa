"""Questions about the rules as runs: begun as a queued row, answered by a worker, read from the run's events.

Nothing is answered here (see `graphs.answering`), so the API may use it without any model. Permission is asked by the
caller before.
"""

from dataclasses import dataclass
from typing import Any

from casewright.audit.entry import AuditEntry
from casewright.contracts.principal import Principal
from casewright.errors import StorageError
from casewright.services import Services
from graphs.records import NewRun, RunRecords, RunRow

KIND = "ask"


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """What somebody wants to know about the rules."""

    question: str
    as_of: str
    """The day whose rules apply, YYYY-MM-DD."""


class Inquiries:
    """Begins the questions of a tenant's people."""

    def __init__(self, services: Services, records: RunRecords) -> None:
        self._services = services
        self._records = records

    async def begin(self, principal: Principal, inquiry: Inquiry, *, run_id: str) -> RunRow:
        """Queue a question with its audit event; a run of this id that is there already is given again."""
        async with self._services.database.write() as connection:
            if await self._records.known(principal.tenant, run_id, connection=connection) is None:
                new = NewRun(run_id=run_id, case_id="", kind=KIND, status="queued")
                await self._records.add(new, principal, connection=connection)
                asked: dict[str, object] = {"question": inquiry.question, "as_of": inquiry.as_of}
                await self._records.note(run_id, "asked", asked, connection=connection)
                entry = AuditEntry(
                    kind="run.started", tenant=principal.tenant, subject=principal.id, run_id=run_id, body={}
                )
                await self._services.audit.append(entry, connection=connection)
            return await self._records.get(principal.tenant, run_id, connection=connection)


async def inquiry_of(records: RunRecords, run_id: str) -> tuple[Inquiry, dict[str, Any] | None]:
    """What was asked in a run, and its answer if it has one.

    Raises:
        StorageError: nothing was asked in it.
    """
    asked = await records.events(run_id, kind="asked", limit=1)
    answered = await records.events(run_id, kind="answered", limit=1)
    known = asked or answered  # a question of the command line in earlier versions has the answer alone
    if not known:
        raise StorageError(f"run {run_id!r} does not say what was asked; ask again")
    body = known[0].body
    return Inquiry(question=body["question"], as_of=body["as_of"]), answered[0].body if answered else None
