"""Who is expected to vote on an approval: said by a person, or passed on when they did not in time.

An assignment neither gives nor takes a vote: whoever holds a voting role may still decide, and
quorum and distinct people stay. So it can be passed on without anybody's agreement.
"""

from collections.abc import Iterable

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.notices import add_notices, new_notice, set_due, to_person, to_roles, told
from casewright.approvals.records import approval_entry
from casewright.approvals.schedule import Told
from casewright.approvals.voting import voter_refusal
from casewright.audit.log import AuditLog
from casewright.clock import Clock
from casewright.contracts.approval import Approval
from casewright.contracts.principal import Principal
from casewright.storage.tables import approvals


def next_eligible(approval: Approval, told: Told, people: Iterable[Principal], conflicts: Iterable[str]) -> str:
    """The next person after the assignee, by id, who could vote and was not asked before; empty: nobody is left.

    `people` may be of any tenant; `conflicts` are those whom the case names as not to decide it.
    """
    barred = {*told.earlier, *conflicts, approval.assignee}
    able = sorted(
        person.id
        for person in people
        if person.tenant == approval.call.tenant and person.id not in barred and voter_refusal(approval, person) is None
    )
    later = [identity for identity in able if identity > approval.assignee]
    return next(iter(later or able), "")


class Assignments:
    """Writes assignments, within a transaction of the caller."""

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock

    async def hand_over(
        self, connection: AsyncConnection, approval: Approval, assignee: str, *, by: str, due_ns: int = 0
    ) -> Approval:
        """Assign to `assignee`, or back to the roles if it is empty; they are told, and the audit says from whom.

        `by` is empty where time did it, at `due_ns`; 0: a person did it now.
        """
        now_ns = self._clock.now_ns()
        number = (await told(connection, approval.approval_id)).assignments + 1
        recipients = (to_person(assignee),) if assignee else to_roles(approval.voting_roles)
        await add_notices(
            connection,
            [
                new_notice(approval, "assigned", recipient, number=number, due_ns=due_ns or now_ns, at_ns=now_ns)
                for recipient in recipients
            ],
        )
        query = update(approvals).where(approvals.c.approval_id == approval.approval_id)
        await connection.execute(query.values(assignee=assignee))
        assigned = approval.model_copy(update={"assignee": assignee})
        await set_due(connection, assigned)
        body = {"from": approval.assignee, "to": assignee, "number": number}
        await self._audit.append(approval_entry("approval.reassigned", assigned, by, body), connection=connection)
        return assigned
