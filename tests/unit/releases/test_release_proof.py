"""Which release is in force is what the newest signed event of a switch tells, and nothing that a row says instead."""

import contextlib
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import pytest

from casewright.config import Settings
from casewright.errors import StorageError
from casewright.releases.following import FollowedRelease
from casewright.releases.history import SWITCHES
from casewright.releases.store import ReleaseStore, Switch
from tests.unit.audit.kernel import IDRIS, SELMA, Kernel
from tests.unit.audit.kernel import kernel as opened_kernel
from tests.unit.releases.test_release_store import PIECES, manifest, store_of, switch

pytestmark = pytest.mark.thorough


class Released(NamedTuple):
    """Two releases, the second in force; the first is tried out on half of the cases."""

    kernel: Kernel
    store: ReleaseStore
    settings: Settings
    first: str
    second: str

    def follower(self) -> FollowedRelease:
        """A process that starts now."""
        return FollowedRelease(self.settings, lambda: self.kernel.signer)

    def by_hand(self, *statements: str) -> None:
        with contextlib.closing(sqlite3.connect(self.settings.database)) as connection, connection:
            for statement in statements:
                connection.execute(statement.format(first=self.first, second=self.second))


@pytest.fixture
async def released(tmp_path: Path) -> AsyncGenerator[Released]:
    async with opened_kernel(tmp_path) as kernel:
        settings = Settings(home=tmp_path, policies=tmp_path)
        if kernel.path != settings.database:
            settings.database.symlink_to(kernel.path)
        store = store_of(kernel, tmp_path / "index")
        first = (await store.add(manifest(), PIECES, principal=SELMA)).release_id
        second = (await store.add(manifest(index="51-b"), PIECES, principal=SELMA)).release_id
        await store.switch(switch(first), principal=SELMA)
        await store.switch(switch(second, after=1, previous=first), principal=SELMA)
        tried = Switch(kind="canary", active=second, previous=first, canary=first, percent=50, after=2, shown={})
        await store.switch(tried, principal=SELMA)
        yield Released(kernel, store, settings, first, second)


CHANGES = {
    "another release": "UPDATE release_moves SET active = '{first}' WHERE seq = 3",
    "no release": "UPDATE release_moves SET active = '' WHERE seq = 3",
    "a larger share": "UPDATE release_moves SET percent = 100 WHERE seq = 3",
    "another canary": "UPDATE release_moves SET canary = '{second}' WHERE seq = 3",
    "another way back": "UPDATE release_moves SET previous = '' WHERE seq = 3",
    "another kind": "UPDATE release_moves SET kind = 'rolled_back' WHERE seq = 3",
    "somebody else": "UPDATE release_moves SET subject = 'vera' WHERE seq = 3",
    "another reason": "UPDATE release_moves SET why = 'asked by the board' WHERE seq = 3",
    "another time": "UPDATE release_moves SET at_ns = at_ns - 1 WHERE seq = 3",
    "a row put away": "DELETE FROM release_moves WHERE seq = 3",
    "all rows put away": "DELETE FROM release_moves",
    "the table put away": "DROP TABLE release_moves",
    "a row without event": "INSERT INTO release_moves SELECT 4, at_ns, tenant, subject, 'promoted', '{first}', '', '', "
    "0, '' FROM release_moves WHERE seq = 3",
    "a row copied": "INSERT INTO release_moves SELECT 4, at_ns, tenant, subject, kind, active, previous, canary, "
    "percent, why FROM release_moves WHERE seq = 3",
}


@pytest.mark.proves("H3", "G1")
@pytest.mark.parametrize("what", CHANGES)
async def test_a_switch_that_no_signed_event_tells_is_followed_by_nobody_and_found(
    released: Released, what: str
) -> None:
    running = released.follower()
    assert running.move().active == released.second
    released.by_hand(CHANGES[what])
    for follower in (running, released.follower()):
        with pytest.raises(StorageError, match=r"audit verify.*casewright release promote"):
            follower.move()
        with pytest.raises(StorageError, match="audit verify"):
            follower.begun_with("harborline", "HL-2026-0001")
    if what != "the table put away":
        assert "switch" in (await released.kernel.audit.verify()).problem


@pytest.mark.proves("H3")
async def test_the_way_out_of_a_changed_switch_is_another_one_even_where_rows_were_put_away(released: Released) -> None:
    running = released.follower()
    assert running.move().seq == 3
    released.by_hand("DELETE FROM release_moves")
    made = await released.store.switch(switch(released.second), principal=SELMA)
    assert (made.seq, made.active) == (4, released.second)
    assert running.move() == released.follower().move() == made


