"""What the records tell that a run has spent: its calls and model calls in the audit, failed steps in its events.

Committed before anybody acts on them, so they also know of a step that died before its state was kept. It decides
nothing; see `graphs.budget`.
"""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import RowMapping, func, select

from casewright.audit.meter import COUNTED
from casewright.clock import NANOSECONDS
from casewright.models.prices import prices
from casewright.models.provider import Usage
from casewright.storage.database import Database
from casewright.storage.run_tables import run_events
from casewright.storage.tables import audit_events
from graphs.budget import Recorded

FAILED_STEP = "step_failed"
"""Kind of the run event that a step leaves which failed in the middle."""


class Spending(Protocol):
    """Reads what a run has spent, as far as it is recorded."""

    async def of_run(self, tenant: str, run_id: str) -> Recorded: ...


class RecordedSpending:
    """Reads the database; two look-ups by run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_run(self, tenant: str, run_id: str) -> Recorded:
        """What the run itself has spent, without those that it was forked from."""
        of_run = (audit_events.c.tenant == tenant, audit_events.c.run_id == run_id)
        calls = select(func.count()).where(*of_run, audit_events.c.kind.in_(sorted(COUNTED)))
        models = select(audit_events.c.at_ns, audit_events.c.body).where(*of_run, audit_events.c.kind == "model.called")
        failed = select(run_events.c.body).where(run_events.c.run_id == run_id, run_events.c.kind == FAILED_STEP)
        async with self._database.read() as connection:
            called = (await connection.execute(calls)).scalar_one()
            asked = (await connection.execute(models)).mappings().all()
            steps = [json.loads(body) for body in (await connection.execute(failed)).scalars()]
        tokens, cost_micro = _of_models(asked)
        return Recorded(
            calls=called,
            tokens=tokens,
            cost_micro=cost_micro,
            failed_steps=len(steps),
            failed_ms=sum(int(step["milliseconds"]) for step in steps),
        )


def _of_models(rows: Iterable[RowMapping]) -> tuple[int, int]:
    """Tokens and their cost as it is recorded; of records without it, what an unknown model or several providers used
    costs as the dearest.
    """
    tokens = cost_micro = 0
    for row in rows:
        record: dict[str, Any] = json.loads(row["body"])
        usage = Usage(
            input_tokens=record["input_tokens"],
            output_tokens=record["output_tokens"],
            cache_read_tokens=record["cache_read_tokens"],
            cache_write_tokens=record["cache_write_tokens"],
        )
        on = dt.datetime.fromtimestamp(row["at_ns"] // NANOSECONDS, tz=dt.UTC).date()
        tokens += usage.total_tokens
        if record.get("currency"):
            cost_micro += record["cost_micro"]
            continue
        cost_micro += prices().cost(usage, model=record["model"], on=on, certain=not record["degraded"])
    return tokens, cost_micro
