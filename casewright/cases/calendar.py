"""Business days, from the `holidays` package: Monday to Friday without U.S. federal holidays.

Source of the notion: 12 CFR 1005.2(d), a day on which the offices of the institution are open
to the public for substantially all business functions. An institution that opens on Saturdays
needs another calendar; there is deliberately no switch for it here. A federal holiday that
falls on a weekend is left out on its observed weekday too.
"""

import datetime as dt
from functools import lru_cache

import holidays

from casewright.errors import InputError

CALENDAR = "US federal holidays"
"""Name of the calendar, as results carry it."""
FIRST_YEAR, LAST_YEAR = 1971, 2099
"""The Uniform Monday Holiday Act took effect in 1971; the package's rules end in 2100."""
MAX_DAYS = 10_000
_SATURDAY = 5
_ONE_DAY = dt.timedelta(days=1)


def is_business_day(day: dt.date) -> bool:
    """Whether offices are open on `day`.

    Raises:
        InputError: the calendar does not reach that year.
    """
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InputError(
            f"the business-day calendar {CALENDAR!r} covers {FIRST_YEAR} to {LAST_YEAR}, not {day.isoformat()!r}; "
            "correct the date"
        )
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


def add_business_days(start: dt.date, count: int) -> dt.date:
    """The `count`-th business day after `start`; counting starts on the day after.

    `count` 0 gives `start` itself, business day or not.

    Raises:
        InputError: `count` is negative or absurd, or the calendar does not reach that far.
    """
    if not 0 <= count <= MAX_DAYS:
        raise InputError(f"{count!r} business days cannot be added; give a whole number from 0 to {MAX_DAYS}")
    if count:
        is_business_day(start)  # the calendar must reach the start too
    day = start
    remaining = count
    while remaining:
        day += _ONE_DAY
        remaining -= is_business_day(day)
    return day


def add_calendar_days(start: dt.date, count: int) -> dt.date:
    """The `count`-th day after `start`, weekends and holidays included.

    Raises:
        InputError: `count` is negative or absurd, or the date does not exist.
    """
    if not 0 <= count <= MAX_DAYS:
        raise InputError(f"{count!r} days cannot be added; give a whole number from 0 to {MAX_DAYS}")
    try:
        return start + dt.timedelta(days=count)
    except OverflowError as error:
        raise InputError(f"{count} days after {start.isoformat()!r} is no date; correct the start") from error


def business_days_between(start: dt.date, end: dt.date) -> int:
    """How many business days lie after `start` up to and including `end`; 0 when `end` is not later.

    Raises:
        InputError: the calendar does not reach that far.
    """
    if end <= start:
        return 0
    for reached in (start, end):
        is_business_day(reached)
    days = (dt.date.fromordinal(ordinal) for ordinal in range(start.toordinal() + 1, end.toordinal() + 1))
    return sum(is_business_day(day) for day in days)


@lru_cache(maxsize=256)
def _holidays(year: int) -> frozenset[dt.date]:
    """Federal holidays of a year, observed days included; New Year's Day may be observed on the day before it."""
    return frozenset(holidays.country_holidays("US", years=year, observed=True).keys())
