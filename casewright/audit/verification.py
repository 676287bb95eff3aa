"""The check of a stored chain: events, decisions, checkpoints, meters, approvals, releases, and the signed head.

It reads page by page in one snapshot, so it works beside running writers. An exported file is
checked by `casewright.audit.export`; a single extension by `casewright.audit.extension`.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.history import KINDS
from casewright.approvals.verification import ApprovalCheck
from casewright.audit import statements
from casewright.audit.chain import AuditVerification, ChainCheck, EventRow, Head
from casewright.audit.meter import UNTRUSTED
from casewright.audit.metering import MeterCheck
from casewright.audit.records import RECORD_DIGEST, record_digest
from casewright.audit.signing import Verifier
from casewright.releases.history import MAKING, SWITCHES
from casewright.releases.verification import ReleaseCheck
from casewright.storage.database import Database
from casewright.storage.tables import audit_checkpoints, audit_events, decisions

_PAGE = 1000
_IDS_PER_QUERY = 500
_TOLD = {*KINDS, *MAKING, *SWITCHES.values(), "run.forked"}
"""Events that other tables are held against whatever their bodies say."""
Progress = Callable[[int], None]


async def verify(
    database: Database,
    verifier: Verifier,
    *,
    expected_head: tuple[int, str] | None = None,
    progress: Progress | None = None,
) -> AuditVerification:
    """Check the whole chain in `database`; see `AuditLog.verify`."""
    async with database.read_at_length() as connection:
        return await _Verification(connection, verifier, expected_head).run(progress)


async def stored_head(connection: AsyncConnection) -> Head | None:
    """The head row as it is stored, unchecked; it is locked for the rest of a write."""
    row = (await connection.execute(statements.HEAD)).first()
    return None if row is None else Head(seq=row.seq, hash=row.hash, signature=row.signature)


async def stored_pages(
    connection: AsyncConnection, *, after: int | None = None, until: int | None = None
) -> AsyncIterator[list[EventRow]]:
    """Event rows in order, unchecked, a page at a time: all of them, or those after a place and up to another."""
    while True:
        query = select(audit_events).order_by(audit_events.c.seq).limit(_PAGE)
        if after is not None:
            query = query.where(audit_events.c.seq > after)
        if until is not None:
            query = query.where(audit_events.c.seq <= until)
        page = [EventRow(*row) for row in (await connection.execute(query)).all()]
        yield page
        if len(page) < _PAGE:
            return
        after = page[-1].seq


class _Named(NamedTuple):
    """What the body of an event says of its decision."""

    decision_id: str
    input_digest: Any
    covered: Any
    """Digest of the whole row; only the event that was written with the row has it."""


class _Verification:
    """One run over the chain; stops at the first event that is not sound."""

    def __init__(self, connection: AsyncConnection, verifier: Verifier, expected: tuple[int, str] | None) -> None:
        self._connection = connection
        self._verifier = verifier
        self._check = ChainCheck(expected)
        self._covered = 0
        self._checkpoints = 0
        self._meters = MeterCheck()
        self._approvals = ApprovalCheck()
        self._releases = ReleaseCheck()

    async def run(self, progress: Progress | None) -> AuditVerification:
        async for page in stored_pages(self._connection):
            broken = await self._page(page)
            if broken is not None:
                return broken
            if progress is not None:
                progress(self._check.seq)
        head = await stored_head(self._connection)
        return self._check.close(head, self._verifier, also=await self._loose_ends())

    async def _page(self, page: Sequence[EventRow]) -> AuditVerification | None:
        bodies = [_members(event) for event in page]
        named = [_named(body) for body in bodies]
        checkpoints = await self._checkpoints_among(page)
        rows = await self._rows_of(named)
        for event, body, decision in zip(page, bodies, named, strict=True):
            problem = self._check.problem_with(event)
            if problem:
                return self._check.broken(self._check.seq + 1, problem)
            if event.seq in checkpoints:
                problem = self._checkpoint_problem(checkpoints[event.seq], event)
            if not problem and decision is not None:
                problem = self._decision_problem(event, decision, rows.get(decision.decision_id))
            if problem:
                return self._check.broken(event.seq, problem)
            self._meters.see(event, body)
            self._approvals.see(event, body)
            self._releases.see(event, body)
        return None

    async def _checkpoints_among(self, page: Sequence[EventRow]) -> dict[int, RowMapping]:
        if not page:
            return {}
        place = audit_checkpoints.c.seq
        query = select(audit_checkpoints).where(place >= page[0].seq, place <= page[-1].seq)
        return {row["seq"]: row for row in (await self._connection.execute(query)).mappings()}

    def _checkpoint_problem(self, row: RowMapping, event: EventRow) -> str:
        self._checkpoints += 1
        if (row["hash"], row["at_ns"]) != (event.hash, event.at_ns):
            return f"the checkpoint at event {event.seq} names another event: one of them was changed"
        head = Head(seq=row["seq"], hash=row["hash"], signature=row["signature"])
        if not head.is_genuine(self._verifier):
            return f"the signature of the checkpoint at event {event.seq} is not ours"
        return ""

    async def _rows_of(self, named: Sequence[_Named | None]) -> dict[str, RowMapping]:
        ids = sorted({decision.decision_id for decision in named if decision is not None})
        found: dict[str, RowMapping] = {}
        for start in range(0, len(ids), _IDS_PER_QUERY):
            query = select(decisions).where(decisions.c.decision_id.in_(ids[start : start + _IDS_PER_QUERY]))
            found |= {row["decision_id"]: row for row in (await self._connection.execute(query)).mappings()}
        return found

    def _decision_problem(self, event: EventRow, named: _Named, row: RowMapping | None) -> str:
        what = f"the record of decision {named.decision_id!r}, which event {event.seq} names,"
        if row is None:
            return f"{what} is missing"
        if named.input_digest is not None and named.input_digest != row["input_digest"]:
            return f"{what} is about another input"
        if named.covered is not None:
            self._covered += 1
            if named.covered != record_digest(row) or row["at_ns"] != event.at_ns:
                return f"{what} was changed"
        return ""

    async def _loose_ends(self) -> str:
        """Checkpoints, decisions, meters, approvals, votes and releases that events do not stand for."""
        stray = await self._connection.scalar(select(func.count()).select_from(audit_checkpoints))
        if stray != self._checkpoints:
            beyond = await self._connection.scalar(select(func.max(audit_checkpoints.c.seq)))
            return (
                f"there are checkpoints up to event {beyond}, but the events end at {self._check.seq}: "
                "the tail was cut, or an older state was put back"
            )
        records = await self._connection.scalar(select(func.count()).select_from(decisions))
        if records != self._covered:
            return f"{records} decisions are recorded, but events stand for {self._covered}: records were added"
        for check in (self._meters, self._approvals, self._releases):
            if problem := await check.problem(self._connection):
                return problem
        return ""


def _members(event: EventRow) -> dict[str, Any]:
    """The body of an event that says something about other tables; empty for any other."""
    if type(event.body) is not str or not _says_something(event):
        return {}
    try:
        body: Any = json.loads(event.body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}


def _says_something(event: EventRow) -> bool:
    return event.kind in _TOLD or '"decision_id"' in event.body or f'"{UNTRUSTED}"' in event.body


def _named(members: dict[str, Any]) -> _Named | None:
    """Decision, input and digest of the record that an event names, as its body says it."""
    decision_id = members.get("decision_id")
    if not isinstance(decision_id, str):
        return None
    return _Named(decision_id, members.get("input_digest"), members.get(RECORD_DIGEST))
