"""What a model call cost and what it was: one record per task run, and sums over records.

A record holds no prompt text and no reply text, so it may go to the audit and to logs.
"""

from collections.abc import Iterable
from typing import Literal, Protocol

from casewright.contracts.base import Contract
from casewright.models.provider import Usage


class CallRecord(Contract):
    """One run of one task, whatever came of it; integers only, ready for canonical JSON."""

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
    run_id: str
    case_id: str
    tenant: str
    agent: str


class Recorder(Protocol):
    """Where records go. A record that cannot be kept ends the call: nothing is used unrecorded."""

    async def record(self, record: CallRecord) -> None: ...


class MemoryRecorder:
    """Keeps records in order for as long as it lives; for one process, tests and reports."""

    def __init__(self) -> None:
        self._records: list[CallRecord] = []

    async def record(self, record: CallRecord) -> None:
        self._records.append(record)

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
