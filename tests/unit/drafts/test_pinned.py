"""Which index states open runs are pinned to, over all tenants."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from casewright.clock import ManualClock
from casewright.drafts.pinned import pinned_states
from casewright.drafts.retrievals import Retrievals
from casewright.storage.database import Database
from casewright.storage.migrate import upgrade
from casewright.storage.run_tables import runs


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    path = tmp_path / "casewright.db"
    upgrade(path)
    opened = Database.sqlite(path)
    yield opened
    await opened.close()


@pytest.mark.proves("A5")
async def test_only_open_runs_pin_a_state_by_what_they_retrieved_or_name(database: Database) -> None:
    retrievals = Retrievals(database, ManualClock(at_ns=1))
    given: dict[str, tuple[str, dict[str, Any]]] = {
        "waiting": ("waiting_approval", {}),
        "broken": ("failed", {}),
        "done": ("completed", {"index": "5-named-by-done"}),
        "stopped": ("cancelled", {}),
        "new": ("queued", {"rules": {"index": "6-named"}, "prompts": ["7-in-a-list"]}),
    }
    async with database.write() as connection:
        for run_id, (status, pins) in given.items():
            row = {"run_id": run_id, "tenant": "harborline", "case_id": "c", "kind": "review", "subject": "rosa"}
            times = {"created_ns": 1, "updated_ns": 1, "report": "", "pins": json.dumps(pins)}
            await connection.execute(insert(runs), row | times | {"status": status})
    for run_id, state in (
        ("waiting", "1-a"),
        ("broken", "2-b"),
        ("done", "3-c"),
        ("stopped", "4-d"),
        ("search-1", "8-e"),
    ):
        await retrievals.record("harborline", run_id, [("d@1#1", "0" * 64)], state)
    await retrievals.record("millbrook", "waiting", [("d@1#1", "0" * 64)], "9-of-another-tenant")
    assert await pinned_states(database) == {"1-a", "2-b", "6-named", "7-in-a-list"}
