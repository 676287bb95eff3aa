"""Which runs can go on: one query over rows that others have committed, so there is no wake-up to lose.

A run is listed as long as something can be done for it, whoever may be doing it just now: the lease
decides who gets it (`graphs.lease`). Called by the worker's look.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from casewright.cases.tables import cases
from casewright.clock import NANOSECONDS
from casewright.storage.database import Database
from casewright.storage.run_tables import run_questions, runs
from casewright.storage.tables import approvals
from graphs.attempts import PAUSES_SECONDS
from graphs.inquiries import KIND as QUESTION
from graphs.records import ENDED
from graphs.requests import KIND


@dataclass(frozen=True, kw_only=True)
class DueRun:
    """A run that can go on."""

    run_id: str
    tenant: str
    kind: str
    """A review, or a question about the rules."""


async def due_runs(database: Database, now_ns: int, *, limit: int, without: Collection[str] = ()) -> tuple[DueRun, ...]:
    """Runs that can go on now, those first that have stood longest.

    Args:
        without: ids of runs that are being worked on, as far as the caller knows.
    """
    query = (
        select(runs.c.run_id, runs.c.tenant, runs.c.kind)
        .where(runs.c.run_id.not_in(without), or_(_review_can_go_on(now_ns), _question_can_go_on(now_ns)))
        .order_by(runs.c.updated_ns, runs.c.run_id)
        .limit(limit)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(DueRun(run_id=row.run_id, tenant=row.tenant, kind=row.kind) for row in rows)


async def is_due(database: Database, now_ns: int, run_id: str) -> bool:
    """Whether something can be done for this run now."""
    query = select(runs.c.run_id).where(runs.c.run_id == run_id)
    async with database.read() as connection:
        found = await connection.execute(query.where(or_(_review_can_go_on(now_ns), _question_can_go_on(now_ns))))
        return found.first() is not None


def _question_can_go_on(now_ns: int) -> ColumnElement[bool]:
    """One that was queued; `casewright ask` answers its own and queues nothing."""
    return and_(runs.c.kind == QUESTION, runs.c.status == "queued", _pause_over(now_ns))


def _review_can_go_on(now_ns: int) -> ColumnElement[bool]:
    status = runs.c.status
    asked = and_(runs.c.wanted != "", status.not_in(ENDED))
    ready = and_(status.in_(("queued", "running")), _pause_over(now_ns))
    decided = and_(status == "waiting_approval", ~_exists(_undecided(now_ns)))
    answered = and_(status == "waiting_answer", ~_exists(_unanswered()))
    changed = and_(status == "waiting_information", runs.c.waiting_revision != _revision())
    return and_(runs.c.kind == KIND, or_(asked, ready, decided, answered, changed))


def _pause_over(now_ns: int) -> ColumnElement[bool]:
    """After the pause, or when the clock was set back since: no pause is as long as what would be left of it."""
    longest_ns = max(PAUSES_SECONDS) * NANOSECONDS
    return or_(runs.c.not_before_ns <= now_ns, runs.c.not_before_ns > now_ns + longest_ns)


def _undecided(now_ns: int) -> Any:
    """The approval that the run waits for, while people may still vote."""
    return select(approvals.c.approval_id).where(
        approvals.c.approval_id == runs.c.waiting_for,
        approvals.c.state == "pending",
        approvals.c.expires_ns > now_ns,
    )


def _unanswered() -> Any:
    return select(run_questions.c.question_id).where(
        run_questions.c.question_id == runs.c.waiting_for, run_questions.c.state == "open"
    )


def _revision() -> Any:
    """The newest revision of the run's case; 0: there is none."""
    newest = func.coalesce(func.max(cases.c.revision), 0)
    here = and_(cases.c.tenant == runs.c.tenant, cases.c.case_id == runs.c.case_id)
    return select(newest).where(here).correlate(runs).scalar_subquery()


def _exists(query: Any) -> ColumnElement[bool]:
    return query.correlate(runs).exists()
