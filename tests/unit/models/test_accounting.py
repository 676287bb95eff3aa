"""What a call cost: every attempt by its own model's price, and never less than it can have been."""

import datetime as dt
from typing import Any

import pytest

from casewright.models.accounting import Attempt, CallRecord, charged
from casewright.models.layer import CallNotes
from casewright.models.prices import read_prices

DAY = dt.date(2026, 11, 21)
TABLE = read_prices(
    'currency = "USD"\n'
    + "".join(
        f'[[price]]\nmodel = "{name}"\nfrom = 2026-01-01\ninput = {price}\noutput = {price}\n'
        f"cache_read = {price}\ncache_write = {price}\n"
        for name, price in (("cheap", 1_000_000), ("dear", 9_000_000), ("offline/extractive", 0))
    )
)
OLD: dict[str, Any] = {
    "task": "research.select",
    "task_version": 1,
    "risk": "medium",
    "prompt_id": "research.select",
    "prompt_version": 1,
    "prompt_hash": "a" * 64,
    "repair_prompt_hash": "",
    "provider": "p",
    "model": "cheap",
    "request_ids": ["req"],
    "input_tokens": 100,
    "output_tokens": 10,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "duration_ms": 5,
    "calls": 1,
    "repairs": 0,
    "degraded": False,
    "outcome": "answered",
    "reason": "",
    "run_id": "run-1",
    "case_id": "c-1",
    "tenant": "t-1",
    "agent": "a",
}
"""A record as it was written before attempts and costs were."""


def attempt(model: str, tokens: int) -> Attempt:
    return Attempt(provider="p", model=model, outcome="answered", input_tokens=tokens)


def record(**changes: Any) -> CallRecord:
    return CallRecord.model_validate(OLD | changes)


@pytest.mark.proves("F5")
@pytest.mark.parametrize(
    ("made", "cost_micro", "priced"),
    [
        (record(), 110, True),
        (record(model="unheard-of"), 990, False),
        (record(model="unheard-of", input_tokens=0, output_tokens=0), 0, True),
        (record(model="offline/extractive", degraded=True), 990, False),
        (record(attempts=(attempt("cheap", 10), attempt("dear", 10))), 100, True),
        (record(attempts=(attempt("cheap", 10), attempt("unheard-of", 10))), 100, False),
        (record(attempts=(attempt("cheap", 0), attempt("offline/extractive", 10)), degraded=True), 0, True),
        (record(cache="hit", calls=0, input_tokens=0, output_tokens=0), 0, True),
    ],
    ids=["one", "no price", "nothing used", "old, degraded", "two models", "one of two", "fell back", "cache"],
)
def test_a_call_costs_what_its_attempts_did_or_says_that_it_is_the_most(
    made: CallRecord, cost_micro: int, priced: bool
) -> None:
    kept = charged(made, CallNotes(), TABLE, DAY)
    assert (kept.cost_micro, kept.priced, kept.currency) == (cost_micro, priced, "USD")


@pytest.mark.proves("F5")
def test_a_request_that_was_given_up_is_added_as_what_it_could_have_cost_and_said_to_be() -> None:
    kept = charged(record(), CallNotes(given_up_cost_micro=1_000), TABLE, DAY)
    assert (kept.cost_micro, kept.priced) == (1_110, False)


def test_a_record_of_before_is_read_and_says_that_nobody_worked_out_its_cost() -> None:
    assert (record().currency, record().cost_micro, record().attempts, record().cache) == ("", 0, (), "off")