@pytest.mark.proves("H3", "G1")
async def test_no_release_is_not_taken_as_proved_while_there_is_no_audit_to_ask(released: Released) -> None:
    released.by_hand("DELETE FROM release_moves", "ALTER TABLE audit_head RENAME TO put_away")
    running = released.follower()
    assert running.move().kind == "none"
    released.by_hand("ALTER TABLE put_away RENAME TO audit_head")
    with pytest.raises(StorageError, match="is not what the audit tells"):
        running.move()


REWRITTEN = {
    "the event edited with its row": (
        "UPDATE release_moves SET active = '{first}' WHERE seq = 3",
        'UPDATE audit_events SET body = replace(body, \'"active":"{second}"\', \'"active":"{first}"\') '
        "WHERE kind = 'release.canary'",
    ),
    "the event put away with its row": (
        "DELETE FROM release_moves WHERE seq = 3",
        "DELETE FROM audit_events WHERE kind = 'release.canary'",
    ),
    "the event put away in the middle with its row": (
        "DELETE FROM release_moves WHERE seq > 1",
        "DELETE FROM audit_events WHERE kind = 'release.promoted' AND body LIKE '%\"seq\":2%'",
        "DELETE FROM audit_events WHERE kind = 'release.canary'",
    ),
    "all of them put away": (
        "DELETE FROM release_moves",
        "DELETE FROM audit_events WHERE kind IN ('release.promoted', 'release.canary')",
    ),
    "the tail put away with the head as it was": (
        "DELETE FROM release_moves WHERE seq = 3",
        "DELETE FROM audit_events WHERE seq > 4",
        "UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit_events WHERE seq = 4)",
    ),
}


@pytest.mark.proves("H3", "G1")
@pytest.mark.parametrize("what", REWRITTEN)
async def test_an_event_rewritten_or_put_away_with_its_row_is_not_what_was_signed(
    released: Released, what: str
) -> None:
    released.by_hand(*REWRITTEN[what])
    with pytest.raises(StorageError, match=r"not what was signed|events are missing"):
        released.follower().move()
    assert not (await released.kernel.audit.verify()).ok


@pytest.mark.proves("H3")
async def test_a_switch_from_before_events_said_their_place_is_followed(released: Released) -> None:
    body = {"active": released.first, "previous": released.second, "canary": "", "percent": 0, "why": ""}
    await released.store.note(SWITCHES["rolled_back"], SELMA, body)
    released.by_hand(
        "INSERT INTO release_moves SELECT 4, at_ns, tenant, subject, 'rolled_back', '{first}', '{second}', '', 0, '' "
        "FROM release_moves WHERE seq = 3"
    )
    assert released.follower().move().active == released.first
    assert (await released.kernel.audit.verify()).ok


STANDINGS = {
    "the second person": "UPDATE releases SET state = 'ready', confirmed_by = 'idris' WHERE state = 'proposed'",
    "the state": "UPDATE releases SET state = 'ready', confirmed_by = '' WHERE state = 'retired'",
    "the maker": "UPDATE releases SET subject = 'vera' WHERE state = 'ready'",
    "the reason": "UPDATE releases SET override_why = 'asked by the board' WHERE state = 'ready'",
}


@pytest.mark.proves("H3")
@pytest.mark.parametrize("what", STANDINGS)
async def test_a_release_whose_standing_no_signed_event_tells_is_not_followed_and_found(
    released: Released, what: str
) -> None:
    store, third = released.store, manifest(index="52-c")
    await store.add(manifest(gate="overridden"), PIECES, principal=SELMA, why="a rule changed today")
    retired = (await store.add(third, PIECES, principal=SELMA)).release_id
    await store.retire(retired, principal=IDRIS, why="old")
    assert (await released.kernel.audit.verify()).ok
    before = {one.release_id: one for one in await store.list()}
    released.by_hand(STANDINGS[what])
    changed = [one.release_id for one in await store.list() if one != before[one.release_id]] or [released.first]
    for name in changed:
        with pytest.raises(StorageError, match=r"of the release 'rel-.*casewright release promote"):
            released.follower().at(name)
    assert "of the release" in (await released.kernel.audit.verify()).problem


async def test_a_database_without_switches_is_followed_without_any_key(tmp_path: Path) -> None:
    def no_key() -> Kernel:
        raise AssertionError("no key is needed")

    settings = Settings(home=tmp_path, policies=tmp_path)
    assert FollowedRelease(settings, no_key).move().kind == "none"  # type: ignore[arg-type]
