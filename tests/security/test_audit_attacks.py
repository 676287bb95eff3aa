"""Attacks on a stored audit: any changed byte, any row taken away, added, swapped or put back is found.

The attacker may write the database file, and has no signing key.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casewright.audit.chain import AuditVerification
from casewright.audit.extension import CHECKPOINT_NS
from casewright.audit.log import AuditLog
from casewright.audit.meter import MeterChange
from casewright.clock import ManualClock
from casewright.identity.keys import SigningKey
from casewright.storage.database import Database
from tests.unit.audit.decided import decided
from tests.unit.audit.kernel import START_NS, Kernel, kernel
from tests.unit.audit.test_audit_log import entry

EVENTS = 12
DECIDED = (3, 6, 9)
"""Events that have a recorded decision."""
CHECKPOINTS = (1, 4, 7, 10)
"""Events at which the clock made a checkpoint due."""
COLUMNS = [
    *(("audit_events", name) for name in (
        "seq", "at_ns", "kind", "tenant", "subject", "agent", "run_id", "case_id", "body", "previous", "hash"
    )),
    *(("decisions", name) for name in (
        "decision_id", "at_ns", "tenant", "run_id", "mode", "server", "tool", "effect", "codes", "revision",
        "engine", "input_digest", "input", "sealed"
    )),
    *(("audit_checkpoints", name) for name in ("seq", "at_ns", "hash", "signature")),
    *(("audit_head", name) for name in ("id", "seq", "hash", "signature")),
]  # fmt: skip
Original = tuple[bytes, SigningKey, tuple[int, str]]
RELAXED = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}


async def filled(world: Kernel) -> None:
    for number in range(1, EVENTS + 1):
        if number in CHECKPOINTS[1:]:
            world.clock.advance(seconds=CHECKPOINT_NS / 1_000_000_000)
        if number in DECIDED:
            decided_entry, record = decided(number)
            await world.audit.append(decided_entry, record=record)
        else:
            await world.audit.append(entry(number, case_id=f"HL-{number}"), meter=MeterChange(untrusted=number == 5))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """A filled log as bytes, its key and its head."""

    async def fill(folder: Path) -> Original:
        async with kernel(folder) as world:
            await filled(world)
            head = await world.audit.head()
        return serialized(world.path), world.signer, head

    return asyncio.run(fill(tmp_path_factory.mktemp("log")))


def serialized(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    content = connection.serialize()
    connection.close()
    return content


def opened(content: bytes, path: Path) -> sqlite3.Connection:
    """The database in a file that is not in WAL mode, which is quicker to make anew."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(content)
    return sqlite3.connect(path)


def verdict(path: Path, signer: SigningKey, head: tuple[int, str] | None = None) -> AuditVerification:
    async def verify() -> AuditVerification:
        database = Database.sqlite(path)
        try:
            return await AuditLog(database, signer, ManualClock(START_NS)).verify(expected_head=head)
        finally:
            await database.close()

    return asyncio.run(verify())


def after(original: Original, path: Path, statements: Sequence[str], values: tuple[Any, ...] = ()) -> AuditVerification:
    connection = opened(original[0], path)
    for statement in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()
    return verdict(path, original[1])


def flipped(value: Any, at: int, bit: int) -> Any:
    """The value with one bit of one character or of the number changed."""
    if isinstance(value, int):
        return value ^ (1 << (at % 40))
    at %= len(value)
    return value[:at] + chr(ord(value[at]) ^ (1 << bit)) + value[at + 1 :]


def test_the_untouched_log_is_sound_and_holds_what_the_attacks_change(original: Original, tmp_path: Path) -> None:
    found = after(original, tmp_path / "copy.db", [])
    assert (found.ok, found.events, found.head) == (True, EVENTS, original[2])
    connection = opened(original[0], tmp_path / "copy.db")
    assert [row[0] for row in connection.execute("SELECT seq FROM audit_checkpoints ORDER BY seq")] == [*CHECKPOINTS]
    assert [row[0] for row in connection.execute("SELECT count(*) FROM decisions")] == [len(DECIDED)]
    connection.close()


