"""What is stored of an approval is believed only as far as its signed events tell the same."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from casewright.approvals.history import difference, history_of
from casewright.audit.chain import EventRow
from casewright.contracts.approval import Approval
from casewright.errors import DeniedError
from evals.access.kernel import CASE, IDRIS, RULE, SELMA, TENANT, TWO, Kernel, caller, credit, kernel

CHANGES = {
    "the rule": "UPDATE approvals SET rule = replace(rule, '\"quorum\":2', '\"quorum\":1')",
    "the votes": "UPDATE approval_votes SET voter = 'vera' WHERE voter = 'idris'",
    "the asker": "UPDATE approvals SET requested_by = 'vera'",
    "the expiry": "UPDATE approvals SET expires_ns = expires_ns + 1",
    "the organisation, case or run": "UPDATE approvals SET run_id = 'run-2' WHERE run_id = 'run-1'",
    "the assignee": "UPDATE approvals SET assignee = 'vera'",
    "the escalation": "UPDATE approvals SET escalated_ns = created_ns + 1",
}
ELSEWHERE = "the organisation, case or run"
"""Its events are not found at all under another run."""


def by_hand(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


async def approved_by_two(world: Kernel) -> Approval:
    asked = await world.ledger.request(credit(), TWO, caller=caller())
    await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="seen")
    return await world.ledger.vote(asked.approval_id, voter=IDRIS, approve=True, note="")


async def stored_events(world: Kernel) -> list[EventRow]:
    with closing(sqlite3.connect(world.path)) as connection:
        return [EventRow(*row) for row in connection.execute("SELECT * FROM audit_events ORDER BY seq")]


@pytest.mark.proves("C3", "D5", "G1")
@pytest.mark.parametrize("what", CHANGES)
async def test_an_approval_that_its_events_do_not_tell_is_refused_audited_and_found(tmp_path: Path, what: str) -> None:
    async with kernel(tmp_path) as world:
        asked = await approved_by_two(world)
        by_hand(world.path, CHANGES[what])
        with pytest.raises(DeniedError, match=r"ask anew.*audit verify") as refused:
            await world.outbox.execute(credit(), caller=caller())
        assert refused.value.code == "approval_changed"
        assert str(refused.value).startswith(what if what != ELSEWHERE else "the request")
        assert await world.effects() == []
        told = (await world.audit.events(tenant=TENANT))[-1]
        assert (told.kind, told.body["code"]) == ("call.denied", "approval_changed")
        assert f"{what} of the approval {asked.approval_id!r}" in (await world.audit.verify()).problem


@pytest.mark.proves("C3")
async def test_the_way_out_of_a_changed_approval_is_to_revoke_it_and_ask_anew(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await approved_by_two(world)
        by_hand(world.path, CHANGES["the rule"])
        await world.ledger.revoke(asked.approval_id, by=SELMA, why="changed by hand")
        world.clock.advance(seconds=1)
        assert (await approved_by_two(world)).approval_id != asked.approval_id
        await world.outbox.execute(credit(), caller=caller())
        assert len(await world.effects()) == 1


@pytest.mark.proves("D5")
async def test_no_vote_is_counted_under_a_rule_that_was_changed_and_would_be_put_back(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), TWO, caller=caller())
        by_hand(world.path, CHANGES["the rule"])
        with pytest.raises(DeniedError) as refused:
            await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")
        assert refused.value.code == "approval_changed"
        assert (await world.ledger.get(TENANT, asked.approval_id)).votes == ()


@pytest.mark.proves("C3", "G1")
@pytest.mark.parametrize("rehashed", [False, True])
async def test_an_event_rewritten_to_fit_the_changed_row_is_not_what_was_signed(tmp_path: Path, rehashed: bool) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.ledger.request(credit(), TWO, caller=caller())
        await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")
        by_hand(world.path, CHANGES["the rule"], "UPDATE approvals SET state = 'approved'")
        request = next(event for event in await stored_events(world) if event.kind == "approval.requested")
        body = request.body.replace('"quorum":2', '"quorum":1')
        assert body != request.body
        with closing(sqlite3.connect(world.path)) as connection:
            connection.execute("UPDATE audit_events SET body = ? WHERE seq = ?", (body, request.seq))
            connection.execute("UPDATE audit_events SET body = replace(body, 'pending', 'approved') WHERE seq = 3")
            if rehashed:
                _rehash(connection)
            connection.commit()
        with pytest.raises(DeniedError) as refused:
            await world.outbox.execute(credit(), caller=caller())
        assert refused.value.code == "approval_changed"


def _rehash(connection: sqlite3.Connection) -> None:
    """Every event joins the one before again, but the last keeps its hash, as the head is signed."""
    from casewright.audit.chain import event_hash

    rows = [EventRow(*row) for row in connection.execute("SELECT * FROM audit_events ORDER BY seq")]
    previous = rows[0].previous
    for row in rows[:-1]:
        changed = row._replace(previous=previous)
        previous = event_hash(changed)
        connection.execute(
            "UPDATE audit_events SET previous = ?, hash = ? WHERE seq = ?", (changed.previous, previous, row.seq)
        )
    connection.execute("UPDATE audit_events SET previous = ? WHERE seq = ?", (previous, rows[-1].seq))


@pytest.mark.proves("C3", "G1")
async def test_an_approval_that_was_put_away_or_a_vote_for_none_is_found(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await world.approved()
        by_hand(world.path, "INSERT INTO approval_votes VALUES ('apr-none', 'vera', 1, '', 0)")
        assert "2 votes are stored, 1 of them" in (await world.audit.verify()).problem
        by_hand(world.path, "DELETE FROM approvals")
        assert f"{asked.approval_id!r}, which events tell of, is missing" in (await world.audit.verify()).problem


async def test_an_older_approval_is_held_to_what_its_events_say(tmp_path: Path) -> None:
    """From before the events had them: times and agent of the request, the time of a vote."""
    async with kernel(tmp_path) as world:
        asked = await approved_by_two(world)
        events = older(await stored_events(world))
        told = history_of(asked.approval_id, events)
        assert difference(asked, told) == ""
        longer = asked.model_copy(update={"expires_ns": asked.expires_ns + 1})
        later = asked.model_copy(update={"created_ns": asked.created_ns + 1, "expires_ns": asked.expires_ns + 1})
        assert difference(longer, told) == difference(later, told) == "the expiry"
        assert difference(asked.model_copy(update={"rule": RULE}), told) == "the rule"


def older(events: Sequence[EventRow]) -> list[EventRow]:
    """The events without what they did not say once."""

    def without(body: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value for name, value in body.items() if name not in ("created_ns", "expires_ns", "voted_ns", "agent")
        }

    return [event._replace(body=json.dumps(without(json.loads(event.body)))) for event in events]


async def test_requests_and_votes_that_are_told_twice_are_believed_neither_time(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        asked = await approved_by_two(world)
        events = [event for event in await stored_events(world) if event.kind.startswith("approval.")]
        for twice in events:
            assert difference(asked, history_of(asked.approval_id, [*events, twice])) == "the number of events"
        assert difference(asked, history_of(asked.approval_id, [])) == "the request"
        assert {event.case_id for event in events} == {CASE}
