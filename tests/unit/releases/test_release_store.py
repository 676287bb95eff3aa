"""What is kept of releases, who may let one through, and that a switch is one step."""

import contextlib
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from casewright.contracts.release import ReleaseManifest
from casewright.errors import ConflictError, InputError, NotFoundError, StorageError
from casewright.releases.manifest import id_of, read_manifest, signed_text
from casewright.releases.pieces import Pieces
from casewright.releases.store import ReleaseStore, Switch
from tests.support.releasing import VERSIONS
from tests.unit.audit.kernel import IDRIS, SELMA, START_NS, TENANT, Kernel
from tests.unit.audit.kernel import kernel as opened_kernel

PIECES = Pieces(files={"policies/a.rego": "package a", "prompts/one.md": "one"})


def manifest(*, gate: str = "green", index: str = "50-a") -> ReleaseManifest:
    versions = VERSIONS.model_copy(update={"index_version": index})
    against = ("the gate is not green",) if gate == "overridden" else ()
    return ReleaseManifest.model_validate(
        {
            "versions": versions.model_dump(),
            "pieces": PIECES.digest,
            "report": "0" * 64,
            "eval_id": "eval-1",
            "gate": gate,
            "passed_over": against,
        }
    )


def store_of(kernel: Kernel, index: Path) -> ReleaseStore:
    index.mkdir(exist_ok=True)
    return ReleaseStore(kernel.database, kernel.audit, kernel.signer, kernel.clock, index)


def switch(release: str, *, after: int = 0, previous: str = "") -> Switch:
    return Switch(kind="promoted", active=release, previous=previous, after=after, shown={})


async def kinds(kernel: Kernel) -> list[str]:
    return [event.kind for event in await kernel.audit.events(tenant=TENANT)]


@pytest.fixture
async def kernel(tmp_path: Path) -> AsyncGenerator[Kernel]:
    async with opened_kernel(tmp_path) as found:
        yield found


@pytest.fixture
def store(kernel: Kernel, tmp_path: Path) -> ReleaseStore:
    return store_of(kernel, tmp_path / "index")


@pytest.mark.proves("H3")
async def test_a_release_is_named_by_its_content_and_made_once(store: ReleaseStore, kernel: Kernel) -> None:
    first = await store.add(manifest(), PIECES, principal=SELMA)
    again = await store.add(manifest(), PIECES, principal=IDRIS)
    assert first == again
    assert (first.release_id, first.state, first.created_ns) == (id_of(manifest()), "ready", START_NS)
    assert (await store.pieces(first.release_id)).files == PIECES.files
    other = await store.add(manifest(index="51-b"), PIECES, principal=SELMA)
    assert other.release_id != first.release_id
    assert await kinds(kernel) == ["release.created", "release.created"]


@pytest.mark.proves("H3")
async def test_an_override_takes_two_people_who_say_why(store: ReleaseStore, kernel: Kernel) -> None:
    with pytest.raises(InputError, match="no reason"):
        await store.add(manifest(gate="overridden"), PIECES, principal=SELMA)
    made = await store.add(manifest(gate="overridden"), PIECES, principal=SELMA, why="a rule changed today")
    assert made.state == "proposed"
    with pytest.raises(ConflictError, match="proposed"):
        await store.switch(switch(made.release_id), principal=IDRIS)
    with pytest.raises(ConflictError, match="another person"):
        await store.confirm(made.release_id, principal=SELMA, why="it is fine")
    confirmed = await store.confirm(made.release_id, principal=IDRIS, why="I read the report")
    assert confirmed.state == "ready" and confirmed.override is not None
    assert (confirmed.override.recorded_by, confirmed.override.confirmed_by) == (SELMA.id, IDRIS.id)
    with pytest.raises(ConflictError, match="no confirmation"):
        await store.confirm(made.release_id, principal=IDRIS, why="again")
    await store.switch(switch(made.release_id), principal=IDRIS)
    assert await kinds(kernel) == ["release.proposed", "release.created", "release.promoted"]


@pytest.mark.proves("H3")
async def test_two_who_switch_at_once_do_not_overwrite_each_other(store: ReleaseStore) -> None:
    first = await store.add(manifest(), PIECES, principal=SELMA)
    second = await store.add(manifest(index="51-b"), PIECES, principal=SELMA)
    await store.switch(switch(first.release_id, after=0), principal=SELMA)
    with pytest.raises(ConflictError, match="switched meanwhile"):
        await store.switch(switch(second.release_id, after=0), principal=IDRIS)
    move = await store.move()
    assert (move.active, move.previous, move.seq) == (first.release_id, "", 1)


async def test_what_is_active_or_gone_back_to_is_not_retired_and_what_is_retired_stays_so(store: ReleaseStore) -> None:
    first = await store.add(manifest(), PIECES, principal=SELMA)
    second = await store.add(manifest(index="51-b"), PIECES, principal=SELMA)
    third = await store.add(manifest(index="52-c"), PIECES, principal=SELMA)
    await store.switch(switch(first.release_id), principal=SELMA)
    await store.switch(switch(second.release_id, after=1, previous=first.release_id), principal=SELMA)
    for name in (first.release_id, second.release_id):
        with pytest.raises(ConflictError, match="promote another"):
            await store.retire(name, principal=SELMA, why="old")
    assert (await store.retire(third.release_id, principal=SELMA, why="old")).state == "retired"
    with pytest.raises(ConflictError, match="retired"):
        await store.switch(switch(third.release_id, after=2), principal=SELMA)
    with pytest.raises(ConflictError, match="retired"):
        await store.add(manifest(index="52-c"), PIECES, principal=SELMA)
    with pytest.raises(NotFoundError):
        await store.retire("rel-0000000000000000", principal=SELMA, why="old")


@pytest.mark.proves("H3")
async def test_index_states_stay_as_long_as_a_release_names_them(kernel: Kernel, tmp_path: Path) -> None:
    from casewright.corpus.protected import protected_states

    store = store_of(kernel, tmp_path / "index")
    await store.add(manifest(), PIECES, principal=SELMA)
    second = await store.add(manifest(index="51-b"), PIECES, principal=SELMA)
    assert protected_states(tmp_path / "index") == {"50-a", "51-b"}
    await store.retire(second.release_id, principal=SELMA, why="old")
    assert protected_states(tmp_path / "index") == {"50-a"}


@pytest.mark.proves("H3")
@pytest.mark.parametrize("field", ["manifest", "signature"])
async def test_a_manifest_that_was_changed_in_the_database_is_refused(
    store: ReleaseStore, kernel: Kernel, field: str
) -> None:
    made = await store.add(manifest(), PIECES, principal=SELMA)
    with contextlib.closing(sqlite3.connect(kernel.path)) as connection, connection:
        other = (
            manifest(index="66-x").model_dump_json() if field == "manifest" else kernel.signer.sign(b"something else")
        )
        connection.execute(f"UPDATE releases SET {field} = ?", (other,))
    with pytest.raises(StorageError, match="not the one that was signed"):
        await store.get(made.release_id)


def test_a_manifest_under_another_id_is_refused(kernel: Kernel) -> None:
    text, signature = manifest().model_dump_json(), kernel.signer.sign(signed_text(manifest()))
    assert read_manifest(id_of(manifest()), text, signature, kernel.signer) == manifest()
    with pytest.raises(StorageError):
        read_manifest("rel-0000000000000000", text, signature, kernel.signer)
