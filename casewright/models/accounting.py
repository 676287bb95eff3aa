"""What a model call cost and what it was: one record per task run, and sums over records.

A record holds no prompt text and no reply text, so it may go to the audit and to logs.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Literal, Protocol

from casewright.clock import SystemClock, today
from casewright.contracts.base import Contract
from casewright.models.layer import CallNotes
from casewright.models.prices import NOTHING, Cost, PriceTable, prices
from casewright.models.provider import Usage


class Attempt(Contract):
    """One time that one model was to be asked; of a call that was retried, mended or passed on there are several."""

    provider: str
    model: str
    """As the reply named it, or else as it was asked for."""
    outcome: Literal["answered", "invalid", "failed", "refused"]
    """`invalid`: the reply did not hold; `failed`: there was none; `refused`: nothing was sent."""
    reason: str = ""
    """Why it was not `answered`; carries no text of the input or of a reply."""
    request_id: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    calls: int = 1
    """Requests that were sent."""
    duration_ms: int = 0

    @property
    def usage(self) -> Usage:
        return Usage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cache_read_tokens=self.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens,
        )


class CallRecord(Contract):
    """One run of one task, whatever came of it; integers only, ready for canonical JSON.

    Records of before attempts, costs and recordings were kept lack the fields that have a default.
    """

    task: str
    task_version: int
    risk: Literal["low", "medium", "high"]
    prompt_id: str
    prompt_version: int
    prompt_hash: str
    """SHA-256 of the prompt file's bytes."""
    repair_prompt_hash: str
    """Of the prompt that asked for a correction; empty: none was asked for."""
    provider: str
    """Of the accepted answer; empty: there was none."""
    model: str
    request_ids: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    duration_ms: int
    calls: int
    """Requests sent, retries and repairs included."""
    repairs: int
    degraded: bool
    """True: not the first provider answered."""
    outcome: Literal["answered", "failed"]
    reason: str
    """Why it was degraded or failed; empty otherwise."""
    left_out: int = 0
    """Pieces of evidence, the lowest ranked, that were not sent because the input was too long for the model."""
    run_id: str
    case_id: str
    tenant: str
    agent: str
    call_id: str = ""
    """Names what is kept of the call beside the audit; empty: nothing is."""
    attempts: tuple[Attempt, ...] = ()
    """In their order; their tokens add up to those above."""
    cache: Literal["hit", "miss", "off"] = "off"
    """Of answers: `hit`: an answer was given again and nobody was asked; `off`: it was not looked for."""
    estimated_tokens: int = 0
    """What was held to be the most that the requests could use, before they were sent; 0: nobody estimated."""
    estimated_cost_micro: int = 0
    cost_micro: int = 0
    """What it cost, in millionths of `currency`."""
    currency: str = ""
    """Empty: nobody worked out what it cost."""
    priced: bool = False
    """True: every model that was asked has a price. False: `cost_micro` is the most it can have cost."""
    sent: tuple[str, ...] = ()
    """What left for where, and the policy revision that let it."""
    cassettes: tuple[str, ...] = ()
    """The addresses of what was exchanged with models, in order."""
    output_sha256: str = ""
    """Of the answer as JSON; empty: there was none, or it is of before it was kept."""


class Recorder(Protocol):
    """Where records go. A record that cannot be kept ends the call: nothing is used unrecorded."""

    async def record(self, record: CallRecord, notes: CallNotes) -> CallRecord:
        """Keep a record with what the layers noted of its call; the record as it was kept, with its cost."""
        ...


class MemoryRecorder:
    """Keeps records in order for as long as it lives; for one process, tests and reports."""

    def __init__(self) -> None:
        self._records: list[CallRecord] = []

    async def record(self, record: CallRecord, notes: CallNotes) -> CallRecord:
        kept = charged(record, notes, prices(), today(SystemClock()))
        self._records.append(kept)
        return kept

    @property
    def records(self) -> tuple[CallRecord, ...]:
        return tuple(self._records)


AccountKey = Literal["task", "model", "run_id", "case_id", "tenant"]


def usage_by(key: AccountKey, records: Iterable[CallRecord]) -> dict[str, Usage]:
    """Sum the tokens of `records` by task, model, run, case or tenant."""
    sums: dict[str, Usage] = {}
    for record in records:
        name = str(getattr(record, key))
        sums[name] = sums.get(name, Usage()) + usage_of(record)
    return sums


def usage_of(record: CallRecord) -> Usage:
    """The tokens of one record."""
    return Usage(
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        cache_read_tokens=record.cache_read_tokens,
        cache_write_tokens=record.cache_write_tokens,
    )


def charged(record: CallRecord, notes: CallNotes, table: PriceTable, on: dt.date) -> CallRecord:
    """`record` with what it cost on a date: every attempt by its own model's price.

    A request that was given up on its way may have been worked on, so it counts as what it was estimated to cost.
    """
    cost = _cost(record, table, on)
    if notes.given_up_cost_micro:
        cost = cost + Cost(micro=notes.given_up_cost_micro, exact=False)
    values = {"cost_micro": cost.micro, "currency": table.currency, "priced": cost.exact}
    return record.model_copy(update=values)


def _cost(record: CallRecord, table: PriceTable, on: dt.date) -> Cost:
    if record.attempts:
        return table.sum(((one.model, one.usage) for one in record.attempts), on=on)
    if record.cache == "hit":
        return NOTHING
    model = "" if record.degraded else record.model  # somebody else was asked before, and nobody says for how much
    return table.priced(usage_of(record), model=model, on=on)
