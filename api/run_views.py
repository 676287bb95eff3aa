"""What the API shows of runs, and who may see it; for the routes of runs, questions and events.

A run is readable for whoever may read it by the policy, on its case; a question about the rules for
its asker and auditors. Everything else looks absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import Field

from api.permission import Asker
from casewright.clock import iso
from casewright.contracts.base import Contract
from casewright.contracts.question import Option, QuestionKind, QuestionState, RunQuestion
from casewright.contracts.run import RunReport, RunStatus
from casewright.errors import DeniedError, NotFoundError
from graphs.records import ENDED, RunEvent, RunRow
from servers.permission import Permission
from servers.readable import LIST_RUNS as LIST_RUNS
from servers.readable import READ, is_own
from servers.readable import ask_deed as ask_deed
from servers.shown import shown_report
from servers.shown_records import RecordReader, record_reader

QUESTION = "ask"
"""The kind of run that a question about the rules is."""
CaseId = Annotated[
    str,
    Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["HL-2026-0001"]),
]
RunId = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["run-0f3c2a7d9b1e4c58"])]
FOUND = {"ETag": "Names exactly this content."}
"""Headers of what was read, for the document."""
BEGUN = {"Location": "Where the run is.", "ETag": "Its tag."}
"""Headers of what was begun."""
PART = 100
SCANNED = 300
"""Rows that are looked at for one page."""


class RunSummary(Contract):
    """A run in a list."""

    run_id: str = Field(examples=["run-0f3c2a7d9b1e4c58"])
    kind: Literal["review", "ask"]
    case_id: str = Field(description="Empty for a question about the rules.", examples=["HL-2026-0001"])
    subject: str = Field(description="The person on whose behalf it acts.", examples=["rosa"])
    status: RunStatus
    created: str = Field(description="RFC 3339, in UTC.", examples=["2026-11-21T09:30:00Z"])
    updated: str = Field(examples=["2026-11-21T09:30:04Z"])
    parent: str = Field(description="The run that it was forked from; empty: none.")
    revision: int = Field(description="1, or one more than the parent's.")
    wanted: Literal["", "cancel", "pause"] = Field(description="What was asked of it and is not done yet.")

    @classmethod
    def of(cls, row: RunRow) -> "RunSummary":
        return cls(**_summary(row))


class RunView(RunSummary):
    """A run with its latest report."""

    waiting_for: str = Field(description="The approval or question that it waits for; empty: none.")
    attempts: int = Field(description="Failed attempts at the step it stands before.")
    pins: dict[str, Any] = Field(description="The versions it was begun with.")
    report: RunReport | None = Field(description="Null until it has waited, failed or ended for the first time.")

    @classmethod
    def of(cls, row: RunRow) -> "RunView":
        more: dict[str, Any] = {
            "waiting_for": row.waiting_for,
            "attempts": row.attempts,
            "pins": dict(row.pins),
            "report": row.report,
        }
        return cls(**_summary(row), **more)


class RunEventView(Contract):
    """Something that a run did."""

    seq: int = Field(description="Counts from 1 without gaps; the id of a server-sent event.")
    at: str
    at_ns: int = Field(description="Nanoseconds since the epoch.")
    kind: str = Field(examples=["step"])
    body: dict[str, Any]

    @classmethod
    def of(cls, event: RunEvent, reader: RecordReader) -> "RunEventView":
        """The event as this reader may have it."""
        body = reader.event(event.kind, event.body)
        return cls(seq=event.seq, at=iso(event.at_ns), at_ns=event.at_ns, kind=event.kind, body=body)


class RunQuestionView(Contract):
    """What a run asks a person."""

    question_id: str
    run_id: str
    case_id: str
    kind: QuestionKind
    text: str
    options: tuple[Option, ...]
    detail: dict[str, Any] = Field(description="What a person needs to see to answer.")
    state: QuestionState
    created: str
    answer: str = Field(description="The value of the option chosen; empty while open.")
    answered_by: str
    answered: str

    @classmethod
    def of(cls, question: RunQuestion) -> "RunQuestionView":
        kept = question.model_dump(exclude={"tenant", "created_ns", "answered_ns"})
        answered = iso(question.answered_ns) if question.answered_ns else ""
        return cls(**kept, created=iso(question.created_ns), answered=answered)


@dataclass(frozen=True, kw_only=True)
class ReadableRows:
    """Some runs that a person may read."""

    rows: tuple[RunRow, ...]
    last: tuple[int, str] | None
    """Where the next page goes on; None: there is no more."""


def _summary(row: RunRow) -> dict[str, Any]:
    return {
        "run_id": row.run_id,
        "kind": row.kind,
        "case_id": row.case_id,
        "subject": row.subject,
        "status": row.status,
        "created": iso(row.created_ns),
        "updated": iso(row.updated_ns),
        "parent": row.parent,
        "revision": row.revision,
        "wanted": row.wanted,
    }


def is_over(kind: str, status: RunStatus) -> bool:
    """Whether nothing more can come of a run; one that failed may be tried again, unless it is a question."""
    return status in ENDED or (kind == QUESTION and status == "failed")


async def readable_run(asker: Asker, run_id: str, *, kind: str = "") -> RunRow:
    """A run that this person may read, as it is now.

    Raises:
        NotFoundError: there is none for them, or it is of another kind.
    """
    row = await asker.parts.records.get(asker.principal.tenant, run_id)
    if kind and row.kind != kind:
        raise NotFoundError(f"run {run_id!r} is no {kind!r}")
    return await shown_run(asker, row)


async def shown_run(asker: Asker, row: RunRow) -> RunRow:
    """A run as this person may read it.

    Raises:
        NotFoundError: they may not.
    """
    return (await permitted_run(asker, row))[0]


async def recorded_run(asker: Asker, run_id: str) -> tuple[RunRow, RecordReader]:
    """A run that this person may read, and how they read its records now.

    Raises:
        NotFoundError: there is none for them.
    """
    row, permission = await permitted_run(asker, await asker.parts.records.get(asker.principal.tenant, run_id))
    return row, await record_reader(asker.parts.services, row, asker.principal, permission)


async def permitted_run(asker: Asker, row: RunRow) -> tuple[RunRow, Permission | None]:
    """A run as this person may read it, and the permission; None: it is a question, which is about no case.

    Raises:
        NotFoundError: they may not.
    """
    permission = await check_readable(asker, row)
    if row.report is None or permission is None:
        return row, permission
    own = row.subject == asker.principal.id
    report = await shown_report(asker.parts.services, row.report, permission, own=own)
    return replace(row, report=report), permission


async def readable_rows(
    asker: Asker, chosen: Mapping[str, str], before: tuple[int, str] | None, limit: int
) -> ReadableRows:
    """The next runs that this person may read, newest first.

    It looks at `SCANNED` runs at most, so that a page of somebody who may read few of many costs no more than another.
    """
    found: list[RunRow] = []
    known: dict[str, bool] = {}
    for _ in range(SCANNED // PART):
        rows = await asker.parts.records.list(
            asker.principal.tenant, case_id=chosen["case_id"], status=chosen["status"], before=before, limit=PART
        )
        for row in rows:
            if len(found) == limit:
                return ReadableRows(rows=tuple(found), last=before)
            if await _is_readable(asker, row, known):
                found.append(row)
            before = row.created_ns, row.run_id
        if len(rows) < PART:
            return ReadableRows(rows=tuple(found), last=None)
    return ReadableRows(rows=tuple(found), last=before)


async def _is_readable(asker: Asker, row: RunRow, known: dict[str, bool]) -> bool:
    """Decided once for each case and page; of questions once whether the person may ask at all."""
    if row.case_id not in known:
        try:
            await check_readable(asker, row, owned=False)
        except NotFoundError:
            known[row.case_id] = False
        else:
            known[row.case_id] = True
    return known[row.case_id] and (bool(row.case_id) or is_own(asker.principal, row))


async def check_readable(asker: Asker, row: RunRow, *, owned: bool = True) -> Permission | None:
    """Ask whether this person may read a run; None: it is a question, which is about no case.

    Args:
        owned: also that a question is their own, or theirs to audit.

    Raises:
        NotFoundError: they may not.
    """
    if row.case_id:
        return await asker.readable(READ, row.case_id)
    try:
        await asker.allowed(ask_deed(asker.principal))
    except DeniedError as error:
        raise NotFoundError(f"run {row.run_id!r} is not for {asker.principal.id!r}") from error
    if owned and not is_own(asker.principal, row):
        raise NotFoundError(f"run {row.run_id!r} is another person's question")
    return None
