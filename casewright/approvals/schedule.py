"""What time demands of an approval: reminders, reassignment, escalation, expiry. Pure: values in, a value out.

A step is due by its time and by what was not done yet, never by a timer that somebody set: whoever
looks late finds the same steps, in the order of their times. After a long stop only the newest
reminder is sent and the older ones are skipped. See `casewright.approvals.timers`, which does them.
"""

from dataclasses import dataclass
from typing import Literal

from casewright.approvals.voting import person
from casewright.clock import NANOSECONDS
from casewright.contracts.approval import Approval

StepKind = Literal["reminder", "reassign", "escalate", "expire"]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the notices of an approval say was done."""

    reminders: int = 0
    """Number of the newest reminder."""
    assignments: int = 0
    assigned_ns: int = 0
    """When it was assigned last."""
    earlier: tuple[str, ...] = ()
    """Everybody it was assigned to, the present assignee too."""


NOTHING_TOLD = Told()


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that is due."""

    kind: StepKind
    due_ns: int
    number: int = 1
    skipped: tuple[int, ...] = ()
    """Reminders whose time passed as well; they are not sent any more."""


def due_step(approval: Approval, told: Told, now_ns: int) -> Step | None:
    """The earliest step whose time has come; None: there is nothing to do yet."""
    if now_ns >= approval.expires_ns:
        return Step(kind="expire", due_ns=approval.expires_ns)
    due = [step for step in _ahead(approval, told) if step.due_ns <= now_ns]
    reminders = [step for step in due if step.kind == "reminder"]
    steps = [step for step in due if step.kind != "reminder"]
    if reminders:
        newest = reminders[-1]
        skipped = tuple(step.number for step in reminders[:-1])
        steps.append(Step(kind="reminder", due_ns=newest.due_ns, number=newest.number, skipped=skipped))
    return min(steps, key=lambda step: step.due_ns, default=None)


def due_ns(approval: Approval, told: Told) -> int:
    """When to look at an open approval again."""
    return min([approval.expires_ns, *(step.due_ns for step in _ahead(approval, told))])


def _ahead(approval: Approval, told: Told) -> list[Step]:
    """What is still to be done while votes are missing, each kind in the order of its numbers."""
    if approval.state != "pending":
        return []
    schedule = approval.rule.schedule
    steps = [
        Step(kind="reminder", due_ns=_after(approval.created_ns, reminder.after_seconds), number=number)
        for number, reminder in enumerate(schedule.reminders, start=1)
        if number > told.reminders
    ]
    waited_for = approval.assignee and person(approval.assignee) not in {person(vote.voter) for vote in approval.votes}
    if waited_for and schedule.reassign_after_seconds:
        at_ns = _after(told.assigned_ns, schedule.reassign_after_seconds)
        steps.append(Step(kind="reassign", due_ns=at_ns, number=told.assignments + 1))
    if schedule.escalate_to and not approval.escalated_ns:
        steps.append(Step(kind="escalate", due_ns=_after(approval.created_ns, schedule.escalate_after_seconds)))
    return steps


def _after(start_ns: int, seconds: int) -> int:
    return start_ns + seconds * NANOSECONDS
