"""Business days: federal holidays and weekends are left out, counting starts on the day after."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.cases.calendar import (
    add_business_days,
    add_calendar_days,
    business_days_between,
    is_business_day,
)
from casewright.errors import InputError

pytestmark = pytest.mark.proves("B4")
DATES = st.dates(dt.date(1971, 1, 1), dt.date(2090, 1, 1))
COUNTS = st.integers(0, 90)


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        ("2026-03-04", 10, "2026-03-18"),
        ("2026-03-06", 1, "2026-03-09"),
        ("2026-03-07", 1, "2026-03-09"),
        ("2026-06-17", 2, "2026-06-22"),
        ("2026-07-02", 1, "2026-07-06"),
        ("2021-12-30", 1, "2022-01-03"),
        ("2026-11-25", 1, "2026-11-27"),
        ("2026-01-16", 1, "2026-01-20"),
        ("2020-06-18", 1, "2020-06-19"),
        ("2026-03-07", 0, "2026-03-07"),
    ],
    ids=[
        "two plain weeks",
        "over a weekend",
        "from a Saturday",
        "Juneteenth on a Friday",
        "Independence Day observed on Friday",
        "New Year's Day observed in the old year",
        "Thanksgiving",
        "Martin Luther King Day",
        "before Juneteenth was a holiday",
        "no days at all",
    ],
)
def test_business_days_are_counted_from_the_day_after(start: str, count: int, due: str) -> None:
    assert add_business_days(dt.date.fromisoformat(start), count) == dt.date.fromisoformat(due)


@given(DATES, COUNTS)
def test_counting_back_gives_the_number_that_was_added(start: dt.date, count: int) -> None:
    assert business_days_between(start, add_business_days(start, count)) == count


@given(DATES, COUNTS.filter(bool))
def test_a_due_day_is_a_day_on_which_offices_are_open(start: dt.date, count: int) -> None:
    assert is_business_day(add_business_days(start, count))


@given(DATES, COUNTS, COUNTS)
def test_adding_in_two_steps_from_a_due_day_is_adding_at_once(start: dt.date, first: int, then: int) -> None:
    assert add_business_days(add_business_days(start, first), then) == add_business_days(start, first + then)


@given(DATES, st.integers(0, 400))
def test_there_are_never_more_business_days_than_days(start: dt.date, span: int) -> None:
    assert 0 <= business_days_between(start, start + dt.timedelta(days=span)) <= span


@given(DATES, COUNTS)
def test_calendar_days_leave_nothing_out(start: dt.date, count: int) -> None:
    assert (add_calendar_days(start, count) - start).days == count


def test_nothing_lies_between_a_day_and_an_earlier_one() -> None:
    assert business_days_between(dt.date(2026, 3, 4), dt.date(2026, 3, 1)) == 0


@pytest.mark.parametrize(
    ("start", "count"),
    [
        (dt.date(1812, 3, 4), 1),
        (dt.date(2099, 12, 31), 1),
        (dt.date.max, 1),
        (dt.date(2026, 3, 4), -1),
        (dt.date(2026, 3, 4), 10_001),
    ],
)
def test_a_count_beyond_the_calendar_is_refused_instead_of_guessed(start: dt.date, count: int) -> None:
    with pytest.raises(InputError, match=r"covers 1971 to 2099|cannot be added"):
        add_business_days(start, count)


def test_a_calendar_day_beyond_all_dates_is_refused() -> None:
    with pytest.raises(InputError, match="correct the start"):
        add_calendar_days(dt.date.max, 1)
