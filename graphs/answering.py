"""Answers the questions that people queued (`graphs.inquiries`): one search, one model call, quotes verified.

While the model writes, verified sentences are told as events of the run (`graphs.sentences`); the event `answered` is
the answer. No graph: a question that was cut off is asked again from its beginning, which repeats nothing but reads.
It acts with the person's own token at the policy search, and only one process works on a question, under the lease of
its run.
"""

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from agents.answerer import Answer, Asked, answer
from agents.toolbox import ToolBudget, open_toolbox
from casewright.audit.beside import Beside, written
from casewright.audit.entry import AuditEntry
from casewright.contracts.principal import Actor
from casewright.errors import BudgetError, DeniedError, NotFoundError
from casewright.identity.tokens import DELEGATED_SECONDS
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.replay.made_call import MadeCall
from casewright.replay.recording import StepOfRun, ToolRecorder
from casewright.services import Services
from graphs.attempts import after_failure
from graphs.budget import whole_allowance
from graphs.connections import Connector
from graphs.inquiries import KIND, Inquiry, inquiry_of
from graphs.lease import leased
from graphs.records import ENDED, RunChange, RunRecords, RunRow
from graphs.sentences import ASKED_AGAIN, NOT_ANSWERED, SentenceEvents

CALLS = 100
_OVER = (*ENDED, "failed")
_log = logging.getLogger("casewright.graphs")


class QuestionDriver:
    """Answers questions in this process."""

    def __init__(self, services: Services, records: RunRecords, gateway: Gateway, connector: Connector) -> None:
        self._services = services
        self._records = records
        self._gateway = gateway
        self._connector = connector

    async def resume(self, tenant: str, run_id: str) -> RunChange:
        """Answer a question that is queued; one that was answered already is left as it is.

        A failed attempt is noted and tried again later, a few times.

        Raises:
            NotFoundError: the tenant has no such question.
            ConflictError: another process is working on it.
        """
        settings = self._services.settings
        async with leased(settings.checkpoints, settings.home / "locks", run_id, self._services.clock):
            row = await self._records.get(tenant, run_id)
            if row.kind != KIND:
                raise NotFoundError(f"run {run_id!r} is no question but a {row.kind!r} run")
            if row.status in _OVER:
                return RunChange(status=row.status)
            try:
                release = self._services.release.current().release_id
                found = await self._answered(row)
            except Exception as error:  # noqa: BLE001 -- the boundary of one question: noted, and tried again
                return await self._failed(row, error)
            return await self._settled(row, release, *found)

    async def _answered(self, row: RunRow) -> tuple[Inquiry, Answer, Sequence[MadeCall]]:
        inquiry, _ = await inquiry_of(self._records, row.run_id)
        person = self._services.standings.find(row.subject)
        actor = Actor(kind="user", run_id=row.run_id)
        made = self._services.exchange.personal(person, actor, "policy-search", seconds=DELEGATED_SECONDS)
        allowance = whole_allowance(self._services.settings.budgets)
        context = CallContext(run_id=row.run_id, case_id="", tenant=row.tenant, agent="answerer", allowance=allowance)
        server = self._connector("policy-search", made.token)
        budget = ToolBudget(limit=CALLS, spent=0)
        async with open_toolbox(server, budget) as tools:
            outlet = self._outlet(row)
            async with self._services.database.write() as connection:
                await outlet.withdraw_standing(ASKED_AGAIN, connection=connection)
            asked = Asked(question=inquiry.question, as_of=inquiry.as_of, outlet=outlet)
            found = await answer(tools, self._gateway, context, asked)
        return inquiry, found, budget.made

    def _outlet(self, row: RunRow) -> SentenceEvents:
        return SentenceEvents(self._services.database, self._records, tenant=row.tenant, run_id=row.run_id)

    async def _settled(
        self, row: RunRow, release: str, inquiry: Inquiry, found: Answer, calls: Sequence[MadeCall]
    ) -> RunChange:
        document = answer_document(found, row.run_id, inquiry.as_of, release=release)
        change = RunChange(status="completed", because=found.reason if found.abstained else "")
        async with self._services.database.write() as connection:
            if ended := await self._ended(row, connection):
                return ended
            said = {**document, "question": inquiry.question}
            await self._records.note(row.run_id, "answered", said, connection=connection)
            await written(self._kept(row, calls), connection)
            await self._records.change(row.run_id, change, connection=connection)
            await self._services.audit.append(_ended(row, change), connection=connection)
        return change

    def _kept(self, row: RunRow, calls: Sequence[MadeCall]) -> Sequence[Beside]:
        recorder = ToolRecorder(self._services.contents, self._services.clock)
        return recorder.rows(question_step(row.tenant, row.run_id), calls)

    async def _failed(self, row: RunRow, error: Exception) -> RunChange:
        change = after_failure(row, error, progressed=False, now_ns=self._services.clock.now_ns())
        if isinstance(error, DeniedError | NotFoundError):  # no other attempt mends that
            change = RunChange(status="failed", because="it is not permitted now; the reason is in the audit")
        elif isinstance(error, BudgetError):
            change = RunChange(status="incomplete", because=str(error))
        _log.warning("question %r was not answered: %s", row.run_id, change.because, exc_info=error)
        async with self._services.database.write() as connection:
            if ended := await self._ended(row, connection):
                return ended
            await self._outlet(row).withdraw_standing(NOT_ANSWERED, connection=connection)
            await self._records.change(row.run_id, change, connection=connection)
            if change.status in _OVER:
                await self._services.audit.append(_ended(row, change), connection=connection)
        return change

    async def _ended(self, row: RunRow, connection: AsyncConnection) -> RunChange | None:
        """How the question ended meanwhile: the lease fences checkpoints, and a question has none."""
        now = await self._records.get(row.tenant, row.run_id, connection=connection)
        return RunChange(status=now.status) if now.status in _OVER else None


def question_step(tenant: str, run_id: str) -> StepOfRun:
    """The one step that a question is."""
    return StepOfRun(tenant=tenant, run_id=run_id, number=0, node="answerer")


def answer_document(found: Answer, run_id: str, as_of: str, *, release: str) -> dict[str, Any]:
    """An answer as it is kept and shown.

    Args:
        release: the release that answered; empty: none is in force.
    """
    record = found.record
    return {
        "answer": found.text,
        "abstained": found.abstained,
        "reason": found.reason,
        "as_of": as_of,
        "citations": [citation.model_dump(mode="json") for citation in found.citations],
        "index_version": found.index_version,
        "model": record.model,
        "release": release,
        "run_id": run_id,
        "usage": {
            "input_tokens": record.input_tokens,
            "output_tokens": record.output_tokens,
            "duration_ms": record.duration_ms,
        },
    }


def _ended(row: RunRow, change: RunChange) -> AuditEntry:
    return AuditEntry(
        kind="run.ended",
        tenant=row.tenant,
        subject=row.subject,
        run_id=row.run_id,
        body={"status": change.status, "because": change.because},
    )
