"""Holds every stored approval and vote against the events of a verified chain.

Called by the verification of the audit, which shows it each event once that is known to be sound.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.history import KINDS, History, difference
from casewright.approvals.records import read_approvals
from casewright.audit.chain import EventRow
from casewright.errors import StorageError
from casewright.storage.tables import approval_votes, approvals

_PAGE = 500


class ApprovalCheck:
    """What the events of one chain tell of approvals."""

    def __init__(self) -> None:
        self._told: dict[str, History] = {}

    def see(self, event: EventRow, body: Mapping[str, Any]) -> None:
        """Take in the next sound event, of whatever kind."""
        if event.kind in KINDS:
            self._told.setdefault(str(body.get("approval_id")), History()).add(event, body)

    async def problem(self, connection: AsyncConnection) -> str:
        """The first stored approval that is not what the events tell of it; empty: all of them are."""
        missing, votes, after = set(self._told), 0, ""
        while True:
            query = select(approvals).where(approvals.c.approval_id > after).order_by(approvals.c.approval_id)
            try:
                page = await read_approvals(connection, query.limit(_PAGE), 0)
            except StorageError as error:
                return str(error)
            for approval in page:
                if differs := difference(approval, self._told.get(approval.approval_id, History())):
                    return f"{differs} of the approval {approval.approval_id!r} is not what its events tell"
            missing -= {approval.approval_id for approval in page}
            votes += sum(len(approval.votes) for approval in page)
            if len(page) < _PAGE:
                return await _stray(connection, missing, votes)
            after = page[-1].approval_id


async def _stray(connection: AsyncConnection, missing: set[str], votes: int) -> str:
    """Events without their approval, votes without theirs."""
    if missing:
        return f"the approval {min(missing)!r}, which events tell of, is missing"
    stored = await connection.scalar(select(func.count()).select_from(approval_votes))
    return "" if stored == votes else f"{stored} votes are stored, {votes} of them for approvals that exist"