@pytest.mark.thorough
@pytest.mark.proves("G1")
@settings(max_examples=300, **RELAXED)  # pyright: ignore[reportArgumentType]
@given(place=st.sampled_from(COLUMNS), row=st.integers(0, EVENTS), at=st.integers(0, 2_000), bit=st.integers(0, 6))
def test_any_changed_bit_of_any_column_is_found_where_it_is(
    original: Original, tmp_path: Path, place: tuple[str, str], row: int, at: int, bit: int
) -> None:
    table, column = place
    connection = opened(original[0], tmp_path / "copy.db")
    rows = connection.execute(f"SELECT rowid, {column} FROM {table} ORDER BY rowid").fetchall()
    rowid, value = rows[row % len(rows)]
    changed: Any = flipped(value, at, bit) if value != "" else "x"
    if column == "seq" and changed in [present for _, present in rows]:
        changed += 1_000_000
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, rowid))
    connection.commit()
    connection.close()
    found = verdict(tmp_path / "copy.db", original[1])
    assert (found.ok, bool(found.problem)) == (False, True)
    if table == "audit_events":
        assert found.first_bad == (rowid if changed != 0 else 1)  # number 0 stands before the first
    elif table == "decisions":
        assert found.first_bad == DECIDED[row % len(rows)]
    elif table == "audit_checkpoints" and column != "seq":
        assert found.first_bad == rowid
    else:
        assert found.first_bad is not None


@pytest.mark.proves("G1")
@pytest.mark.parametrize("seq", range(1, EVENTS + 1))
def test_any_removed_event_is_found_at_its_place(original: Original, tmp_path: Path, seq: int) -> None:
    found = after(original, tmp_path / "copy.db", [f"DELETE FROM audit_events WHERE seq = {seq}"])
    assert (found.ok, found.first_bad) == (False, seq)


@pytest.mark.proves("G1")
@settings(max_examples=15, **RELAXED)  # pyright: ignore[reportArgumentType]
@given(pair=st.lists(st.integers(1, EVENTS), min_size=2, max_size=2, unique=True))
def test_any_two_swapped_events_are_found_at_the_first(original: Original, tmp_path: Path, pair: list[int]) -> None:
    one, other = sorted(pair)
    swap = [
        f"UPDATE audit_events SET seq = {new} WHERE seq = {old}" for old, new in ((one, 99), (other, one), (99, other))
    ]
    found = after(original, tmp_path / "copy.db", swap)
    assert (found.ok, found.first_bad) == (False, one)


@pytest.mark.proves("G1")
@pytest.mark.parametrize("kept", range(EVENTS))
def test_a_cut_tail_is_found_where_it_was_cut(original: Original, tmp_path: Path, kept: int) -> None:
    found = after(original, tmp_path / "copy.db", [f"DELETE FROM audit_events WHERE seq > {kept}"])
    assert (found.ok, found.events, found.first_bad) == (False, kept, kept + 1)


@pytest.mark.proves("G1")
@pytest.mark.parametrize("seq", DECIDED)
def test_a_removed_record_of_a_decision_is_found_at_its_event(original: Original, tmp_path: Path, seq: int) -> None:
    found = after(original, tmp_path / "copy.db", [f"DELETE FROM decisions WHERE decision_id = 'dec-{seq}'"])
    assert (found.ok, found.first_bad) == (False, seq)
    assert f"dec-{seq}" in found.problem


REST = ", ".join(name for table, name in COLUMNS if table == "decisions" and name != "decision_id")
ADDED = f"INSERT INTO decisions SELECT 'dec-new', {REST} FROM decisions WHERE decision_id = 'dec-3'"
SWAPPED = (
    "UPDATE decisions SET {0} = (SELECT d.{0} FROM decisions d WHERE d.decision_id = 'dec-6') "
    "WHERE decision_id = 'dec-3'"
)
STRAY = "INSERT INTO audit_checkpoints SELECT {}, at_ns, hash, signature FROM audit_checkpoints LIMIT 1"
SIGNED = "UPDATE audit_checkpoints SET signature = {} WHERE seq = 7"
BESIDE_THE_CHAIN = {
    "a record without an event": (ADDED, EVENTS + 1),
    "the input of another decision": (SWAPPED.format("input"), 3),
    "the sealed part of another decision": (SWAPPED.format("sealed"), 3),
    "the digest of another decision": (SWAPPED.format("input_digest"), 3),
    "a checkpoint of nothing": (STRAY.format(40), EVENTS + 1),
    "a checkpoint before the first event": (STRAY.format(0), EVENTS + 1),
    "a checkpoint without a signature": (SIGNED.format("''"), 7),
    "a checkpoint with the signature of another": (SIGNED.format("(SELECT signature FROM audit_head)"), 7),
    "a meter set back": ("UPDATE run_meters SET calls = calls - 1", EVENTS + 1),
    "a meter taken away": ("DELETE FROM run_meters", EVENTS + 1),
    "a meter of another run": ("UPDATE run_meters SET run_id = 'run-9'", EVENTS + 1),
    "a meter cleared": ("UPDATE run_meters SET untrusted = 0", EVENTS + 1),
    "a meter tainted": ("INSERT INTO run_meters VALUES ('harborline', 'run-9', 0, 1)", EVENTS + 1),
    "a meter that is neither": ("UPDATE run_meters SET untrusted = 8589934593", EVENTS + 1),
    "a meter added": ("INSERT INTO run_meters VALUES ('harborline', 'run-9', 3, 0)", EVENTS + 1),
    "a signature in other letters": ("UPDATE audit_head SET signature = rtrim(signature, '=') || '= ='", EVENTS + 1),
}


