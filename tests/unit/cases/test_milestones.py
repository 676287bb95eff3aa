"""Recorded effects become milestones that rules know; nothing else does."""

import datetime as dt

import pytest

from casewright.cases.milestones import with_milestones
from casewright.contracts.case import TimelineEvent

DAY = dt.date(2026, 3, 10)


def event(event_id: str, what: str) -> TimelineEvent:
    return TimelineEvent(event_id=event_id, on=DAY, what=what)


@pytest.mark.proves("C4", "B3")
def test_a_recorded_provisional_credit_is_a_milestone_on_its_day() -> None:
    what = "issue_provisional_credit of 50875 minor units of USD, effect eff-1, approved as apr-1"
    recorded = event("recorded:1", what)
    timeline = with_milestones((recorded,))
    assert [(item.event_id, item.on) for item in timeline] == [
        ("recorded:1", DAY),
        ("provisional_credit_issued", DAY),
    ]


@pytest.mark.parametrize(
    "claimed",
    [
        event("e1", "issue_provisional_credit of 1 minor units of USD"),
        event("recorded:2", "escalate, effect eff-2, approved as apr-2"),
        event("recorded:3", "said that issue_provisional_credit was promised"),
    ],
)
def test_text_that_only_claims_an_effect_is_no_milestone(claimed: TimelineEvent) -> None:
    assert with_milestones((claimed,)) == (claimed,)


def test_a_milestone_that_is_there_already_is_not_added_twice() -> None:
    known = event("provisional_credit_issued", "by hand")
    recorded = event("recorded:1", "issue_provisional_credit of 5 minor units of USD")
    assert with_milestones((known, recorded)) == (known, recorded)
