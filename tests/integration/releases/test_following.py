"""Processes follow the release in force: policies, prompts, models and index as one, or what was good before.

Two `Services` over one data folder stand for two processes: one switches, the other serves.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from casewright.access.bundle import read_bundle
from casewright.access.matrix import questions
from casewright.audit.recording import input_digest
from casewright.clock import ManualClock
from casewright.config import Settings
from casewright.contracts.decision import Denied
from casewright.errors import StorageError
from casewright.releases.following import folder_of
from casewright.releases.pieces import prompts_digest
from casewright.services import Services
from commands.orchestrator import build_gateway, build_records, build_runner
from graphs.versions import pins_now, versions_under
from servers.decisions import Decided, Decider
from tests.support.installation import NOW_NS, POLICIES, World
from tests.support.releasing import files, other_prompts, promoted, released, stricter_policies

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]


@pytest.fixture
async def other(home: Path) -> AsyncGenerator[Services]:
    """Another process over the same data folder."""
    services = Services(Settings(home=home, policies=POLICIES), clock=ManualClock(NOW_NS))
    yield services
    await services.close()


@pytest.mark.proves("H3")
async def test_what_serves_follows_a_promote_and_a_rollback_in_all_pieces(
    world: World, other: Services, tmp_path: Path
) -> None:
    serving = world.services
    before = pins_now(serving)
    first = await released(other)
    changed = files(other, policies=stricter_policies(tmp_path / "p"), prompts=other_prompts(tmp_path / "q"))
    second = await released(other, changed)
    await promoted(other, first.release_id)
    assert pins_now(serving) == before.model_copy(update={"release": first.release_id})

    await promoted(other, second.release_id)
    assert serving.engine.reload_if_changed()
    now = pins_now(serving)
    versions = second.manifest.versions
    assert (now.release, now.policy, now.prompts) == (second.release_id, versions.policy, versions.prompts)
    assert versions_under(serving, serving.release.current()) == versions
    assert (now.policy, now.prompts) != (before.policy, before.prompts)

    await promoted(other, first.release_id)
    assert serving.engine.reload_if_changed()
    assert pins_now(serving) == before.model_copy(update={"release": first.release_id})


@pytest.mark.proves("H3")
async def test_a_change_of_the_installations_files_does_not_reach_what_a_release_pins(
    home: Path, tmp_path: Path
) -> None:
    own = tmp_path / "policies"
    shutil.copytree(POLICIES, own)
    services = Services(Settings(home=home, policies=own), clock=ManualClock(NOW_NS))
    try:
        release = await released(services)
        await promoted(services, release.release_id)
        revision = services.engine.revision
        (own / "data" / "access" / "data.json").write_text("{}", encoding="utf-8")
        assert not services.engine.reload_if_changed()
        assert services.engine.revision == revision
    finally:
        await services.close()


@pytest.mark.proves("H3")
async def test_a_release_whose_files_were_damaged_is_not_followed_and_what_was_good_stays(
    world: World, other: Services, tmp_path: Path
) -> None:
    serving = world.services
    first = await released(other)
    second = await released(other, files(other, policies=stricter_policies(tmp_path / "p")))
    await promoted(other, first.release_id)
    before = pins_now(serving)
    with contextlib.closing(sqlite3.connect(serving.settings.database)) as connection, connection:
        query = "UPDATE releases SET pieces = zeroblob(100) WHERE release_id = ?"
        connection.execute(query, (second.release_id,))
    await promoted(other, second.release_id)
    assert not serving.engine.reload_if_changed()
    assert pins_now(serving) == before
    assert "damaged" in serving.release.last_error
    fresh = Services(Settings(home=serving.settings.home, policies=POLICIES))
    with pytest.raises(StorageError, match="casewright release rollback"):
        _ = fresh.engine


def changed(services: Services, statement: str, *values: str) -> None:
    """Change the database behind everybody's back."""
    with contextlib.closing(sqlite3.connect(services.settings.database)) as connection, connection:
        connection.execute(statement, values)


@pytest.mark.proves("H3")
@pytest.mark.parametrize("second", ["", "selma"])
async def test_an_override_without_a_second_person_is_not_followed_whatever_its_row_says(
    other: Services, second: str
) -> None:
    carried = await released(other)
    manifest = carried.manifest.model_copy(update={"gate": "overridden", "passed_over": ("it is not green",)})
    pieces, selma = await other.releases.pieces(carried.release_id), other.identities.find("selma")
    made = await other.releases.add(manifest, pieces, principal=selma, why="a rule changed")
    with pytest.raises(StorageError, match="not there to be followed"):
        other.release.at(made.release_id)
    changed(other, "UPDATE releases SET state = 'ready', confirmed_by = ? WHERE subject = 'selma'", second)
    with pytest.raises(StorageError, match="no second person"):
        other.release.at(made.release_id)
    changed(other, "UPDATE releases SET confirmed_by = 'idris' WHERE subject = 'selma'")
    with pytest.raises(StorageError, match="not what the audit tells"):
        other.release.at(made.release_id)
    changed(other, "UPDATE releases SET state = 'proposed', confirmed_by = '' WHERE subject = 'selma'")
    await other.releases.confirm(made.release_id, principal=other.identities.find("idris"), why="I read the report")
    assert other.release.at(made.release_id).release_id == made.release_id


