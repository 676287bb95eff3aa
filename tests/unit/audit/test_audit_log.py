"""The audit log: events in the caller's transaction, found again, and any change to them found."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casewright.audit.chain import GENESIS
from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.clock import ManualClock
from casewright.errors import InputError, StorageError
from casewright.identity.keys import SigningKey
from tests.unit.audit.kernel import START_NS, TENANT, Kernel, caller, kernel

COLUMNS = ("seq", "at_ns", "kind", "tenant", "subject", "agent", "run_id", "case_id", "body", "previous", "hash")
EVENTS = 12


def entry(number: int = 0, **changes: Any) -> AuditEntry:
    fields: dict[str, Any] = {
        "kind": "call.allowed",
        "tenant": TENANT,
        "subject": "rosa",
        "agent": "drafter",
        "run_id": "run-1",
        "case_id": "HL-1",
        "body": {"number": number, "text": "“quoted” – ¼", "list": [1, True, None]},
    }
    return AuditEntry(**(fields | changes))


async def filled(world: Kernel, events: int = EVENTS) -> None:
    async with world.database.write() as connection:
        for number in range(events):
            await world.audit.append(entry(number), connection=connection)


def change(path: Path, *statements: str, values: tuple[Any, ...] = ()) -> None:
    """Change the file behind the log's back."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.proves("G1")
