"""Somebody who can write the checkpoint file, but has no key, gets nothing executed; nor does one who has.

The first is refused by the seals before a byte is deserialized. The second (the positive control of the first: the same
change, sealed again) is let through to the tool server, which executes what people approved or nothing.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from casewright.contracts.run import RunReport
from casewright.errors import CasewrightError
from graphs.seals import Seals, TamperedError
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, opened

pytestmark = pytest.mark.thorough
Waiting = tuple[Path, RunReport]
Change = Callable[[dict[str, Any]], None]
CHANGES: dict[str, Change] = {
    "another amount": lambda state: state.update(amount_minor=999_900),
    "another action": lambda state: state.update(action="issue_provisional_credit"),
    "another approval": lambda state: state.update(approval_id="apr-0000000000000000"),
    "another draft": lambda state: state.update(draft_id="drf-0000000000000000", draft_digest="0" * 64),
    "another case": lambda state: state.update(case_id="HL-2026-0001"),
    "another person": lambda state: state.update(subject="selma"),
    "another tenant": lambda state: state.update(tenant="millbrook"),
    "budgets given back": lambda state: state.update(steps=0, tool_calls=0, spent_ms=0),
    "an effect that never was": lambda state: state.update(effect_id="eff-0000000000000000"),
}


def changed_state(home: Path, run_id: str, change: Change) -> None:
    """Change the newest checkpoint's state, in the library's own format."""
    serde = JsonPlusSerializer()
    with contextlib.closing(sqlite3.connect(home / "checkpoints.db")) as connection, connection:
        query = (
            "SELECT checkpoint_id, type, checkpoint FROM checkpoints WHERE thread_id = ? ORDER BY checkpoint_id DESC"
        )
        checkpoint_id, kind, stored = connection.execute(query, (run_id,)).fetchone()
        checkpoint: dict[str, Any] = serde.loads_typed((kind, stored))
        change(checkpoint["channel_values"])
        values = (*serde.dumps_typed(checkpoint), run_id, checkpoint_id)
        connection.execute(
            "UPDATE checkpoints SET type = ?, checkpoint = ? WHERE thread_id = ? AND checkpoint_id = ?", values
        )


async def approve_and_wake(world: World, report: RunReport) -> RunReport | CasewrightError:
    await world.vote(report, "selma")
    try:
        return await world.resume(report)
    except CasewrightError as error:
        return error


@pytest.mark.proves("E4", "C3")
@pytest.mark.parametrize("name", CHANGES)
async def test_a_changed_state_is_refused_and_its_run_fails_with_the_reason(waiting: Waiting, name: str) -> None:
    home, report = waiting
    changed_state(home, report.run_id, CHANGES[name])
    async with opened(home) as world:
        assert isinstance(await approve_and_wake(world, report), TamperedError)
        assert await world.effects(CREDIT_CASE) == []
        assert await world.outbox_rows() == 0
        row = await world.records.get("harborline", report.run_id)
        assert row.report is not None
        assert (row.status, row.attempts) == ("failed", 1), "it is not tried again"
        assert "not as it was written" in row.report.because
        cancelled = await world.runner.cancel("harborline", report.run_id, by="tomas")
        assert (cancelled.status, cancelled.pending) == ("cancelled", ())


@pytest.mark.proves("C3")
@pytest.mark.parametrize("name", CHANGES)
async def test_a_changed_state_that_is_sealed_again_executes_what_was_approved_or_nothing(
    waiting: Waiting, name: str
) -> None:
    home, report = waiting
    changed_state(home, report.run_id, CHANGES[name])
    async with opened(home) as world:
        with contextlib.closing(sqlite3.connect(home / "checkpoints.db")) as connection, connection:
            connection.execute("DELETE FROM row_seals")
        assert Seals.of(world.services.signing_key).adopt(home / "checkpoints.db") > 0
        outcome = await approve_and_wake(world, report)
        assert not isinstance(outcome, TamperedError), "the control must get past the seals"
        for case_id in (CREDIT_CASE, "HL-2026-0001"):
            effects = await world.effects(case_id)
            assert len(effects) <= (1 if case_id == CREDIT_CASE else 0)
            assert all("312.40" in effect or "31240" in effect for effect in effects), "not the approved amount"
        assert await world.outbox_rows() == len(await world.effects(CREDIT_CASE))


@pytest.mark.proves("E4")
async def test_the_same_run_unchanged_executes_what_was_approved(waiting: Waiting) -> None:
    home, report = waiting
    async with opened(home) as world:
        outcome = await approve_and_wake(world, report)
        assert isinstance(outcome, RunReport)
        assert outcome.status == "completed"
        assert len(await world.effects(CREDIT_CASE)) == 1
