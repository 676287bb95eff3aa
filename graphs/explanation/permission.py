"""Under what permission a run acted: decisions of the policy, approvals by people, and what people were told."""

from collections.abc import Callable, Iterator
from typing import Any

from casewright.clock import iso
from casewright.contracts.event import AuditEvent, EventKind
from casewright.contracts.explanation import Statement
from graphs.explanation.history import RunHistory, each, listed, money, said, who


def permission(history: RunHistory) -> Iterator[Statement]:
    """Decisions, then approvals in the order in which they happened."""
    allowed, denied = history.audited("call.allowed"), history.audited("call.denied")
    revisions = sorted({str(event.body.get("policy_revision", "")) for event in (*allowed, *denied)} - {""})
    yield from said(f"{len(allowed)} calls allowed under policy revision {', '.join(revisions)}", allowed)
    yield from each(
        denied, lambda event: f"denied: {who(event)} {event.body.get('tool', '')}: {event.body.get('code')}"
    )
    for event in history.audited("model.called"):
        yield from said(f"left for a model: {'; '.join(dict.fromkeys(event.body.get('sent', [])))}", _that_left(event))
    for event in history.audit:
        tell = _APPROVALS.get(event.kind)
        if tell is not None:
            yield from said(f"approval {event.body.get('approval_id')}: {tell(event)}", [event])


def _that_left(event: AuditEvent) -> list[AuditEvent]:
    """The call, if anything of it left the process."""
    return [event] if event.body.get("sent") else []


def _requested(event: AuditEvent) -> str:
    rule: dict[str, Any] = event.body.get("rule", {})
    arguments: dict[str, Any] = event.body.get("call", {}).get("arguments", {})
    amount = money(int(arguments.get("amount_minor", 0)), str(arguments.get("currency", "")))
    return (
        f"{arguments.get('action', 'an action')} of {amount} was asked for on behalf of {event.subject}; "
        f"it needs {rule.get('quorum')} of {listed(rule.get('roles', []))}, the author excluded"
    )


def _voted(event: AuditEvent) -> str:
    decided = "approved" if event.body.get("approve") is True else "rejected"
    return f"{event.subject} {decided} it; then it was {event.body.get('state')}"


def _revoked(event: AuditEvent) -> str:
    return f"{who(event)} took it back: {event.body.get('why', '')}"


def _notified(event: AuditEvent) -> str:
    skipped: list[int] = event.body.get("skipped") or []
    late = f"; number {listed(skipped)} came too late and was left out" if skipped else ""
    return f"reminder {event.body.get('number', '')} went to {listed(event.body.get('recipients', []))}{late}"


def _reassigned(event: AuditEvent) -> str:
    to = event.body.get("to") or "everybody with the role"
    before = event.body.get("from")
    return f"{who(event)} assigned it to {to}" + (f" instead of {before}" if before else "")


def _escalated(event: AuditEvent) -> str:
    return f"nobody had decided in time; {listed(event.body.get('roles', []))} may vote as well"


_APPROVALS: dict[EventKind, Callable[[AuditEvent], str]] = {
    "approval.requested": _requested,
    "approval.voted": _voted,
    "approval.consumed": lambda event: "it was used, once",
    "approval.expired": lambda event: f"it expired unused at {iso(event.at_ns)}",
    "approval.revoked": _revoked,
    "approval.notified": _notified,
    "approval.reassigned": _reassigned,
    "approval.escalated": _escalated,
}
