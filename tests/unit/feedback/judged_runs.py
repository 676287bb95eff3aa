"""Runs that have answered something, over the real stores."""

import json
from typing import Any

from sqlalchemy import insert, update

from casewright.contracts.principal import Principal
from casewright.contracts.recommendation import DraftVersion
from casewright.feedback.store import FeedbackStore
from casewright.storage.run_tables import run_events, runs
from tests.unit.audit.kernel import CASE, ROSA, START_NS, Kernel, caller
from tests.unit.drafts.library import cite, finding, in_force, recommendation

RUN = "run-1"
QUESTION = "ask-1"
PINS = {"graph": 2, "prompts": "p" * 64}


def store(world: Kernel) -> FeedbackStore:
    return FeedbackStore(world.database, world.audit, world.clock)


async def begin(world: Kernel, run_id: str = RUN, *, by: Principal = ROSA, case_id: str = CASE) -> None:
    """A run that has not answered."""
    row: dict[str, Any] = {
        "run_id": run_id,
        "tenant": by.tenant,
        "case_id": case_id,
        "kind": "review" if case_id else "ask",
        "subject": by.id,
        "status": "running",
        "created_ns": START_NS,
        "updated_ns": START_NS,
        "report": "",
        "pins": json.dumps(PINS),
    }
    async with world.database.write() as connection:
        await connection.execute(insert(runs).values(row))


async def review(world: Kernel, *claims: str, draft_id: str | None = None) -> DraftVersion:
    """The run's report shows a new version of a draft whose findings quote the first clauses in force."""
    chosen = in_force()[: len(claims) or 2]
    findings = [
        finding(claim, cite(clause), facts={"case/received_on": "2026-03-04"})
        for claim, clause in zip(claims or ("One.", "Two."), chosen, strict=True)
    ]
    made = recommendation(*findings)
    saved = await world.drafts.save(made, caller=caller(agent="drafter"), draft_id=draft_id)
    report = {"draft_id": saved.draft_id, "recommendation": made.model_dump(mode="json")}
    values = {"status": "completed", "report": json.dumps(report)}
    async with world.database.write() as connection:
        await connection.execute(update(runs).where(runs.c.run_id == RUN).values(values))
    return saved


async def answer(world: Kernel, body: dict[str, Any]) -> None:
    """The question's run has answered this."""
    row = {"run_id": QUESTION, "seq": 1, "at_ns": START_NS, "kind": "answered", "body": json.dumps(body)}
    async with world.database.write() as connection:
        await connection.execute(insert(run_events).values(row))
