"""Does what time demands of approvals: reminders, reassignment, escalation, expiry.

Workers call `run_due` again and again, and whoever handles approvals calls it before they look. Each step is
one transaction with its notice and its audit event; the unique key of the notices lets none happen
twice, whoever looks and however the clock moves. After a long stop the steps are done in the order
of their times, and of the reminders that were missed only the newest is sent.
"""

import logging
from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.assignment import Assignments, next_eligible
from casewright.approvals.notices import add_notices, new_notice, set_due, to_person, to_roles, told
from casewright.approvals.people import known_people
from casewright.approvals.records import OPEN_STATES, approval_entry, read_approvals
from casewright.approvals.schedule import Step, due_step
from casewright.clock import NANOSECONDS
from casewright.contracts.approval import Approval
from casewright.contracts.event import EventKind
from casewright.errors import StorageError
from casewright.services import Services
from casewright.storage.tables import approvals

_LOGGER = logging.getLogger(__name__)
_BATCH = 1_000
_PAUSE_SECONDS = 3_600
"""Until an approval that cannot be read is looked at again."""


async def run_due(services: Services) -> int:
    """Do every step that is due now, earliest approval first; how many there were.

    An approval that cannot be read is logged and does not hold up the others.

    Raises:
        UnavailableError: the database is in use for too long; call again.
        StorageError: the database cannot be written.
    """
    query = select(approvals.c.approval_id).where(
        approvals.c.state.in_(OPEN_STATES), approvals.c.due_ns <= services.clock.now_ns()
    )
    async with services.database.read() as connection:
        rows = await connection.execute(query.order_by(approvals.c.due_ns, approvals.c.approval_id).limit(_BATCH))
        due = rows.scalars().all()
    timers = _Timers(services)
    return sum([await timers.bring_up_to_date(approval_id) for approval_id in due])


class _Timers:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._assignments = Assignments(services.audit, services.clock)

    async def bring_up_to_date(self, approval_id: str) -> int:
        """Every step of one approval that is due; their number."""
        done = 0
        while await self._step(approval_id):
            done += 1
        return done

    async def _step(self, approval_id: str) -> bool:
        """One step in one transaction; False: nothing is due any more."""
        query = select(approvals).where(approvals.c.approval_id == approval_id, approvals.c.state.in_(OPEN_STATES))
        now_ns = self._services.clock.now_ns()
        async with self._services.database.write() as connection:
            try:
                found = await read_approvals(connection, query.with_for_update(), now_ns)
            except StorageError:
                _LOGGER.exception("the approval %r is left alone", approval_id)
                await _look_again(connection, approval_id, now_ns + _PAUSE_SECONDS * NANOSECONDS)
                return False
            if not found:
                return False
            step = due_step(found[0], await told(connection, approval_id), now_ns)
            if step is None:
                await set_due(connection, found[0])
                return False
            await self._do(connection, found[0], step)
            return True

    async def _do(self, connection: AsyncConnection, approval: Approval, step: Step) -> None:
        match step.kind:
            case "expire":
                await self._services.approvals.expire(approval.approval_id, connection=connection)
            case "reminder":
                await self._remind(connection, approval, step)
            case "reassign":
                await self._reassign(connection, approval, step)
            case "escalate":
                await self._escalate(connection, approval, step)

    async def _remind(self, connection: AsyncConnection, approval: Approval, step: Step) -> None:
        at_ns = self._services.clock.now_ns()
        wanted = approval.rule.schedule.reminders[step.number - 1].to
        to_assignee = wanted == "assignee" and approval.assignee
        recipients = (to_person(approval.assignee),) if to_assignee else to_roles(approval.voting_roles)
        notices = [
            new_notice(approval, "reminder", recipient, number=number, due_ns=step.due_ns, at_ns=at_ns).model_copy(
                update={"skipped": number != step.number}
            )
            for number in (*step.skipped, step.number)
            for recipient in recipients
        ]
        await add_notices(connection, notices)
        body = {"number": step.number, "recipients": list(recipients), "skipped": list(step.skipped)}
        await self._record(connection, "approval.notified", approval, body)

    async def _reassign(self, connection: AsyncConnection, approval: Approval, step: Step) -> None:
        services = self._services
        attributes = await services.cases.attributes(approval.call.tenant, approval.call.case_id)
        conflicts = attributes.conflicts if attributes else ()
        before = await told(connection, approval.approval_id)
        assignee = next_eligible(approval, before, known_people(services), conflicts)
        await self._assignments.hand_over(connection, approval, assignee, by="", due_ns=step.due_ns)

    async def _escalate(self, connection: AsyncConnection, approval: Approval, step: Step) -> None:
        at_ns = self._services.clock.now_ns()
        roles = approval.rule.schedule.escalate_to
        notices = [
            new_notice(approval, "escalated", recipient, due_ns=step.due_ns, at_ns=at_ns)
            for recipient in to_roles(roles)
        ]
        await add_notices(connection, notices)
        query = update(approvals).where(approvals.c.approval_id == approval.approval_id)
        await connection.execute(query.values(escalated_ns=at_ns))
        await self._record(connection, "approval.escalated", approval, {"roles": list(roles)})

    async def _record(
        self, connection: AsyncConnection, kind: EventKind, approval: Approval, body: Mapping[str, object]
    ) -> None:
        await self._services.audit.append(approval_entry(kind, approval, "", body), connection=connection)


async def _look_again(connection: AsyncConnection, approval_id: str, at_ns: int) -> None:
    query = update(approvals).where(approvals.c.approval_id == approval_id)
    await connection.execute(query.values(due_ns=at_ns))
