"""Sums over recorded calls: by task, model, run, case, tenant and day, with what is only an upper bound marked."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.models.accounting import Attempt, CallRecord
from casewright.models.costs import By, RecordedCall, sums
from casewright.models.prices import read_prices
from tests.unit.models.test_accounting import OLD

FIRST, SECOND = dt.date(2026, 11, 20), dt.date(2026, 11, 21)
TABLE = read_prices(
    'currency = "USD"\n'
    + "".join(
        f'[[price]]\nmodel = "{name}"\nfrom = {day}\ninput = {price}\noutput = {price}\n'
        f"cache_read = {price}\ncache_write = {price}\n"
        for name, day, price in (("a", FIRST, 1_000_000), ("a", SECOND, 2_000_000), ("b", FIRST, 3_000_000))
    )
)
NEW: dict[str, Any] = OLD | {"currency": "USD", "priced": True, "input_tokens": 0, "output_tokens": 0, "model": "a"}


def made(*, day: dt.date = SECOND, **changes: Any) -> RecordedCall:
    return RecordedCall(record=CallRecord.model_validate(NEW | changes), day=day)


CALLS = (
    made(task="one", cost_micro=10, run_id="r-1", case_id="", input_tokens=50, cache_read_tokens=50, cache="miss"),
    made(task="two", cost_micro=30, run_id="r-2", day=FIRST, priced=False, cache_write_tokens=100, degraded=True),
    made(task="one", cost_micro=0, run_id="r-2", cache="hit", calls=0),
    made(task="two", cost_micro=5, run_id="r-1", outcome="failed", model="", provider=""),
)


@pytest.mark.proves("F5")
@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("task", [("two", 2, 35, False), ("one", 2, 10, True)]),
        ("run", [("r-2", 2, 30, False), ("r-1", 2, 15, True)]),
        ("case", [("c-1", 3, 35, False), ("no case", 1, 10, True)]),
        ("tenant", [("t-1", 4, 45, False)]),
        ("day", [("2026-11-20", 1, 30, False), ("2026-11-21", 3, 15, True)]),
        ("model", [("a", 3, 40, False), ("no model", 1, 5, True)]),
    ],
)
def test_calls_add_up_by_what_is_asked_for_and_say_where_a_sum_is_a_bound(
    by: By, expected: list[tuple[str, int, int, bool]]
) -> None:
    groups, total = sums(CALLS, by, TABLE)
    assert [(one.name, one.calls, one.cost_micro, one.priced) for one in groups] == expected
    assert (total.calls, total.failed, total.degraded, total.cost_micro, total.priced) == (4, 1, 1, 45, False)


@pytest.mark.proves("F5", "F6")
def test_the_hit_rates_of_both_caches_are_told() -> None:
    groups, total = sums(CALLS, "task", TABLE)
    by_name = {one.name: one for one in groups}
    assert (by_name["one"].prompt_cache_percent, by_name["one"].answer_cache_percent) == (50, 50)
    assert (by_name["two"].prompt_cache_percent, by_name["two"].answer_cache_percent) == (0, None)
    assert (total.prompt_cache_percent, total.hits, total.misses) == (25, 1, 1)


@pytest.mark.proves("F5")
def test_by_model_each_one_has_what_it_used_and_what_was_given_up_stands_apart() -> None:
    attempts = [
        Attempt(provider="p", model="b", outcome="invalid", input_tokens=10),
        Attempt(provider="p", model="a", outcome="answered", input_tokens=10),
    ]
    call = made(attempts=attempts, input_tokens=20, cost_micro=30 + 20 + 7, priced=False)
    groups, total = sums([call], "model", TABLE)
    told = [(one.name, one.calls, one.usage.total_tokens, one.cost_micro, one.priced) for one in groups]
    assert told == [("b", 0, 10, 30, True), ("a", 1, 10, 20, True), ("given up on its way", 0, 0, 7, False)]
    assert total.cost_micro == 57


def test_a_record_of_before_costs_what_its_model_cost_on_its_day() -> None:
    before = {"currency": "", "priced": False, "input_tokens": 10}
    groups, total = sums([made(day=FIRST, **before), made(day=SECOND, **before)], "day", TABLE)
    assert [(one.cost_micro, one.priced) for one in groups] == [(10, True), (20, True)]
    assert total.cost_micro == 30


@given(
    st.lists(
        st.builds(
            made,
            task=st.sampled_from(["one", "two"]),
            run_id=st.sampled_from(["r-1", "r-2"]),
            day=st.sampled_from([FIRST, SECOND]),
            cost_micro=st.integers(0, 10**9),
            input_tokens=st.integers(0, 10**6),
            priced=st.booleans(),
        )
    ),
    st.sampled_from(["task", "model", "run", "case", "tenant", "day"]),
)
def test_nothing_is_lost_between_the_groups_and_the_total(calls: list[RecordedCall], by: By) -> None:
    groups, total = sums(calls, by, TABLE)
    assert sum(one.cost_micro for one in groups) == total.cost_micro == sum(one.record.cost_micro for one in calls)
    assert sum(one.usage.total_tokens for one in groups) == total.usage.total_tokens
    assert sum(one.calls for one in groups) == total.calls == len(calls)
    assert all(one.priced for one in groups) == total.priced
