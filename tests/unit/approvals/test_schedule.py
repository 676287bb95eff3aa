"""What is due when, as a pure function of an approval, what was done, and the time."""

import pytest

from casewright.approvals.schedule import NOTHING_TOLD, Step, Told, due_ns, due_step
from casewright.approvals.voting import check_rule
from casewright.clock import NANOSECONDS
from casewright.contracts.approval import Approval, ApprovalRule, Reminder, Schedule, Vote
from casewright.errors import InputError
from tests.unit.audit.kernel import HOUR, RULE, START_NS, credit

SCHEDULE = Schedule(
    reminders=(
        Reminder(after_seconds=4 * HOUR, to="assignee"),
        Reminder(after_seconds=8 * HOUR, to="roles"),
        Reminder(after_seconds=12 * HOUR, to="roles"),
    ),
    reassign_after_seconds=6 * HOUR,
    escalate_after_seconds=10 * HOUR,
    escalate_to=("reviewer",),
)
TIMED = RULE.model_copy(update={"schedule": SCHEDULE, "ttl_seconds": 24 * HOUR})


def at(hours: float) -> int:
    return START_NS + int(hours * HOUR * NANOSECONDS)


def waiting(**changes: object) -> Approval:
    found = Approval(
        approval_id="apr-1",
        call=credit(),
        digest="d" * 64,
        rule=TIMED,
        state="pending",
        requested_by="rosa",
        requested_agent="",
        run_id="run-1",
        created_ns=START_NS,
        expires_ns=at(24),
        votes=(),
    )
    return found.model_copy(update=changes)


ASKED = Told(assignments=1, assigned_ns=START_NS, earlier=("selma",))
VOTED = (Vote(voter="Selma", approve=True, note="", at_ns=START_NS),)


@pytest.mark.proves("E7")
@pytest.mark.parametrize(
    ("hours", "told", "changes", "expected"),
    [
        (3.9, NOTHING_TOLD, {}, None),
        (4, NOTHING_TOLD, {}, Step(kind="reminder", due_ns=at(4), number=1)),
        (4, Told(reminders=1), {}, None),
        (9, NOTHING_TOLD, {}, Step(kind="reminder", due_ns=at(8), number=2, skipped=(1,))),
        (9, ASKED, {"assignee": "selma"}, Step(kind="reassign", due_ns=at(6), number=2)),
        (9, ASKED, {}, Step(kind="reminder", due_ns=at(8), number=2, skipped=(1,))),
        (9, ASKED, {"assignee": "selma", "votes": VOTED}, Step(kind="reminder", due_ns=at(8), number=2, skipped=(1,))),
        (23, Told(reminders=2), {}, Step(kind="escalate", due_ns=at(10))),
        (23, NOTHING_TOLD, {}, Step(kind="escalate", due_ns=at(10))),
        (23, NOTHING_TOLD, {"escalated_ns": at(10)}, Step(kind="reminder", due_ns=at(12), number=3, skipped=(1, 2))),
        (23, Told(reminders=3), {"escalated_ns": at(10)}, None),
        (23, NOTHING_TOLD, {"state": "approved"}, None),
        (24, NOTHING_TOLD, {}, Step(kind="expire", due_ns=at(24))),
        (24, NOTHING_TOLD, {"state": "approved"}, Step(kind="expire", due_ns=at(24))),
        (-5, ASKED, {"assignee": "selma"}, None),
    ],
)
def test_the_earliest_step_whose_time_has_come_is_due(
    hours: float, told: Told, changes: dict[str, object], expected: Step | None
) -> None:
    assert due_step(waiting(**changes), told, at(hours)) == expected


@pytest.mark.parametrize(
    ("told", "changes", "hours"),
    [
        (NOTHING_TOLD, {}, 4),
        (Told(reminders=1), {}, 8),
        (ASKED, {"assignee": "selma"}, 4),
        (Told(reminders=1, assignments=1, assigned_ns=START_NS), {"assignee": "selma"}, 6),
        (Told(reminders=2), {}, 10),
        (Told(reminders=3), {"escalated_ns": at(10)}, 24),
        (NOTHING_TOLD, {"state": "approved"}, 24),
        (NOTHING_TOLD, {"rule": RULE}, 24),
    ],
)
def test_the_next_look_is_at_the_next_step(told: Told, changes: dict[str, object], hours: int) -> None:
    assert due_ns(waiting(**changes), told) == at(hours)


@pytest.mark.proves("E7")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reminders": SCHEDULE.reminders[::-1]}, "in order"),
        ({"reminders": (SCHEDULE.reminders[0], SCHEDULE.reminders[0])}, "each time once"),
        ({"reminders": (Reminder(after_seconds=24 * HOUR, to="roles"),)}, "before that"),
        ({"escalate_after_seconds": 24 * HOUR}, "before that"),
        ({"escalate_after_seconds": 0}, "nobody or never"),
        ({"escalate_to": ()}, "nobody or never"),
        ({"escalate_to": ("reviewer", " ")}, "name roles"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(changes: dict[str, object], said: str) -> None:
    check_rule(TIMED)
    with pytest.raises(InputError, match=said):
        check_rule(TIMED.model_copy(update={"schedule": SCHEDULE.model_copy(update=changes)}))


@pytest.mark.proves("E7")
def test_a_rule_that_was_stored_without_a_schedule_has_the_empty_one() -> None:
    stored = '{"roles": ["supervisor"], "quorum": 1, "author_excluded": true, "ttl_seconds": 60, "risk": "high"}'
    assert ApprovalRule.model_validate_json(stored).schedule == Schedule()
    assert due_step(waiting(rule=RULE), NOTHING_TOLD, at(23)) is None


@pytest.mark.proves("E7")
def test_an_escalation_before_its_time_lets_nobody_in() -> None:
    assert waiting(escalated_ns=at(10)).voting_roles == ("supervisor", "reviewer")
    for early in (0, 1, START_NS, at(10) - 1):
        assert waiting(escalated_ns=early).voting_roles == ("supervisor",)
