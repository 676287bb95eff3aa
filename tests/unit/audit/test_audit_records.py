"""Recorded decisions: kept, sealed or left out as the rules say, and restored to the very input."""

import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.audit.recording import RecordingRules, record_input, restore_input
from casewright.audit.records import DecisionRecords, RecordedDecision, RecordQuery
from casewright.audit.sealing import KEY_FILE, Sealing
from casewright.canonical import digest
from casewright.errors import InputError, StorageError
from tests.unit.audit.decided import decided, decision_input
from tests.unit.audit.kernel import START_NS, TENANT, Kernel, kernel
from tests.unit.audit.test_audit_log import change

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("abc.") | st.text("ab.", max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
PATHS = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=3).map(".".join),
    st.sampled_from(["keep", "redact", "encrypt", "anything else"]),
    max_size=5,
)


def records(world: Kernel) -> DecisionRecords:
    return DecisionRecords(world.database, Sealing.beside(world.path.parent))


async def read(world: Kernel, **query: Any) -> list[RecordedDecision]:
    fields: dict[str, Any] = {"tenant": TENANT} | query
    return [record async for record in records(world).read(RecordQuery(**fields))]


async def recorded(world: Kernel, numbers: range, **changes: Any) -> None:
    for number in numbers:
        entry, record = decided(number, **changes)
        await world.audit.append(entry, record=record)
        world.clock.advance(seconds=1)


def stored(path: Path, column: str) -> list[Any]:
    connection = sqlite3.connect(path)
    found = [row[0] for row in connection.execute(f"SELECT {column} FROM decisions ORDER BY decision_id")]
    connection.close()
    return found


