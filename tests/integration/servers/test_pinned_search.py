"""The search of a run: in the state of the index that the run was begun with, which its token cannot choose."""

import json
from pathlib import Path

import pytest
from sqlalchemy import insert

from casewright.corpus.manifest import Submission
from casewright.storage.run_tables import runs
from tests.support.installation import Bearer, World, structured

pytestmark = pytest.mark.thorough
QUERY = "lobster dinner reimbursed within how many days"
ADDED = """---
title: Dinners
document_id: hl-dinner
version: '1'
effective_from: 2024-01-01
status: published
---

# Dinners

**1.1** A lobster dinner is reimbursed within ten days.
"""


async def begun(world: World, run_id: str, pins: dict[str, str], *, tenant: str = "harborline") -> None:
    row = {"run_id": run_id, "tenant": tenant, "case_id": "HL-2026-0001", "kind": "review", "subject": "rosa"}
    row |= {"status": "running", "report": "", "pins": json.dumps(pins)}
    async with world.services.database.write() as connection:
        await connection.execute(insert(runs).values({**row, "created_ns": 1, "updated_ns": 1}))


async def finds(world: World, run_id: str) -> tuple[bool, str]:
    """Whether the researcher of a run finds the added document, and in which state."""
    bearer = Bearer(run_id=run_id, agent="policy_researcher", scopes=("search_policies",))
    found = structured(await world.call("policy-search", "search_policies", {"query": QUERY}, bearer=bearer))
    return "hl-dinner" in {hit["document_id"] for hit in found["hits"]}, found["index_version"]


@pytest.mark.proves("E4", "A5")
async def test_a_run_searches_the_state_it_was_begun_with_and_everybody_else_the_active_one(
    world: World, tmp_path: Path
) -> None:
    before = world.services.corpus.index_version()
    added = tmp_path / "dinner.md"
    added.write_text(ADDED, encoding="utf-8")
    approved = Submission(by="selma", at="2026-01-02T03:04:05Z", approved=True)
    world.services.corpus.ingest([added], tenant="harborline", submission=approved)
    after = world.services.corpus.index_version()
    assert before != after, "nothing was ingested"
    await begun(world, "run-pinned", {"index_version": before})
    await begun(world, "run-later", {"index_version": after})
    await begun(world, "run-unpinned", {})
    await begun(world, "run-gone", {"index_version": "i-pruned"})
    await begun(world, "run-elsewhere", {"index_version": before}, tenant="millbrook")
    assert await finds(world, "run-pinned") == (False, before)
    for run_id in ("run-later", "run-unpinned", "run-gone", "run-elsewhere", "run-unknown"):
        assert await finds(world, run_id) == (True, after), run_id