@pytest.mark.proves("H3")
@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM release_moves", "UPDATE release_moves SET percent = 500", "DELETE FROM release_moves WHERE seq > 1"],
)
async def test_switches_that_vanish_or_are_garbled_change_nothing_that_is_in_force(
    world: World, other: Services, tmp_path: Path, statement: str
) -> None:
    first = await released(other)
    second = await released(other, files(other, policies=stricter_policies(tmp_path / "p")))
    for release in (first, second):
        await promoted(other, release.release_id)
    serving = world.services
    before = pins_now(serving)
    assert before.release == second.release_id
    changed(other, statement)
    serving.engine.reload_if_changed()
    assert pins_now(serving) == before
    assert "restor" in serving.release.last_error
    fresh = Services(Settings(home=serving.settings.home, policies=POLICIES))
    with pytest.raises(StorageError, match="restor"):
        fresh.release.current()
    await fresh.close()


@pytest.mark.proves("H3")
async def test_a_copy_that_somebody_edits_is_refused_and_made_again(world: World, other: Services) -> None:
    serving = world.services
    release = await released(other)
    await promoted(other, release.release_id)
    revision = serving.engine.revision
    data = folder_of(serving.settings, release.release_id) / "policies" / "data" / "access" / "data.json"
    text = data.read_text(encoding="utf-8")
    data.write_text(text.replace('"everything": false', '"everything": true'), encoding="utf-8")
    assert not serving.engine.reload_if_changed()
    assert (serving.engine.revision, serving.engine.last_error is not None) == (revision, True)
    fresh = Services(Settings(home=serving.settings.home, policies=POLICIES))
    assert (fresh.engine.revision, data.read_text(encoding="utf-8")) == (revision, text)
    await fresh.close()


def decided_under(revision: str) -> Decided:
    """A denial of these policies, as it is on its way to the record."""
    _, document = next(iter(questions(read_bundle(POLICIES))))
    content = document.model_dump(mode="json", by_alias=True)
    verdict = Denied(code="access.denied", detail="", revision=revision)
    return Decided(
        decision_id="dec-1",
        document=document,
        content=content,
        digest=input_digest(content),
        verdict=verdict,
        engine="embedded",
    )


@pytest.mark.proves("H3")
async def test_a_decision_that_a_switch_overtakes_is_not_recorded_by_rules_of_other_policies(
    world: World, other: Services, tmp_path: Path
) -> None:
    serving = world.services
    first = await released(other)
    second = await released(other, files(other, policies=stricter_policies(tmp_path / "p")))
    await promoted(other, first.release_id)
    decider, before = Decider(serving), first.manifest.versions.policy
    assert serving.engine.revision == before
    await promoted(other, second.release_id)
    assert decider.record(decided_under(before)).recording.paths == {}
    await decider.refresh(at_once=True)
    assert decider.record(decided_under(serving.engine.revision)).recording.paths
    assert serving.engine.revision == second.manifest.versions.policy


@pytest.mark.proves("H3")
async def test_new_runs_name_the_active_release_and_a_run_under_way_goes_on_and_notes_the_change(
    world: World, other: Services, tmp_path: Path
) -> None:
    serving = world.services
    first = await released(other)
    second = await released(other, files(other, prompts=other_prompts(tmp_path / "q")))
    await promoted(other, first.release_id)
    rosa = serving.identities.find("rosa")
    async with build_gateway(serving) as gateway:
        runner, records = build_runner(serving, gateway), build_records(serving)
        begun = await runner.start(rosa, "HL-2026-0001")
        await promoted(other, second.release_id)
        selma = serving.identities.find("selma")
        await serving.approvals.vote(begun.pending[0].approval_id, voter=selma, approve=True, note="")
        ended = await runner.resume("harborline", begun.run_id)
        fresh = await runner.start(rosa, "HL-2026-0001", fresh=True)
        noted = await records.events(begun.run_id, kind="versions")
    assert (begun.release, ended.release, ended.status) == (first.release_id, first.release_id, "completed")
    assert fresh.release == second.release_id
    assert noted[-1].body["release"] == {"pinned": first.release_id, "now": second.release_id}
    assert await prompts_of(serving, fresh.run_id) != await prompts_of(serving, begun.run_id)


async def prompts_of(services: Services, run_id: str) -> set[str]:
    """Hashes of the prompts with which a run asked models."""
    events = await services.audit.events(tenant="harborline", run_id=run_id)
    return {str(event.body["prompt_hash"]) for event in events if event.kind == "model.called"}


@pytest.mark.proves("H3")
async def test_a_canary_is_tried_on_its_share_alone_and_never_with_its_policies(
    world: World, other: Services, tmp_path: Path
) -> None:
    serving = world.services
    first = await released(other)
    changed = files(other, policies=stricter_policies(tmp_path / "p"), prompts=other_prompts(tmp_path / "q"))
    second = await released(other, changed)
    await promoted(other, first.release_id)
    policy = serving.engine.revision
    begun_with = serving.release.begun_with
    cases = [f"HL-2026-{number:04}" for number in range(200)]

    def tried() -> set[str]:
        return {case for case in cases if begun_with("harborline", case).release_id == second.release_id}

    assert tried() == set()
    await promoted(other, first.release_id, canary=second.release_id, percent=20)
    some = tried()
    await promoted(other, first.release_id, canary=second.release_id, percent=60)
    more = tried()
    assert 0 < len(some) < len(more) < len(cases) and some < more
    assert not serving.engine.reload_if_changed() and serving.engine.revision == policy
    assert prompts_digest(begun_with("harborline", next(iter(some))).prompts) == second.manifest.versions.prompts
    await promoted(other, first.release_id)
    assert tried() == set()
