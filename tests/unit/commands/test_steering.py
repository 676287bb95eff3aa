"""What people ask of a run from the command line: to rest, to go on, to begin anew, and what it did so far."""

import pytest

from tests.unit.commands.conftest import Casewright, Reviewed

pytestmark = pytest.mark.thorough


@pytest.mark.proves("E5")
def test_a_run_is_paused_and_resumed(alone: Casewright, reviewed: Reviewed) -> None:
    paused = alone("runs", "pause", reviewed.run_id, "--why", "on leave", "--as", "rosa", "--json")
    assert (paused.code, paused.document["status"]) == (0, "paused")
    assert paused.document["because"] == "paused by rosa: on leave"
    again = alone("runs", "pause", reviewed.run_id, "--as", "rosa", "--json")
    assert again.document == paused.document
    resumed = alone("runs", "resume", reviewed.run_id, "--as", "rosa", "--json")
    assert (resumed.code, resumed.document["status"]) == (4, "waiting_approval")
    assert resumed.document["pending"] == reviewed.report["pending"]


@pytest.mark.proves("E5")
def test_a_fork_begins_where_it_is_told_and_has_no_approval_of_its_parent(
    alone: Casewright, reviewed: Reviewed
) -> None:
    queued = alone("runs", "fork", reviewed.run_id, "--at", "drafter", "--no-now", "--as", "rosa", "--json")
    assert queued.code == 0
    document = queued.document
    assert (document["status"], document["parent"], document["revision"]) == ("queued", reviewed.run_id, 2)
    worked = alone("worker", "--once", "--json")
    assert (worked.code, worked.document["driven"]) == (0, 1)
    forked = alone("runs", "show", document["run_id"], "--as", "rosa", "--json").document
    assert forked["steps"][0] == "drafter"
    approvals = {item["approval_id"] for item in forked["pending"]}
    assert reviewed.approval_id not in approvals


def test_what_nobody_can_be_asked_is_refused_with_its_reason(alone: Casewright, reviewed: Reviewed) -> None:
    retried = alone("runs", "retry", reviewed.run_id, "--as", "rosa", "--json")
    assert (retried.code, "only a run that failed" in retried.refusal) == (1, True)
    asked = alone("runs", "answer", reviewed.run_id, "--as", "rosa", "--json")
    assert (asked.code, "asks nothing" in asked.refusal) == (2, True)
    wrong = alone("runs", "fork", reviewed.run_id, "--at", "act", "--as", "rosa", "--json")
    assert (wrong.code, "no step 'act'" in wrong.refusal) == (2, True)
    both = alone("runs", "events", reviewed.run_id, "--follow", "--as", "rosa", "--json")
    assert (both.code, "choose one" in both.refusal) == (2, True)
    many = alone("worker", "--concurrency", "0", "--json")
    assert (many.code, "not from 1 to 64" in many.refusal) == (2, True)


@pytest.mark.proves("E5", "B2")
def test_who_may_not_review_the_case_may_not_steer_its_run(alone: Casewright, reviewed: Reviewed) -> None:
    for words in (("pause",), ("cancel",), ("retry",), ("fork",), ("resume",), ("answer",)):
        refused = alone("runs", *words, reviewed.run_id, "--as", "lena", "--json")
        assert refused.code in (2, 3), words
    shown = alone("runs", "show", reviewed.run_id, "--as", "rosa", "--json").document
    assert shown == reviewed.report


def test_events_are_listed_from_where_one_left_off(alone: Casewright, reviewed: Reviewed) -> None:
    everything = alone("runs", "events", reviewed.run_id, "--as", "rosa", "--json").document
    assert everything["status"] == "waiting_approval"
    numbers = [event["seq"] for event in everything["events"]]
    assert numbers == list(range(1, len(numbers) + 1))
    kinds = [event["kind"] for event in everything["events"]]
    assert (kinds[0], kinds[-1]) == ("status", "status")
    later = alone("runs", "events", reviewed.run_id, "--after", "5", "--as", "rosa", "--json").document
    assert later["events"] == everything["events"][5:]


@pytest.mark.proves("E5")
def test_a_cancelled_run_can_be_followed_to_its_end(alone: Casewright, reviewed: Reviewed) -> None:
    cancelled = alone("runs", "cancel", reviewed.run_id, "--why", "a duplicate", "--as", "rosa", "--json")
    assert cancelled.document["because"] == "cancelled by rosa: a duplicate"
    followed = alone("runs", "events", reviewed.run_id, "--follow", "--as", "rosa")
    assert followed.code == 0
    assert "status cancelled" in followed.out
