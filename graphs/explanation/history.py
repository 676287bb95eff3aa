"""The records of one run, read once, and how a statement names the ones it stands on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from casewright.audit.chain import AuditVerification
from casewright.contracts.event import AuditEvent, EventKind
from casewright.contracts.explanation import Statement
from casewright.contracts.question import RunQuestion
from casewright.questions.store import RunQuestions
from casewright.services import Services
from graphs.records import RunEvent, RunRecords, RunRow


@dataclass(frozen=True, kw_only=True)
class RunHistory:
    """What the records hold of a run."""

    row: RunRow
    audit: tuple[AuditEvent, ...]
    """The run's events of the audit log, oldest first."""
    events: tuple[RunEvent, ...]
    """Its own events, oldest first."""
    questions: Mapping[str, RunQuestion]
    chain: AuditVerification | None
    """None: the chain is too long to be checked in passing."""

    def audited(self, *kinds: EventKind) -> list[AuditEvent]:
        """Its audit events of these kinds."""
        return [event for event in self.audit if event.kind in kinds]

    def noted(self, *kinds: str) -> list[RunEvent]:
        """Its own events of these kinds."""
        return [event for event in self.events if event.kind in kinds]


async def read_history(
    services: Services, records: RunRecords, row: RunRow, *, longest_chain: int | None
) -> RunHistory:
    """Everything the records hold of a run.

    Args:
        longest_chain: the audit is verified if it has at most so many events; None: whatever its length.
    """
    asked = await RunQuestions(services.database, services.audit, services.clock).of_run(row.tenant, row.run_id)
    length, _ = await services.audit.head()
    checked = longest_chain is None or length <= longest_chain
    return RunHistory(
        row=row,
        audit=await _audit_events(services, row),
        events=await records.events(row.run_id),
        questions={question.question_id: question for question in asked},
        chain=await services.audit.verify() if checked else None,
    )


async def _audit_events(services: Services, row: RunRow) -> tuple[AuditEvent, ...]:
    """All of the run's events; the log hands them out a page at a time."""
    found: tuple[AuditEvent, ...] = ()
    while page := await services.audit.events(
        tenant=row.tenant, run_id=row.run_id, after=found[-1].seq if found else 0
    ):
        found += page
    return found


def said(text: str, audit: Iterable[AuditEvent] = (), run: Iterable[RunEvent] = ()) -> Iterator[Statement]:
    """The statement, if there is an event that it stands on."""
    links = (*(f"audit:{event.seq}" for event in audit), *(f"run:{event.seq}" for event in run))
    if links:
        yield Statement(text=text, events=links)


def each(events: Iterable[AuditEvent], text: Callable[[AuditEvent], str]) -> Iterator[Statement]:
    """One statement per event."""
    for event in events:
        yield from said(text(event), [event])


def who(event: AuditEvent) -> str:
    """Who did it, in words."""
    return event.agent or event.subject or "the system"


def listed(values: Any) -> str:
    """A list of names in words: `a, b`; anything else as text."""
    return ", ".join(map(str, cast("list[Any]", values))) if isinstance(values, list) else str(values)


def money(amount_minor: int, currency: str) -> str:
    """An amount in minor units for people: `1,234.50 USD`."""
    return f"{amount_minor / 100:,.2f} {currency}".rstrip()