@pytest.mark.proves("G1")
@pytest.mark.parametrize("attack", BESIDE_THE_CHAIN)
def test_an_attack_beside_the_chain_is_found(original: Original, tmp_path: Path, attack: str) -> None:
    statement, first_bad = BESIDE_THE_CHAIN[attack]
    found = after(original, tmp_path / "copy.db", [statement])
    assert (found.ok, found.first_bad) == (False, first_bad)


def put_back(path: Path, older: bytes, *, tables: Sequence[str]) -> None:
    """Put the tables back as they were in an older copy; the others stay."""
    source = path.with_name("older.db")
    opened(older, source).close()
    connection = sqlite3.connect(path)
    connection.execute("ATTACH ? AS older", (str(source),))
    for table in tables:
        connection.execute(f"DELETE FROM {table}")
        connection.execute(f"INSERT INTO {table} SELECT * FROM older.{table}")
    connection.commit()
    connection.close()


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Original]:
    """A log when it was younger, genuine head and all, and as it is now with a checkpoint more."""

    async def fill(folder: Path) -> tuple[bytes, Original]:
        async with kernel(folder) as world:
            await filled(world)
            younger = serialized(world.path)
            world.clock.advance(seconds=CHECKPOINT_NS / 1_000_000_000)
            decided_entry, record = decided(EVENTS + 1)
            await world.audit.append(decided_entry, record=record)
            await world.audit.append(entry(EVENTS + 2))
            head = await world.audit.head()
        return younger, (serialized(world.path), world.signer, head)

    return asyncio.run(fill(tmp_path_factory.mktemp("grown")))


@pytest.mark.proves("G1")
@pytest.mark.parametrize("with_records", [False, True])
def test_an_older_tail_put_back_with_its_genuine_head_is_found_by_a_checkpoint(
    grown: tuple[bytes, Original], tmp_path: Path, with_records: bool
) -> None:
    younger, now = grown
    path = tmp_path / "copy.db"
    opened(now[0], path).close()
    put_back(path, younger, tables=["audit_events", "audit_head", *(["decisions"] if with_records else [])])
    found = verdict(path, now[1])
    assert (found.ok, found.events, found.first_bad) == (False, EVENTS, EVENTS + 1)
    assert f"checkpoints up to event {EVENTS + 1}" in found.problem


@pytest.mark.proves("G1")
def test_a_whole_older_database_is_found_with_a_kept_head_alone(grown: tuple[bytes, Original], tmp_path: Path) -> None:
    younger, now = grown
    path = tmp_path / "copy.db"
    opened(younger, path).close()
    assert verdict(path, now[1]).ok  # nothing inside can tell: this is why a head is kept elsewhere
    found = verdict(path, now[1], now[2])
    assert (found.ok, "rolled back" in found.problem) == (False, True)


@pytest.mark.proves("G1")
def test_a_chain_rewritten_with_fitting_hashes_fails_at_a_checkpoint_or_the_head(
    original: Original, tmp_path: Path
) -> None:
    async def forged(folder: Path) -> bytes:
        async with kernel(folder) as world:
            await filled(world)
            return serialized(world.path)

    folder = tmp_path / "forged"
    folder.mkdir()
    theirs = asyncio.run(forged(folder))  # sound in itself, under a key of the attacker's
    path = tmp_path / "copy.db"
    opened(original[0], path).close()
    put_back(path, theirs, tables=["audit_events", "decisions"])
    found = verdict(path, original[1])
    assert (found.ok, found.first_bad is not None) == (False, True)
    put_back(path, theirs, tables=["audit_events", "decisions", "audit_checkpoints", "audit_head"])
    found = verdict(path, original[1])
    assert (found.ok, found.first_bad) == (False, 1)
    assert "not ours" in found.problem
