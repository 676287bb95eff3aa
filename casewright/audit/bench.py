"""How long an append takes, beside the bare insert it could be at best; for `casewright bench`.

It measures on a database of its own in the folder it is given, and asserts nothing. All times
are milliseconds of wall clock.
"""

import asyncio
import math
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.audit.recording import RecordingRules
from casewright.audit.records import DecisionRecord
from casewright.canonical import digest
from casewright.clock import SystemClock
from casewright.contracts.base import Contract
from casewright.errors import InputError
from casewright.identity.keys import SigningKey
from casewright.storage.database import Database
from casewright.storage.migrate import upgrade

CONCURRENT = 64
_WARM_UP = 50
_INPUT: dict[str, Any] = {
    "schema": "input/v1",
    "mode": "call",
    "principal": {"id": "rosa", "tenant": "harborline", "roles": ["reviewer"], "clearance": "confidential"},
    "actor": {"kind": "agent", "agent": "intake", "run_id": "run-1", "case_id": "HL-2026-0001", "step": "intake"},
    "tool": {"server": "case_facts", "name": "get_case", "verb": "read", "risk": "low", "definition_hash": "b" * 64},
    "resource": {"kind": "case", "id": "HL-2026-0001", "tenant": "harborline", "assigned_to": ["rosa"]},
    "arguments": {"case_id": "HL-2026-0001", "fields": ["parties", "timeline"]},
    "provenance": {"case_id": "case", "fields": "model"},
    "context": {"now_ns": "1772500000000000000", "step": 3, "budgets": {"tool_calls": 7}, "release": "bench"},
}


class Timing(Contract):
    """Percentiles over single calls, in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


class AppendFigures(Contract):
    """One run of `measure_append`."""

    appends: int = Field(ge=1)
    """Of each kind."""
    bare_lagging: Timing
    """One row inserted and committed by sqlite3 alone, `synchronous=NORMAL`."""
    bare_durable: Timing
    """The same with `synchronous=FULL`."""
    lagging: Timing
    """`AuditLog.append` of an allowed read."""
    durable: Timing
    """`AuditLog.append` of an allowed consequence."""
    recorded: Timing
    """`AuditLog.append` of an allowed read with the record of its decision."""
    concurrent: int
    """Appends under way at a time, for the throughputs."""
    lagging_per_second: float
    durable_per_second: float


async def measure_append(folder: Path, *, appends: int = 2_000) -> AppendFigures:
    """Measure in `folder`, which has to be empty and on the disk that the data folder is on.

    Raises:
        InputError: `appends` is not positive, or the folder holds something.
        StorageError: nothing can be written there.
    """
    if appends < 1:
        raise InputError(f"{appends} appends measure nothing; ask for at least 1")
    _set_up(folder)
    database = Database.sqlite(folder / "casewright.db")
    bench = _Bench(AuditLog(database, SigningKey.generate(), SystemClock()))
    try:
        return AppendFigures(
            appends=appends,
            bare_lagging=_bare(folder / "bare.db", appends, durable=False),
            bare_durable=_bare(folder / "bare.db", appends, durable=True),
            lagging=await _timed(bench.lagging, appends),
            durable=await _timed(bench.durable, appends),
            recorded=await _timed(bench.recorded, appends),
            concurrent=CONCURRENT,
            lagging_per_second=await _throughput(bench.lagging, appends),
            durable_per_second=await _throughput(bench.durable, appends),
        )
    finally:
        await database.close()


def _set_up(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"the folder {str(folder)!r} is not empty; name a new one")
    upgrade(folder / "casewright.db")


class _Bench:
    """Appends of entries as the guard makes them."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._input_digest = digest(_INPUT)
        self._count = 0

    async def lagging(self) -> None:
        await self._log.append(_entry(self._named()), durable=False)

    async def durable(self) -> None:
        await self._log.append(_entry(self._named()), durable=True)

    async def recorded(self) -> None:
        named = self._named() | {"input_digest": self._input_digest}
        record = DecisionRecord(
            **named,
            mode="call",
            server="case_facts",
            tool="get_case",
            effect="permit",
            codes=("access.assigned",),
            revision="c" * 64,
            engine="embedded",
            input=_INPUT,
            recording=RecordingRules(paths={"tool": "keep", "context": "keep", "actor": "keep", "resource": "redact"}),
        )
        await self._log.append(_entry(named), record=record, durable=False)

    def _named(self) -> dict[str, str]:
        self._count += 1
        return {"decision_id": f"dec-{self._count:032x}", "input_digest": "d" * 64}


def _entry(named: dict[str, str]) -> AuditEntry:
    body: dict[str, Any] = {
        "server": "case_facts",
        "tool": "get_case",
        "arguments": {"case_id": "HL-2026-0001", "fields": ["parties", "timeline"]},
        "arguments_digest": "a" * 64,
        "definition_hash": "b" * 64,
        "effect": "permit",
        "reasons": ["access.assigned"],
        "obligations": ["audit", "redact"],
        "policy_revision": "c" * 64,
    }
    return AuditEntry(
        kind="call.allowed",
        tenant="harborline",
        subject="rosa",
        agent="intake",
        run_id="run-1",
        case_id="HL-2026-0001",
        body=body | named,
    )


def _bare(path: Path, count: int, *, durable: bool) -> Timing:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        text = str(_entry({}).body)
        taken: list[float] = []
        for _ in range(count):
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO rows (body) VALUES (?)", (text,))
            connection.execute("COMMIT")
            taken.append(time.perf_counter() - began)
        return _timing(taken)
    finally:
        connection.close()


async def _timed(append: Callable[[], Awaitable[None]], count: int) -> Timing:
    for _ in range(min(_WARM_UP, count)):
        await append()
    taken: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        await append()
        taken.append(time.perf_counter() - began)
    return _timing(taken)


async def _throughput(append: Callable[[], Awaitable[None]], count: int) -> float:
    """Appends per second with `CONCURRENT` callers that each wait for their own."""
    rounds = math.ceil(count / CONCURRENT)

    async def caller() -> None:
        for _ in range(rounds):
            await append()

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CONCURRENT)))
    return round(rounds * CONCURRENT / (time.perf_counter() - began), 1)


def _timing(taken: list[float]) -> Timing:
    ordered = sorted(taken)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] * 1_000, 3)

    return Timing(p50_ms=at(0.5), p95_ms=at(0.95), p99_ms=at(0.99))
