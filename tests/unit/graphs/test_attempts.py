"""A failed step is tried again after growing pauses, and after the last attempt the run rests as failed."""

import pytest

from casewright.clock import NANOSECONDS, iso
from casewright.errors import UnavailableError
from graphs.attempts import MAX_ATTEMPTS, PAUSES_SECONDS, after_failure, reason_of
from graphs.records import RunRow
from graphs.seals import TamperedError

NOW_NS = 1_800_000_000_000_000_000
ERROR = UnavailableError("the database is in use")


def row(attempts: int) -> RunRow:
    return RunRow(
        run_id="run-1",
        tenant="harborline",
        case_id="HL-1",
        kind="review",
        subject="rosa",
        status="running",
        created_ns=0,
        updated_ns=0,
        report=None,
        parent="",
        revision=1,
        waiting_for="",
        waiting_revision=0,
        wanted="",
        wanted_by="",
        wanted_why="",
        attempts=attempts,
        not_before_ns=0,
        pins={},
    )


@pytest.mark.proves("E5")
def test_every_attempt_but_the_last_is_followed_by_a_longer_pause() -> None:
    pauses: list[int] = []
    for attempts in range(MAX_ATTEMPTS - 1):
        change = after_failure(row(attempts), ERROR, progressed=False, now_ns=NOW_NS)
        assert (change.status, change.values["attempts"]) == ("queued", attempts + 1)
        pauses.append((change.values["not_before_ns"] - NOW_NS) // NANOSECONDS)
    assert tuple(pauses) == PAUSES_SECONDS == tuple(sorted(set(PAUSES_SECONDS)))
    first = after_failure(row(0), ERROR, progressed=False, now_ns=NOW_NS)
    due = iso(NOW_NS + PAUSES_SECONDS[0] * NANOSECONDS)
    assert first.because == f"attempt 1 failed because the database is in use; the next is due at {due}"
    last = after_failure(row(MAX_ATTEMPTS - 1), ERROR, progressed=False, now_ns=NOW_NS)
    assert last.status == "failed"
    assert last.because == "a step failed 5 time(s), the last time because the database is in use"


def test_attempts_are_counted_for_one_step_and_not_for_the_whole_run() -> None:
    change = after_failure(row(MAX_ATTEMPTS - 1), ERROR, progressed=True, now_ns=NOW_NS)
    assert (change.status, change.values["attempts"]) == ("queued", 1)


def test_what_no_attempt_can_mend_fails_at_once() -> None:
    change = after_failure(row(0), TamperedError("changed"), progressed=False, now_ns=NOW_NS)
    assert (change.status, change.values["attempts"]) == ("failed", 1)


def test_a_process_that_is_stopped_has_not_failed() -> None:
    change = after_failure(row(2), KeyboardInterrupt(), progressed=False, now_ns=NOW_NS)
    assert (change.status, dict(change.values)) == ("queued", {})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("no index in '/srv/case data/home/index'; run it", "no index in 'index'; run it"),
        ("no index in '/index'", "no index in 'index'"),
        ("/srv/home/index is gone", "index is gone"),
        (
            "see http://localhost/v1/runs, fact transactions/t1/amount",
            "see http://localhost/v1/runs, fact transactions/t1/amount",
        ),
        ("'a' or 'b' / 'c'", "'a' or 'b' / 'c'"),
    ],
)
def test_where_files_are_on_the_machine_is_told_to_nobody(said: str, told: str) -> None:
    assert reason_of(UnavailableError(said)) == told


def test_the_text_of_an_error_that_nobody_expected_is_told_to_nobody() -> None:
    change = after_failure(row(0), ValueError("account 4111"), progressed=False, now_ns=NOW_NS)
    assert "4111" not in change.because
    assert "ValueError" in change.because
