"""`casewright release`: made under a green gate, let through by two, promoted with open eyes, taken back."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.evaluation import EvaluatedVersions
from casewright.services import Services
from commands.release_evidence import present_measure
from graphs.versions import versions_under
from tests.support.releasing import files, gated, green, over, promoted, released, stricter_policies, suite
from tests.unit.commands.conftest import Casewright

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]
MEASURE = present_measure()
EXPORT = '"export_audit": {"kind": "tool", "verb": "read", "risk": "medium", "resource": "none", "roles": ["auditor"'


def report_of(home: Path, file: Path, **changes: Any) -> str:
    """A report of the versions of an installation; its file."""

    async def versions(services: Services) -> EvaluatedVersions:
        return versions_under(services, files(services))

    file.write_text(green(over(home, versions), **changes).model_dump_json(), encoding="utf-8")
    return str(file)


@pytest.mark.proves("H3")
def test_a_release_is_made_under_a_green_gate_promoted_named_by_answers_and_rolled_back(
    casewright: Casewright, home: Path, tmp_path: Path
) -> None:
    red = report_of(home, tmp_path / "red.json", suites=(suite(errored=1),))
    refused = casewright("release", "create", "--report", red, "--json")
    assert (refused.code, "could not be tried" in refused.refusal) == (2, True)
    assert casewright("release", "rollback", "--as", "selma", "--json").code == 2

    claimed = report_of(home, tmp_path / "claimed.json")
    refused = casewright("release", "create", "--report", claimed, "--json")
    assert (refused.code, "it did not run" in refused.refusal) == (2, True)

    async def made(services: Services) -> str:
        return (await released(services)).release_id

    name = over(home, made)
    listed = casewright("release", "list", "--json").document
    assert (listed["active"], listed["previous"], listed["releases"][0]["gate"]) == ("", "", "green")
    for person, code in (("rosa", 3), ("petra", 3), ("selma", 0)):
        assert casewright("release", "promote", name, "--as", person, "--json").code == code
    shown = casewright("release", "show", "--json").document
    assert (shown["active"], shown["previous"], shown["not_followed"]) == (name, "", "")
    assert casewright("ask", "When is provisional credit due?", "--as", "rosa", "--json").document["release"] == name
    moved = casewright("release", "rollback", "--as", "selma", "--json").document
    assert (moved["active"], moved["previous"]) == ("", name)
    assert casewright("ask", "When is provisional credit due?", "--as", "rosa", "--json").document["release"] == ""
    assert casewright("audit", "verify", "--as", "selma", "--json").code == 0


@pytest.mark.skipif(
    not {name for name, gate in MEASURE.gates.suites.items() if not gate.optional} <= set(MEASURE.lock.suites),
    reason="no release before the data sets are locked",
)
@pytest.mark.proves("H3")
def test_a_report_that_holds_under_the_present_gates_makes_one_release(
    casewright: Casewright, home: Path, tmp_path: Path
) -> None:
    whole = gated(green(), MEASURE)
    held = report_of(home, tmp_path / "held.json", suites=whole.suites, controls=whole.controls)
    create = ("release", "create", "--report", held, "--json")
    made = casewright(*create).document
    assert (made["active"], made["previous"], made["release"]["gate"]) == ("", "", "green")
    assert casewright(*create).document["release"]["release_id"] == made["release"]["release_id"]


@pytest.mark.proves("H3")
def test_what_other_policies_would_newly_permit_is_shown_and_needs_a_yes(
    casewright: Casewright, home: Path, tmp_path: Path
) -> None:
    wider = stricter_policies(tmp_path / "wider")
    data = wider / "data" / "access" / "data.json"
    text = data.read_text(encoding="utf-8")
    assert EXPORT in text
    data.write_text(text.replace(EXPORT, f'{EXPORT}, "reviewer"'), encoding="utf-8")

    async def both(services: Services) -> tuple[str, str]:
        first, second = await released(services), await released(services, files(services, policies=wider))
        await promoted(services, first.release_id)
        return first.release_id, second.release_id

    first, second = over(home, both)
    promote = ("release", "promote", second, "--as", "selma", "--json")
    refused = casewright(*promote)
    assert (refused.code, "Nothing changed" in refused.refusal) == (2, True)
    told = " ".join(refused.errors.split())
    assert "newly permitted" in told and "admin/export_audit by reviewer" in told
    assert casewright("release", "show", "--json").document["active"] == first
    moved = casewright(*promote, "--yes").document
    assert (moved["active"], moved["previous"], moved["policies"]["permissive"] > 0) == (second, first, True)


@pytest.mark.proves("H3")
def test_a_release_under_which_nobody_could_roll_back_is_refused(
    casewright: Casewright, home: Path, tmp_path: Path
) -> None:
    closed = stricter_policies(tmp_path / "closed")
    data = closed / "data" / "access" / "data.json"
    text = data.read_text(encoding="utf-8")
    data.write_text(text.replace('"everything": false', '"everything": true', 1), encoding="utf-8")

    async def made(services: Services) -> str:
        return (await released(services, files(services, policies=closed))).release_id

    name = over(home, made)
    refused = casewright("release", "promote", name, "--as", "selma", "--json")
    assert (refused.code, "could not roll it back" in refused.refusal) == (2, True)
    shown = casewright("release", "show", "--json").document
    assert (shown["active"], shown["release"]) == ("", None)


@pytest.mark.proves("H3")
def test_an_override_is_two_peoples_decision_and_stands_in_every_view(
    casewright: Casewright, home: Path, tmp_path: Path
) -> None:
    fast = report_of(home, tmp_path / "fast.json", selection="fast")
    create = ("release", "create", "--report", fast, "--override", "--why", "a rule changed today", "--json")
    assert casewright(*create, "--as", "petra").code == 3
    made = casewright(*create, "--as", "selma").document
    name = made["release"]["release_id"]
    assert made["release"]["state"] == "proposed"
    assert casewright("release", "promote", name, "--as", "selma", "--json").code != 0
    assert casewright("release", "confirm", name, "--why", "mine", "--as", "selma", "--json").code == 1
    assert casewright("release", "confirm", name, "--why", "I read it", "--as", "idris", "--json").code == 0
    moved = casewright("release", "promote", name, "--as", "selma", "--json").document
    assert moved["active"] == name
    shown = casewright("release", "show", "--json").document["release"]
    listed = casewright("release", "list", "--json").document["releases"][0]
    for one in (moved["release"], shown, listed):
        assert (one["override"]["recorded_by"], one["override"]["confirmed_by"]) == ("selma", "idris")
        assert any("fast selection" in told for told in one["passed_over"])
    for view in (casewright("release", "show"), casewright("release", "list")):
        assert "made without a green gate" in " ".join(view.out.split())


@pytest.mark.proves("H3")
def test_a_shadow_compares_the_same_case_without_effect_and_leaves_no_copy(casewright: Casewright, home: Path) -> None:
    begun = casewright("review", "HL-2026-0001", "--as", "rosa", "--json").document

    async def made(services: Services) -> str:
        return (await released(services)).release_id

    name = over(home, made)
    runs = casewright("runs", "list", "--as", "selma", "--json").document
    compared = casewright("release", "shadow", name, "--run", begun["run_id"], "--as", "selma", "--json").document
    (one,) = compared["cases"]
    assert (one["case_id"], one["differences"], compared["differ"]) == ("HL-2026-0001", [], 0)
    assert (one["before"]["release"], one["after"]["release"]) == ("", name)
    assert one["after"]["action"].startswith("issue_provisional_credit")
    assert casewright("runs", "list", "--as", "selma", "--json").document == runs
    assert [path.name for path in (home / "releases").iterdir()] == [name]
    assert casewright("release", "show", "--json").document["active"] == ""


@pytest.mark.proves("H3")
def test_a_release_that_cannot_be_followed_is_taken_back_with_a_yes(casewright: Casewright, home: Path) -> None:
    async def both(services: Services) -> str:
        first = await released(services)
        other = first.manifest.model_copy(update={"eval_id": "eval-2"})
        pieces, petra = await services.releases.pieces(first.release_id), services.identities.find("petra")
        second = await services.releases.add(other, pieces, principal=petra)
        for release in (first, second):
            await promoted(services, release.release_id)
        return first.release_id

    first = over(home, both)
    with contextlib.closing(sqlite3.connect(home / "casewright.db")) as connection, connection:
        connection.execute("UPDATE releases SET pieces = zeroblob(9) WHERE release_id <> ?", (first,))
    assert casewright("ask", "When is provisional credit due?", "--as", "rosa", "--json").code != 0
    assert "damaged" in casewright("release", "show", "--json").document["not_followed"]
    rollback = ("release", "rollback", "--as", "selma", "--json")
    refused = casewright(*rollback)
    assert (refused.code, "cannot be told" in refused.refusal) == (2, True)
    assert casewright(*rollback, "--yes").document["active"] == first
    assert casewright("ask", "When is provisional credit due?", "--as", "rosa", "--json").document["release"] == first


@pytest.mark.proves("H3")
def test_nothing_goes_back_to_files_of_the_installation_that_cannot_be_loaded(
    casewright: Casewright, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def made(services: Services) -> str:
        release = await released(services)
        await promoted(services, release.release_id)
        return release.release_id

    name, own = over(home, made), stricter_policies(tmp_path / "own")
    monkeypatch.setenv("CASEWRIGHT_POLICIES", str(own))
    wrong = own / "casewright" / "access" / "wrong.rego"
    wrong.write_text("package casewright.access\n\nallow := ", encoding="utf-8")
    rollback = ("release", "rollback", "--as", "selma", "--yes", "--json")
    refused = casewright(*rollback)
    assert (refused.code, "own files cannot be put in force" in refused.refusal) == (2, True)
    assert casewright("release", "show", "--json").document["active"] == name
    wrong.unlink()
    assert casewright(*rollback).document["active"] == ""
