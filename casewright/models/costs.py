"""What recorded model calls add up to, by task, model, run, case, tenant or day; pure of storage and of output.

A call of which nobody worked out the cost when it was recorded is priced now, as of its day. A sum in which some amount
is only the most it can have been is marked as such (`priced` False).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from casewright.models.accounting import CallRecord, charged, usage_of
from casewright.models.layer import CallNotes
from casewright.models.prices import Cost, PriceTable
from casewright.models.provider import Usage

By = Literal["task", "model", "run", "case", "tenant", "day"]
NO_MODEL = "no model"
NO_CASE = "no case"
GIVEN_UP = "given up on its way"


@dataclass(frozen=True, kw_only=True)
class RecordedCall:
    """A record and the day it was made."""

    record: CallRecord
    day: dt.date


@dataclass(kw_only=True)
class Sum:
    """What the calls of one group add up to; money in millionths of the currency."""

    name: str
    calls: int = 0
    failed: int = 0
    degraded: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_micro: int = 0
    estimated_micro: int = 0
    """What was held to be the most, before the calls."""
    priced: bool = True
    hits: int = 0
    """Answers that were given again."""
    misses: int = 0

    @property
    def prompt_cache_percent(self) -> int | None:
        """How much of what was read came from the service's cache; None: nothing was read."""
        usage = self.usage
        read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        return 100 * usage.cache_read_tokens // read if read else None

    @property
    def answer_cache_percent(self) -> int | None:
        """How many of the calls that looked for a kept answer found one; None: none looked."""
        looked = self.hits + self.misses
        return 100 * self.hits // looked if looked else None

    def add(self, record: CallRecord) -> None:
        """Count a whole call."""
        self.calls += 1
        self.failed += record.outcome == "failed"
        self.degraded += record.degraded
        self.hits += record.cache == "hit"
        self.misses += record.cache == "miss"
        self.estimated_micro += record.estimated_cost_micro
        self.spend(usage_of(record), Cost(micro=record.cost_micro, exact=record.priced))

    def spend(self, usage: Usage, cost: Cost) -> None:
        self.usage = self.usage + usage
        self.cost_micro += cost.micro
        self.priced = self.priced and cost.exact


def sums(calls: Iterable[RecordedCall], by: By, prices: PriceTable) -> tuple[tuple[Sum, ...], Sum]:
    """The groups, days in order and others the dearest first, and the total."""
    groups: dict[str, Sum] = {}
    total = Sum(name="total")
    for call in calls:
        record = costed(call, prices)
        total.add(record)
        if by == "model":
            _add_by_model(groups, record, call.day, prices)
        else:
            name = _name(record, call.day, by)
            groups.setdefault(name, Sum(name=name)).add(record)
    ordered = sorted(groups.values(), key=lambda one: one.name)
    if by != "day":
        ordered.sort(key=lambda one: one.cost_micro, reverse=True)
    return tuple(ordered), total


def costed(call: RecordedCall, prices: PriceTable) -> CallRecord:
    """The record with its cost: as it was recorded, or else as of its day."""
    return call.record if call.record.currency else charged(call.record, CallNotes(), prices, call.day)


def _name(record: CallRecord, day: dt.date, by: By) -> str:
    match by:
        case "task":
            return record.task
        case "model":
            return record.model or NO_MODEL
        case "run":
            return record.run_id
        case "case":
            return record.case_id or NO_CASE
        case "tenant":
            return record.tenant
        case "day":
            return day.isoformat()


def _add_by_model(groups: dict[str, Sum], record: CallRecord, day: dt.date, prices: PriceTable) -> None:
    """The call counts for the model that answered, and each model for what it used."""
    name = record.model or NO_MODEL
    answered = groups.setdefault(name, Sum(name=name))
    if not record.attempts:
        return answered.add(record)
    answered.add(record.model_copy(update=_NOTHING_SPENT))
    rest = Cost(micro=record.cost_micro, exact=record.priced)
    for attempt in record.attempts:
        cost = prices.priced(attempt.usage, model=attempt.model, on=day)
        groups.setdefault(attempt.model, Sum(name=attempt.model)).spend(attempt.usage, cost)
        rest = Cost(micro=rest.micro - cost.micro, exact=rest.exact)
    if rest.micro > 0:
        groups.setdefault(GIVEN_UP, Sum(name=GIVEN_UP)).spend(Usage(), rest)
    return None


_NOTHING_SPENT = {
    "input_tokens": 0,
    "output_tokens": 0,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "cost_micro": 0,
    "priced": True,
}
