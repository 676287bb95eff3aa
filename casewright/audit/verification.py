"""The check of a stored chain: events, records of decisions, checkpoints, meters, and the signed head.

It reads page by page in one snapshot, so it works beside running writers. An exported file is
checked by `casewright.audit.export`; a single extension by `casewright.audit.extension`.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.audit import statements
from casewright.audit.chain import AuditVerification, ChainCheck, EventRow, Head
from casewright.audit.records import RECORD_DIGEST, record_digest
from casewright.audit.signing import Verifier
from casewright.storage.database import Database
from casewright.storage.tables import audit_checkpoints, audit_events, decisions

_PAGE = 1000
_IDS_PER_QUERY = 500
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


async def stored_pages(connection: AsyncConnection) -> AsyncIterator[list[EventRow]]:
    """Every event row in order, unchecked, a page at a time."""
    after: int | None = None
    while True:
        query = select(audit_events).order_by(audit_events.c.seq).limit(_PAGE)
        if after is not None:
            query = query.where(audit_events.c.seq > after)
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
        named = [_named(event) for event in page]
        checkpoints = await self._checkpoints_among(page)
        rows = await self._rows_of(named)
        for event, decision in zip(page, named, strict=True):
            problem = self._check.problem_with(event)
            if problem:
                return self._check.broken(self._check.seq + 1, problem)
            if event.seq in checkpoints:
                problem = self._checkpoint_problem(checkpoints[event.seq], event)
            if not problem and decision is not None:
                problem = self._decision_problem(event, decision, rows.get(decision.decision_id))
            if problem:
                return self._check.broken(event.seq, problem)
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
        """Checkpoints, decisions and counted calls that no event stands for."""
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
        return await self._meter_problem()

    async def _meter_problem(self) -> str:
        """A meter that does not count the calls its run has made, so that a budget would be held too late."""
        wrong = {row.run_id: row for row in (await self._connection.execute(statements.WRONG_METER)).all()}
        carried = await self._carried()
        for run_id in sorted({*wrong, *carried}):
            beyond = wrong[run_id].metered - wrong[run_id].made if run_id in wrong else 0
            if beyond != carried.get(run_id, 0):
                return (
                    f"the meter of run {run_id!r} counts {beyond:+} calls beside those it made, but it began with "
                    f"{carried.get(run_id, 0)}: it was changed"
                )
        return ""

    async def _carried(self) -> dict[str, int]:
        """The calls that each fork began with, as the chain has them: those of the run that it was forked from."""
        forks = (await self._connection.execute(statements.FORKED)).all()
        return {row.run_id: int(json.loads(row.body).get("calls", 0)) for row in forks}


def _named(event: EventRow) -> _Named | None:
    """Decision, input and digest of the record that an event names, as its body says it."""
    if type(event.body) is not str or '"decision_id"' not in event.body:
        return None
    try:
        body: Any = json.loads(event.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    members = cast("dict[str, Any]", body)
    decision_id = members.get("decision_id")
    if not isinstance(decision_id, str):
        return None
    return _Named(decision_id, members.get("input_digest"), members.get(RECORD_DIGEST))
