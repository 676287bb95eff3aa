"""What executed effects mean to the rules: a recorded effect becomes a milestone of the timeline.

Rules know milestones by event id. Recorded events carry reserved ids that no import may use, so
a milestone derived here cannot be claimed from outside.
"""

from casewright.cases.provenance import RECORDED_PREFIX
from casewright.contracts.case import TimelineEvent
from casewright.contracts.recommendation import ActionKind

MILESTONES: dict[ActionKind, str] = {
    "issue_provisional_credit": "provisional_credit_issued",
    "send_adverse_action_notice": "adverse_action_notice_sent",
}


def with_milestones(timeline: tuple[TimelineEvent, ...]) -> tuple[TimelineEvent, ...]:
    """The timeline with the milestones that its recorded effects stand for, each once."""
    known = {event.event_id for event in timeline}
    added: dict[str, TimelineEvent] = {}
    for event in timeline:
        milestone = _milestone(event)
        if milestone and milestone not in known:
            added.setdefault(milestone, event.model_copy(update={"event_id": milestone}))
    return (*timeline, *added.values())


def _milestone(event: TimelineEvent) -> str:
    if not event.event_id.startswith(RECORDED_PREFIX):
        return ""
    action = event.what.split(" ", 1)[0].rstrip(",")
    return next((milestone for kind, milestone in MILESTONES.items() if kind == action), "")
