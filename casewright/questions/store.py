"""The store of questions that runs ask people; every change is committed together with its audit event.

An answer is one of the question's options and is final: the graph acts on what stands here, never on
the value it is resumed with. It is *not* where permission is asked; commands and routes do that before.
"""

import json
from typing import Any

from sqlalchemy import RowMapping, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.canonical import canonical_json, digest
from casewright.clock import Clock
from casewright.contracts.event import EventKind
from casewright.contracts.principal import Principal
from casewright.contracts.question import RunQuestion
from casewright.errors import ConflictError, InputError, NotFoundError, StorageError
from casewright.storage.database import Database
from casewright.storage.run_tables import run_questions

MAX_OPTIONS = 12


class RunQuestions:
    """Questions of runs, by tenant; each is answered at most once."""

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    async def ask(self, question: RunQuestion, *, connection: AsyncConnection | None = None) -> RunQuestion:
        """Keep an open question, within the caller's write transaction if there is one.

        One with the same id is given back as it is. `created_ns` is set here.

        Raises:
            InputError: it is not open, or it has fewer than two options, too many or two with the same value.
            ConflictError: there is another question with this id.
        """
        _check_askable(question)
        if connection is not None:
            return await self._ask(question, connection)
        async with self._database.write() as own:
            return await self._ask(question, own)

    async def answer(self, tenant: str, run_id: str, question_id: str, value: str, *, by: Principal) -> RunQuestion:
        """Choose one of the options; the same answer again changes nothing.

        Raises:
            NotFoundError: the tenant, which has to be that of the person, has no such question of this run.
            InputError: no option has this value.
            ConflictError: it was withdrawn, or answered with another value.
        """
        async with self._database.write() as connection:
            question = await _found(connection, _by_id(question_id))
            if question is None or tenant != by.tenant or (question.tenant, question.run_id) != (tenant, run_id):
                raise _absent(question_id)
            _check_answer(question, value)
            if question.state == "answered":
                return question
            values = {
                "state": "answered",
                "answer": value,
                "answered_by": by.id,
                "answered_ns": self._clock.now_ns(),
            }
            await connection.execute(
                update(run_questions).where(run_questions.c.question_id == question_id).values(values)
            )
            await self._record("question.answered", question, by.id, {"answer": value}, connection)
        return question.model_copy(update=values)

    async def get(self, tenant: str, question_id: str) -> RunQuestion:
        """One question of the tenant.

        Raises:
            NotFoundError: the tenant has none with this id.
        """
        async with self._database.read() as connection:
            question = await _found(connection, _by_id(question_id).where(run_questions.c.tenant == tenant))
        if question is None:
            raise _absent(question_id)
        return question

    async def of_run(self, tenant: str, run_id: str) -> tuple[RunQuestion, ...]:
        """What a run of the tenant has asked, oldest first."""
        query = (
            select(run_questions)
            .where(run_questions.c.tenant == tenant, run_questions.c.run_id == run_id)
            .order_by(run_questions.c.created_ns, run_questions.c.question_id)
        )
        async with self._database.read() as connection:
            return tuple(_question(row) for row in (await connection.execute(query)).mappings())

    async def withdraw(self, tenant: str, run_id: str, *, connection: AsyncConnection) -> None:
        """Take back what a run has open, within the caller's write transaction; it takes no answer after that.

        For a run that ends: the event of its end says so for its questions too.
        """
        open_now = (
            update(run_questions)
            .where(run_questions.c.tenant == tenant, run_questions.c.run_id == run_id)
            .where(run_questions.c.state == "open")
        )
        await connection.execute(open_now.values(state="withdrawn"))

    async def _ask(self, question: RunQuestion, connection: AsyncConnection) -> RunQuestion:
        known = await _found(connection, _by_id(question.question_id))
        if known is not None:
            if _asked(known) != _asked(question):
                raise ConflictError(f"there is another question {question.question_id!r}; ask under another id")
            return known
        asked = question.model_copy(update={"created_ns": self._clock.now_ns()})
        await connection.execute(insert(run_questions).values(_row_values(asked)))
        body = {"kind": asked.kind, "asked": digest(_asked(asked)), "options": [item.value for item in asked.options]}
        await self._record("question.asked", asked, "", body, connection)
        return asked

    async def _record(
        self, kind: EventKind, question: RunQuestion, subject: str, body: dict[str, Any], connection: AsyncConnection
    ) -> None:
        entry = AuditEntry(
            kind=kind,
            tenant=question.tenant,
            subject=subject,
            run_id=question.run_id,
            case_id=question.case_id,
            body={"question_id": question.question_id, **body},
        )
        await self._audit.append(entry, connection=connection)


def _check_askable(question: RunQuestion) -> None:
    values = [option.value for option in question.options]
    if not 2 <= len(values) <= MAX_OPTIONS or len(set(values)) != len(values) or not all(values):
        raise InputError(
            f"question {question.question_id!r} has the options {values}; give it 2 to {MAX_OPTIONS} different ones"
        )
    if question.state != "open" or question.answer:
        raise InputError(f"question {question.question_id!r} is {question.state}; ask an open one")


def _check_answer(question: RunQuestion, value: str) -> None:
    values = [option.value for option in question.options]
    if value not in values:
        raise InputError(f"{value!r} is no answer to {question.question_id!r}; choose one of {', '.join(values)}")
    if question.state == "withdrawn":
        raise ConflictError(f"question {question.question_id!r} was withdrawn: its run has ended")
    if question.state == "answered" and question.answer != value:
        raise ConflictError(f"question {question.question_id!r} was answered already: {question.answer!r}")


def _asked(question: RunQuestion) -> dict[str, Any]:
    """What was asked, apart from what became of it."""
    changing = {"state", "created_ns", "answer", "answered_by", "answered_ns"}
    return question.model_dump(mode="json", exclude=changing)


def _by_id(question_id: str) -> Select[Any]:
    return select(run_questions).where(run_questions.c.question_id == question_id)


async def _found(connection: AsyncConnection, query: Select[Any]) -> RunQuestion | None:
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else _question(row)


def _question(row: RowMapping) -> RunQuestion:
    try:
        parsed = {"options": json.loads(row["options"]), "detail": json.loads(row["detail"])}
        return RunQuestion.model_validate({**row, **parsed})
    except ValueError as error:
        raise StorageError(
            f"question {row['question_id']!r} cannot be read; restore the database from a backup"
        ) from error


def _row_values(question: RunQuestion) -> dict[str, Any]:
    options = [option.model_dump() for option in question.options]
    return question.model_dump(exclude={"options", "detail"}) | {
        "options": canonical_json(options).decode(),
        "detail": canonical_json(question.detail).decode(),
    }


def _absent(question_id: str) -> NotFoundError:
    return NotFoundError(f"there is no question {question_id!r}; `casewright runs show RUN` says what a run asks")