async def test_a_decision_is_found_again_with_the_input_it_was_made_on(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        entry, record = decided(1)
        event = await world.audit.append(entry, record=record)
        (found,) = await read(world)
        assert found == RecordedDecision(
            decision_id="dec-1",
            at_ns=event.at_ns,
            tenant=TENANT,
            run_id="run-1",
            mode="call",
            server="case-facts",
            tool="get_case",
            effect="permit",
            codes=("access.assigned", "access.clearance"),
            revision="c" * 64,
            engine="embedded",
            input_digest=digest(decision_input(1)),
            input=decision_input(1),
            redacted=(),
        )
        assert found.exact
        assert event.body["input_digest"] == found.input_digest


async def test_personal_data_lies_in_no_column_in_the_clear(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        entry, record = decided(1, decision_input(1, note="born 1931-04-02", name="Dolores"))
        await world.audit.append(entry, record=record)
        (shown,), (sealed,) = stored(world.path, "input"), stored(world.path, "sealed")
        for text in ("rosa", "Dolores", "1931-04-02", "HL-1"):
            assert text not in shown + sealed
        kept = json.loads(shown)
        assert (kept["mode"], kept["context"], kept["arguments"]["limit"]) == ("call", {"step": 1}, 5)
        assert set(kept["principal"]["id"]) == {"sealed"}
        assert set(kept["arguments"]["note"]) == {"redacted"}
        assert set(kept["resource"]) == {"sealed"}  # no rule names it


async def test_what_was_redacted_stays_away_and_the_record_says_so(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        entry, record = decided(1, decision_input(1, note="secret"))
        await world.audit.append(entry, record=record)
        (found,) = await read(world)
        assert (found.exact, found.redacted) == (False, ("arguments.note",))
        assert set(found.input["arguments"]["note"]) == {"redacted"}
        assert found.input["principal"]["id"] == "rosa"


@settings(max_examples=200, deadline=None)
@given(document=st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), paths=PATHS)
def test_any_input_under_any_rules_is_restored_or_marked(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any], paths: dict[str, str]
) -> None:
    sealing = Sealing.beside(tmp_path_factory.getbasetemp())
    found = record_input(document, RecordingRules(paths=paths), sealing, about="dec-1")
    restored, redacted = restore_input(found, sealing, about="dec-1")
    assert (restored == document) or redacted
    assert "redact" in paths.values() or not redacted
    if "keep" not in paths.values():
        assert all(
            set(value) in ({"sealed"}, {"redacted"})
            for value in json.loads(found.shown).values()
            if not _is_split(value)
        )


def _is_split(value: Any) -> bool:
    """A map whose members were treated one by one."""
    return isinstance(value, dict) and not {"sealed", "redacted"} & value.keys()


def test_a_path_is_never_met_by_a_name_with_a_dot_in_it(tmp_path: Path) -> None:
    rules = RecordingRules(paths={"arguments.name.first": "keep"})
    sealing = Sealing.beside(tmp_path)
    found = record_input({"arguments": {"name.first": "Dolores"}}, rules, sealing, about="dec-1")
    assert "Dolores" not in found.shown


async def test_decisions_are_read_by_tenant_tool_run_and_time_in_either_order(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await recorded(world, range(250))
        await recorded(world, range(250, 252), tenant="millbrook")
        await recorded(world, range(252, 254), tool="save_draft", run_id="run-2")
        everyone = [found.decision_id for found in await read(world, tenant=None)]
        assert everyone == [f"dec-{number}" for number in range(254)]
        assert [found.decision_id for found in await read(world, newest_first=True, limit=3)] == [
            "dec-253",
            "dec-252",
            "dec-249",
        ]
        assert len(await read(world, limit=201)) == 201
        assert await read(world, limit=0) == []
        assert [found.tenant for found in await read(world, tenant="millbrook")] == ["millbrook"] * 2
        assert [found.tool for found in await read(world, tool="save_draft")] == ["save_draft"] * 2
        assert len(await read(world, run_id="run-1")) == 250
        since = START_NS + 249 * 1_000_000_000
        assert [found.decision_id for found in await read(world, since_ns=since, limit=1)] == ["dec-249"]


async def test_a_record_that_was_changed_is_not_read_as_if_it_were_the_input(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await recorded(world, range(2))
        (first, second) = stored(world.path, "sealed")
        change(world.path, "UPDATE decisions SET sealed = ? WHERE decision_id = 'dec-1'", values=(first,))
        with pytest.raises(StorageError, match="does not open"):
            await read(world)
        change(world.path, "UPDATE decisions SET sealed = ? WHERE decision_id = 'dec-1'", values=(second,))
        change(world.path, "UPDATE decisions SET input = replace(input, '\"step\":1', '\"step\":9')")
        with pytest.raises(StorageError, match="dec-1"):
            await read(world)


async def test_records_sealed_with_another_key_say_which_key_to_restore(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await recorded(world, range(1))
        (tmp_path / KEY_FILE).unlink()
        with pytest.raises(StorageError, match="restore the key"):
            await read(world)


async def test_an_event_that_names_another_decision_than_its_record_is_refused(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        entry, _ = decided(1)
        _, other = decided(2)
        with pytest.raises(InputError, match="both have to be the same"):
            await world.audit.append(entry, record=other)
        assert (await world.audit.head())[0] == 0


@pytest.mark.parametrize("value", [float("nan"), object(), "\ud800"])
async def test_an_input_that_is_not_json_is_refused_with_its_event(tmp_path: Path, value: Any) -> None:
    async with kernel(tmp_path) as world:
        entry, record = decided(1, input=decision_input(1) | {"x": value})
        with pytest.raises(InputError, match="not plain JSON"):
            await world.audit.append(entry, record=record)
        assert (await world.audit.verify()).events == 0


async def test_a_record_in_somebodys_transaction_stands_or_falls_with_it(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        entry, record = decided(1)
        with pytest.raises(LookupError):
            async with world.database.write() as connection:
                await world.audit.append(entry, connection=connection, record=record)
                raise LookupError
        assert await read(world) == []
        async with world.database.write() as connection:
            await world.audit.append(entry, connection=connection, record=record)
        assert [found.decision_id for found in await read(world)] == ["dec-1"]
        assert (await world.audit.verify()).ok


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    Sealing.beside(tmp_path).ensure()
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_bytes()
    sealed = Sealing.beside(tmp_path).seal(b"x", about="dec-1")
    assert (path.read_bytes(), Sealing.beside(tmp_path).open(sealed, about="dec-1")) == (made, b"x")
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("content", [b"", b"c2hvcnQ=\n", b"\xff\xfe" * 20, b"A"])
def test_a_damaged_key_is_named_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(StorageError, match="restore"):
        Sealing.beside(tmp_path).ensure()
    assert (tmp_path / KEY_FILE).read_bytes() == content


def test_a_fingerprint_needs_the_key(tmp_path: Path) -> None:
    one, other = Sealing(tmp_path / "one"), Sealing(tmp_path / "other")
    assert one.fingerprint(b"rosa") == Sealing(tmp_path / "one").fingerprint(b"rosa")
    assert one.fingerprint(b"rosa") != other.fingerprint(b"rosa")