async def test_an_untouched_log_verifies_and_names_its_head(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await filled(world)
        verdict = await world.audit.verify()
        assert (verdict.ok, verdict.events, verdict.first_bad, verdict.problem) == (True, EVENTS, None, "")
        assert verdict.head == await world.audit.head()


async def test_an_empty_log_verifies(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        verdict = await world.audit.verify()
        assert (verdict.ok, verdict.head) == (True, (0, GENESIS))


@pytest.mark.proves("G1")
async def test_an_event_stands_or_falls_with_the_transaction_it_is_part_of(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        with pytest.raises(LookupError):
            async with world.database.write() as connection:
                await world.audit.append(entry(), connection=connection)
                raise LookupError
        assert await world.audit.events(tenant=TENANT) == ()
        assert (await world.audit.append(entry())).seq == 1


async def test_events_of_one_run_and_tenant_come_in_order_after_a_place(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await filled(world, 5)
        await world.audit.append(entry(run_id="run-2"))
        await world.audit.append(entry(tenant="millbrook"))
        found = await world.audit.events(tenant=TENANT, run_id="run-1", after=2)
        assert [event.seq for event in found] == [3, 4, 5]
        assert found[0].body == {**entry(2).body, "read_untrusted": False}
        assert [event.tenant for event in await world.audit.events(tenant="millbrook")] == ["millbrook"]


async def test_a_caller_is_recorded_with_agent_run_and_case_and_nobody_as_nobody() -> None:
    known = AuditEntry.of_caller("call.denied", caller(agent="drafter"), {})
    assert (known.tenant, known.subject, known.agent, known.run_id) == (TENANT, "rosa", "drafter", "run-1")
    unknown = AuditEntry.of_caller("call.denied", None, {})
    assert (unknown.tenant, unknown.subject, unknown.run_id) == ("", "", "")


@pytest.mark.parametrize("body", [{"n": 2**60}, {"n": float("nan")}, {"n": object()}, {"t": "\ud800"}])
async def test_a_body_that_is_not_plain_json_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    async with kernel(tmp_path) as world:
        with pytest.raises(InputError, match="not plain JSON"):
            await world.audit.append(entry(body=body))
        assert (await world.audit.verify()).events == 0


async def test_appends_from_two_logs_over_one_file_make_one_chain(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        second = Kernel.over(world.path, world.signer, world.clock)
        await asyncio.gather(*(log.append(entry(n)) for n in range(8) for log in (world.audit, second.audit)))
        await second.database.close()
        assert (await world.audit.verify()).events == 16


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SigningKey]:
    """A filled log whose file the tests copy."""

    async def fill(folder: Path) -> tuple[Path, SigningKey]:
        async with kernel(folder) as world:
            await filled(world)
            return world.path, world.signer

    return asyncio.run(fill(tmp_path_factory.mktemp("log")))


async def verdict_after(
    original: tuple[Path, SigningKey], folder: Path, *statements: str, values: tuple[Any, ...] = ()
) -> tuple[bool, int | None, str]:
    path = folder / "copy.db"
    path.unlink(missing_ok=True)
    source = sqlite3.connect(original[0])
    target = sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.close()
    change(path, *statements, values=values)
    world = Kernel.over(path, original[1], ManualClock(START_NS))
    verdict = await world.audit.verify()
    await world.database.close()
    return verdict.ok, verdict.first_bad, verdict.problem


def flipped(value: Any, at: int) -> Any:
    """The value with one character or bit changed."""
    if isinstance(value, int):
        return value ^ (1 << (at % 40))
    at %= len(value)
    return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]


@pytest.mark.proves("G1")
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(column=st.sampled_from(COLUMNS), seq=st.integers(1, EVENTS), at=st.integers(0, 500))
def test_any_changed_column_of_any_event_is_found(
    original: tuple[Path, SigningKey], tmp_path: Path, column: str, seq: int, at: int
) -> None:
    connection = sqlite3.connect(original[0])
    (value,) = connection.execute(f"SELECT {column} FROM audit_events WHERE seq = ?", (seq,)).fetchone()
    connection.close()
    changed = flipped(value, at)
    if column == "seq" and changed <= EVENTS:
        changed += 1000
    statement = f"UPDATE audit_events SET {column} = ? WHERE seq = ?"
    ok, first_bad, problem = asyncio.run(verdict_after(original, tmp_path, statement, values=(changed, seq)))
    assert (ok, bool(problem)) == (False, True)
    assert first_bad in (seq, seq + 1)


ATTACKS = {
    "a space in a body": "UPDATE audit_events SET body = body || ' ' WHERE seq = 4",
    "a body that is a blob": "UPDATE audit_events SET body = CAST(body AS BLOB) WHERE seq = 4",
    "an emptied body": "UPDATE audit_events SET body = '' WHERE seq = 4",
    "a first event cut": "DELETE FROM audit_events WHERE seq = 1",
    "a gap": "DELETE FROM audit_events WHERE seq = 6",
    "a cut tail": "DELETE FROM audit_events WHERE seq > 9",
    "all events cut": "DELETE FROM audit_events",
    "the head removed": "DELETE FROM audit_head",
    "a forged signature": "UPDATE audit_head SET signature = 'AAAA'",
    "a signature that is no text": "UPDATE audit_head SET signature = x'00ff'",
    "a head moved": "UPDATE audit_head SET seq = 11",
    "a head with another hash": "UPDATE audit_head SET hash = 'f' || substr(hash, 2)",
}


@pytest.mark.proves("G1")
@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_on_the_file_is_found(original: tuple[Path, SigningKey], tmp_path: Path, attack: str) -> None:
    ok, first_bad, problem = await verdict_after(original, tmp_path, ATTACKS[attack])
    assert (ok, first_bad is not None, bool(problem)) == (False, True, True)


@pytest.mark.proves("G1")
async def test_two_events_swapped_are_found(original: tuple[Path, SigningKey], tmp_path: Path) -> None:
    swap = [f"UPDATE audit_events SET seq = {new} WHERE seq = {old}" for old, new in ((5, 99), (6, 5), (99, 6))]
    assert (await verdict_after(original, tmp_path, *swap))[:2] == (False, 5)


@pytest.mark.proves("G1")
async def test_a_cut_tail_with_a_head_signed_by_another_key_is_found(
    original: tuple[Path, SigningKey], tmp_path: Path
) -> None:
    async with kernel(tmp_path) as other:
        await filled(other, 3)
    connection = sqlite3.connect(other.path)
    forged = connection.execute("SELECT seq, hash, signature FROM audit_head").fetchone()
    rows = connection.execute("SELECT hash FROM audit_events ORDER BY seq").fetchall()
    connection.close()
    assert len(rows) == 3
    cut = "DELETE FROM audit_events WHERE seq > ?"
    path = tmp_path / "copy.db"
    source, target = sqlite3.connect(original[0]), sqlite3.connect(path)
    source.backup(target)
    target.execute(cut, (3,))
    (hash_,) = target.execute("SELECT hash FROM audit_events WHERE seq = 3").fetchone()
    target.execute("UPDATE audit_head SET seq = 3, hash = ?, signature = ?", (hash_, forged[2]))
    target.commit()
    source.close()
    target.close()
    world = Kernel.over(path, original[1], other.clock)
    verdict = await world.audit.verify()
    await world.database.close()
    assert (verdict.ok, verdict.problem) == (False, "the signature of the head at event 3 is not ours")


@pytest.mark.proves("G1")
async def test_nothing_is_appended_to_a_log_whose_tail_was_cut(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await filled(world)
        change(world.path, "DELETE FROM audit_events WHERE seq = 12")
        with pytest.raises(StorageError, match="signed head"):
            await world.audit.append(entry())
        assert (await world.audit.verify()).ok is False


@pytest.mark.proves("G1")
async def test_nothing_is_appended_under_a_head_that_is_not_ours(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await filled(world)
        with pytest.raises(StorageError, match="signed head"):
            await AuditLog(world.database, SigningKey.generate(), world.clock).append(entry())


@pytest.mark.proves("G1")
async def test_an_older_copy_of_the_database_is_found_with_a_head_kept_elsewhere(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await filled(world, 4)
        old = sqlite3.connect(world.path)
        copy = sqlite3.connect(tmp_path / "old.db")
        old.backup(copy)
        old.close()
        copy.close()
        await filled(world, 2)
        head = await world.audit.head()
        assert (await world.audit.verify(expected_head=head)).ok
        await world.audit.append(entry())
        assert (await world.audit.verify(expected_head=head)).ok
        rolled_back = Kernel.over(tmp_path / "old.db", world.signer, world.clock)
        assert (await rolled_back.audit.verify()).ok
        verdict = await rolled_back.audit.verify(expected_head=head)
        assert (verdict.ok, "rolled back" in verdict.problem) == (False, True)
        await rolled_back.audit.append(entry(99))
        await rolled_back.audit.append(entry(99))
        verdict = await rolled_back.audit.verify(expected_head=head)
        assert (verdict.ok, "rewritten" in verdict.problem) == (False, True)
        await rolled_back.database.close()


async def test_an_event_that_cannot_be_read_is_named_and_not_left_out(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await filled(world)
        change(world.path, "UPDATE audit_events SET kind = 'nothing' WHERE seq = 2")
        with pytest.raises(StorageError, match="event 2"):
            await world.audit.events(tenant=TENANT)


async def test_bodies_come_back_as_they_went_in(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        body: dict[str, Any] = {"b": [1, {"ü": None}], "a": "x\u0000y", "big": 2**53 - 1}
        event = await world.audit.append(entry(body=body))
        assert json.loads(json.dumps(event.body)) == {**body, "read_untrusted": False}
        assert (await world.audit.events(tenant=TENANT))[0] == event
