"""A release beside what is in force, and the index state that it names."""

import contextlib
import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from casewright.config import Settings
from casewright.contracts.clause import SearchFilters
from casewright.corpus.corpus import Corpus
from casewright.corpus.manifest import Submission
from casewright.corpus.protected import protect
from casewright.corpus.table import KEPT_STATES
from casewright.releases.scratch import detach, scratch
from casewright.services import Services
from commands.release_shadow import differences
from tests.support.installation import POLICIES, World
from tests.support.releasing import promoted, released

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]
APPROVED = Submission(by="petra", at="2026-11-21T00:00:00Z", approved=True)
FILTERS = SearchFilters(tenant="harborline", labels=(), as_of=dt.date(2026, 11, 21))


def document(folder: Path, number: int) -> Path:
    path = folder / f"rule-{number}.md"
    head = f"title: Zeppelins {number}\ndocument_id: zeppelin-{number}\nversion: '1'\neffective_from: 2024-01-01"
    head += (
        "\nstatus: published\ntenant: harborline\nlabels: []\nissuer: Harborline Bank\njurisdiction: US\nlanguage: en"
    )
    text = f"A zeppelin of class {number} is moored within {number + 2} hours of its landing."
    path.write_text(f"---\n{head}\n---\n\n# Zeppelins\n\n## 1. Mooring\n\n1.1 {text}\n", encoding="utf-8")
    return path


def found(services: Services) -> set[str]:
    hits = services.corpus.search("When is a zeppelin moored?", FILTERS).hits
    return {hit.document_id for hit in hits if hit.document_id.startswith("zeppelin")}


@pytest.mark.proves("H3")
async def test_a_release_answers_from_its_index_state_until_another_names_a_new_one(
    world: World, tmp_path: Path
) -> None:
    services = world.services
    first = await released(services)
    await promoted(services, first.release_id)
    pinned = services.corpus.index_version()
    services.corpus.ingest([document(tmp_path, 1)], tenant="harborline", submission=APPROVED)
    assert (services.corpus.index_version(), found(services)) == (pinned, set())
    assert "zeppelin-1" in {entry.document.document_id for entry in services.corpus.manifest("harborline").entries}
    second = await released(services)
    assert second.manifest.versions.index_version != pinned
    await promoted(services, second.release_id)
    assert found(services) == {"zeppelin-1"}
    services.corpus.ingest([document(tmp_path, 2)], tenant="harborline", submission=APPROVED)
    report = services.corpus.prune(keep=1, pinned=())
    kept = {state.index_version: state.because for state in report.kept}
    assert (kept[pinned], kept[second.manifest.versions.index_version]) == ("released", "previous")
    await promoted(services, first.release_id)
    assert (services.corpus.index_version(), found(services)) == (pinned, set())


@pytest.mark.proves("H3")
def test_ingesting_many_times_drops_no_state_that_a_release_names(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    corpus = Corpus(tmp_path / "index", embedder="static")
    corpus.ingest([document(folder, 0)], tenant="harborline", submission=APPROVED)
    named, old = corpus.index_version(), ""
    protect(tmp_path / "index", [named])
    for number in range(1, KEPT_STATES + 3):
        corpus.ingest([document(folder, number)], tenant="harborline", submission=APPROVED)
        old = old or corpus.index_version()
    kept = {state.index_version for state in corpus.states()}
    assert named in kept and old not in kept
    chosen = Corpus(tmp_path / "index", embedder="static", chosen=lambda: named)
    assert {one.document_id for one in chosen.documents(FILTERS)} == {"zeppelin-0"}


async def test_a_copy_that_is_detached_has_the_installations_own_files_in_force(world: World) -> None:
    release = await released(world.services)
    await promoted(world.services, release.release_id)
    with scratch(world.services.settings, release.release_id) as home:
        assert active(home) == release.release_id
        assert await followed(home) == release.release_id
        detach(Settings(home=home, policies=POLICIES))
        assert active(home) == await followed(home) == ""
    assert not home.exists()
    assert active(world.home) == release.release_id
    older = Settings(home=world.home / "older", policies=POLICIES)
    older.home.mkdir()
    with contextlib.closing(sqlite3.connect(older.database)) as connection, connection:
        connection.execute("CREATE TABLE runs (run_id TEXT)")
    detach(older)


async def followed(home: Path) -> str:
    """What a process over this sound data folder has in force."""
    services = Services(Settings(home=home, policies=POLICIES))
    try:
        assert (await services.audit.verify()).problem == ""
        return services.release.current().release_id
    finally:
        await services.close()


def active(home: Path) -> str:
    with contextlib.closing(sqlite3.connect(home / "casewright.db")) as connection:
        return str(connection.execute("SELECT active FROM release_moves ORDER BY seq DESC").fetchone()[0])


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({}, []),
        ({"cost_micro": 9, "wall_clock_ms": 99}, []),
        ({"status": "incomplete"}, ["status"]),
        ({"action": "deny_claim 0"}, ["action"]),
        ({"citations": []}, ["citations"]),
    ],
)
def test_what_counts_is_a_difference_and_what_it_cost_is_not(after: dict[str, Any], told: list[str]) -> None:
    before: dict[str, Any] = {
        "status": "waiting_approval",
        "action": "escalate 0 USD",
        "risk": "high",
        "citations": ["a"],
        "cost_micro": 1,
        "wall_clock_ms": 10,
    }
    assert differences(before, before | after) == told


def test_a_copy_that_a_dead_process_left_is_deleted_and_one_that_is_used_is_not(home: Path) -> None:
    settings = Settings(home=home, policies=POLICIES)
    left = home / "releases" / ".scratch-dead-own"
    left.mkdir(parents=True)
    (left / "signing-key").write_text("secret", encoding="utf-8")
    with scratch(settings, "") as first:
        assert not left.exists()
        with scratch(settings, "") as second:
            assert first != second and (first / "casewright.db").exists()
    assert list((home / "releases").iterdir()) == []
