"""Notices: what people were told of an approval, each once, and by that what was done already.

Written only within a transaction that also holds the audit event. A notice names the approval and
its case and nothing else; who reads it is shown only what they may read (`servers.approving`).
"""

import json
import secrets
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.schedule import Told, due_ns
from casewright.canonical import canonical_json
from casewright.contracts.approval import Approval, Notice, NoticeKind
from casewright.contracts.principal import Principal
from casewright.storage.run_tables import notices
from casewright.storage.tables import approvals

MAX_NOTICES = 500
"""The newest that one person is shown."""


def to_person(identity: str) -> str:
    """The recipient of a notice to one person."""
    return f"person:{identity}"


def to_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """The recipients of a notice to everybody of some roles."""
    return tuple(f"role:{role}" for role in roles)


def new_notice(
    approval: Approval, kind: NoticeKind, recipient: str, *, number: int = 1, due_ns: int, at_ns: int
) -> Notice:
    """A notice that is being sent."""
    return Notice(
        notice_id=f"ntc-{secrets.token_hex(8)}",
        tenant=approval.call.tenant,
        approval_id=approval.approval_id,
        kind=kind,
        number=number,
        recipient=recipient,
        due_ns=due_ns,
        at_ns=at_ns,
        case_id=approval.call.case_id,
    )


async def add_notices(connection: AsyncConnection, found: Iterable[Notice]) -> None:
    """Write them; the same kind, number and recipient of an approval a second time is an error of the database."""
    rows = [_row_values(notice) for notice in found]
    if rows:
        await connection.execute(insert(notices), rows)


async def told(connection: AsyncConnection, approval_id: str) -> Told:
    """What was done on an approval, by its notices."""
    query = select(notices.c.kind, notices.c.number, notices.c.recipient, notices.c.at_ns)
    query = query.where(notices.c.approval_id == approval_id).order_by(notices.c.number)
    rows = (await connection.execute(query)).all()
    assigned = [row for row in rows if row.kind == "assigned"]
    return Told(
        reminders=max((row.number for row in rows if row.kind == "reminder"), default=0),
        assignments=max((row.number for row in assigned), default=0),
        assigned_ns=assigned[-1].at_ns if assigned else 0,
        earlier=tuple(row.recipient.removeprefix("person:") for row in assigned if row.recipient.startswith("person:")),
    )


async def set_due(connection: AsyncConnection, approval: Approval) -> None:
    """Write down when an open approval is to be looked at again."""
    when = due_ns(approval, await told(connection, approval.approval_id))
    await connection.execute(
        update(approvals).where(approvals.c.approval_id == approval.approval_id).values(due_ns=when)
    )


async def notices_of(connection: AsyncConnection, person: Principal) -> tuple[Notice, ...]:
    """What a person or the people of their roles were told, newest first; skipped ones were not told."""
    recipients = (to_person(person.id), *to_roles(person.roles))
    query = select(notices).where(notices.c.tenant == person.tenant, notices.c.recipient.in_(recipients))
    query = query.order_by(notices.c.at_ns.desc(), notices.c.notice_id).limit(MAX_NOTICES)
    found = tuple(_notice(row) for row in await connection.execute(query))
    return tuple(notice for notice in found if not notice.skipped)


def _row_values(notice: Notice) -> dict[str, Any]:
    values = notice.model_dump(exclude={"case_id", "skipped"})
    body = {"case_id": notice.case_id, "skipped": notice.skipped}
    return values | {"body": canonical_json(body).decode()}


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        notice_id=row.notice_id,
        tenant=row.tenant,
        approval_id=row.approval_id,
        kind=row.kind,
        number=row.number,
        recipient=row.recipient,
        due_ns=row.due_ns,
        at_ns=row.at_ns,
        **json.loads(row.body),
    )
