"""Rows of the ledger as approvals, and back. A row that was changed by hand is not read."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.binding import call_digest, call_text
from casewright.approvals.schedule import NOTHING_TOLD, due_ns
from casewright.audit.entry import AuditEntry
from casewright.canonical import canonical_json
from casewright.contracts.approval import ActionCall, Approval, ApprovalRule, Vote
from casewright.contracts.event import EventKind
from casewright.errors import InputError, StorageError
from casewright.storage.tables import approval_votes

OPEN_STATES = ("pending", "approved")


def row_values(approval: Approval) -> dict[str, Any]:
    """The columns of a new approval."""
    return {
        "approval_id": approval.approval_id,
        "tenant": approval.call.tenant,
        "case_id": approval.call.case_id,
        "run_id": approval.run_id,
        "digest": approval.digest,
        "call": call_text(approval.call),
        "rule": canonical_json(approval.rule.model_dump(mode="json")).decode(),
        "state": approval.state,
        "requested_by": approval.requested_by,
        "requested_agent": approval.requested_agent,
        "created_ns": approval.created_ns,
        "expires_ns": approval.expires_ns,
        "consumed_ns": None,
        "assignee": approval.assignee,
        "escalated_ns": approval.escalated_ns,
        "due_ns": due_ns(approval, NOTHING_TOLD),
    }


def approval_entry(kind: EventKind, approval: Approval, subject: str, body: Mapping[str, Any]) -> AuditEntry:
    """What the audit is told of a change of an approval; `subject` is empty where time made it."""
    return AuditEntry(
        kind=kind,
        tenant=approval.call.tenant,
        subject=subject,
        run_id=approval.run_id,
        case_id=approval.call.case_id,
        body={"approval_id": approval.approval_id, "digest": approval.digest, **body},
    )


async def read_approvals(connection: AsyncConnection, query: Select[Any], now_ns: int) -> tuple[Approval, ...]:
    """The approvals that `query` selects; past their time they are shown as expired.

    Raises:
        StorageError: a row does not fit its digest.
    """
    rows = (await connection.execute(query)).all()
    votes = await _votes(connection, [row.approval_id for row in rows])
    return tuple(_approval(row, votes.get(row.approval_id, ()), now_ns) for row in rows)


async def _votes(connection: AsyncConnection, ids: list[str]) -> dict[str, tuple[Vote, ...]]:
    if not ids:
        return {}
    query = select(approval_votes).where(approval_votes.c.approval_id.in_(ids))
    rows = await connection.execute(query.order_by(approval_votes.c.at_ns, approval_votes.c.voter))
    found: dict[str, tuple[Vote, ...]] = {}
    for row in rows:
        try:
            vote = Vote(voter=row.voter, approve=row.approve, note=row.note, at_ns=row.at_ns)
        except ValidationError as error:
            raise _changed(row.approval_id) from error
        found[row.approval_id] = (*found.get(row.approval_id, ()), vote)
    return found


def _approval(row: Row[Any], votes: tuple[Vote, ...], now_ns: int) -> Approval:
    try:
        call = ActionCall.model_validate_json(row.call)
        expired = row.state in OPEN_STATES and row.expires_ns <= now_ns
        approval = Approval(
            approval_id=row.approval_id,
            call=call,
            digest=row.digest,
            rule=ApprovalRule.model_validate_json(row.rule),
            state="expired" if expired else row.state,
            requested_by=row.requested_by,
            requested_agent=row.requested_agent,
            run_id=row.run_id,
            created_ns=row.created_ns,
            expires_ns=row.expires_ns,
            votes=votes,
            assignee=row.assignee,
            escalated_ns=row.escalated_ns,
        )
        if call_digest(call) == row.digest and (call.tenant, call.case_id) == (row.tenant, row.case_id):
            return approval
    except (ValidationError, InputError) as error:
        raise _changed(row.approval_id) from error
    raise _changed(row.approval_id)


def _changed(approval_id: str) -> StorageError:
    return StorageError(
        f"the approval {approval_id!r} was changed outside of the ledger; it is not used. "
        "Run `casewright audit verify` and restore the database from a backup"
    )
