"""How a run came about and went on: begun, pinned, forked, stopped, asked, tried again, taken over, ended."""

from collections.abc import Callable, Iterator

from casewright.contracts.event import AuditEvent, EventKind
from casewright.contracts.explanation import Statement
from graphs.explanation.history import RunHistory, listed, said
from graphs.records import RunEvent
from graphs.spending import FAILED_STEP

_AS_BEGUN = "the versions of its beginning are in force again"


def course(history: RunHistory) -> Iterator[Statement]:
    """Its pins, then everything in the order in which it happened."""
    begun = history.audited("run.started", "run.forked")[:1]
    if history.row.pins:
        pins = "; ".join(f"{name} {_short(value)}" for name, value in sorted(history.row.pins.items()))
        yield from said(f"it was pinned to {pins}", begun, [] if begun else history.events[:1])
    for _, statements in sorted([*_audited(history), *_noted(history)], key=lambda told: told[0]):
        yield from statements


def _audited(history: RunHistory) -> Iterator[tuple[int, list[Statement]]]:
    for event in history.audit:
        tell = _AUDITED.get(event.kind)
        if tell is not None:
            yield event.at_ns, list(said(tell(history, event), [event]))


def _noted(history: RunHistory) -> Iterator[tuple[int, list[Statement]]]:
    for event in history.events:
        tell = _NOTED.get(event.kind)
        if tell is not None:
            yield event.at_ns, list(said(tell(event), run=[event]))


def _forked(history: RunHistory, event: AuditEvent) -> str:
    at = f" at {event.body['at']}" if event.body.get("at") else " at its beginning"
    return (
        f"{event.subject} forked it from run {event.body.get('parent')}{at}, as revision {event.body.get('revision')}; "
        "no approval came along, what was spent did"
    )


def _steered(history: RunHistory, event: AuditEvent) -> str:
    why = f": {event.body['why']}" if event.body.get("why") else ""
    return f"{event.subject} asked for it to {event.body.get('asked')}{why}"


def _asked(history: RunHistory, event: AuditEvent) -> str:
    question = history.questions.get(str(event.body.get("question_id")))
    text = f": {question.text}" if question is not None else ""
    return f"it asked a person ({event.body.get('kind')}), to choose of {listed(event.body.get('options', []))}{text}"


def _status(event: RunEvent) -> str:
    because = f": {event.body['because']}" if event.body.get("because") else ""
    return f"{event.body.get('status')}{because}"


def _failed(event: RunEvent) -> str:
    return f"its step {event.body.get('node')} failed ({event.body.get('error')})"


def _migrated(event: RunEvent) -> str:
    return f"its state of version {event.body.get('from')} was migrated to version {event.body.get('to')}"


def _versions(event: RunEvent) -> str:
    changed = [f"{name} {_short(told['pinned'])} became {_short(told['now'])}" for name, told in event.body.items()]
    return f"in force is now something else than at its beginning: {', '.join(changed)}" if changed else _AS_BEGUN


_AUDITED: dict[EventKind, Callable[[RunHistory, AuditEvent], str]] = {
    "run.started": lambda history, event: f"{event.subject} began it",
    "run.forked": _forked,
    "run.steered": _steered,
    "run.ended": lambda history, event: f"it ended {event.body.get('status')}: {event.body.get('because')}",
    "question.asked": _asked,
    "question.answered": lambda history, event: f"{event.subject} answered {event.body.get('answer')!r}",
    "feedback.given": lambda history, event: f"{event.subject} gave feedback ({event.body.get('kind')})",
}
_NOTED: dict[str, Callable[[RunEvent], str]] = {
    "status": _status,
    "taken_over": lambda event: "it was taken over from a process that had died or stood still",
    FAILED_STEP: _failed,
    "migrated": _migrated,
    "versions": _versions,
}


def _short(value: object) -> str:
    text = listed(value)
    return text[:12] if len(text) == 64 else text
