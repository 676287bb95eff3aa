"""`casewright release` where somebody edited a report, or the row that says what is in force."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from casewright.config import Settings
from casewright.services import Services
from evals.folder import EvalFolder
from tests.evals.test_recounting import held
from tests.support.installation import POLICIES
from tests.support.releasing import promoted, released
from tests.unit.commands.conftest import Casewright

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(240)]


@pytest.mark.proves("H3")
def test_a_release_says_whether_its_figures_were_counted_again_and_none_is_made_of_edited_ones(
    casewright: Casewright, tmp_path: Path
) -> None:
    folder = EvalFolder(tmp_path / "run")
    report = held(folder)
    create = ("release", "create", "--report", str(folder.report_file), "--as", "selma")
    override = ("--override", "--why", "a rule changed today", "--json")
    assert "results beside it say otherwise" not in casewright(*create, "--json").refusal
    made = casewright(*create, *override).document["release"]
    assert len(made["results"]) == 64
    assert "counted again" in casewright("release", "show", made["release_id"], "--as", "selma").out

    edited = report.suites[0].model_copy(update={"failed": 0, "passed": 7})
    folder.write_report(report.model_copy(update={"suites": (edited,)}))
    refused = casewright(*create, "--json")
    assert (refused.code, "golden: passed is 7 in the report, and the results" in refused.refusal) == (2, True)
    passed_over = casewright(*create, *override).document["release"]["passed_over"]
    assert any("golden: passed is 7" in one for one in passed_over)


@pytest.mark.proves("H3", "G1")
def test_show_list_and_verify_tell_of_a_row_that_no_event_tells_and_a_promote_mends_it(
    casewright: Casewright, home: Path
) -> None:
    name = asyncio.run(one_in_force(home))
    edit_the_switch(home, active="")
    for command in ("show", "list"):
        told = casewright("release", command, "--as", "selma", "--json").document["not_followed"]
        assert "is not what the audit tells" in told and "casewright release promote" in told
    assert casewright("cases", "list", "--as", "rosa", "--json").code != 0
    assert "of the switch 1 between releases" in casewright("audit", "verify", "--json").document["problem"]
    assert casewright("release", "promote", name, "--yes", "--as", "selma", "--json").code == 0
    shown = casewright("release", "show", "--as", "selma", "--json").document
    assert (shown["active"], shown["not_followed"]) == (name, "")


@pytest.mark.proves("H3", "G1")
def test_no_canary_and_no_rollback_signs_what_a_row_says_that_no_event_tells(
    casewright: Casewright, home: Path
) -> None:
    name = asyncio.run(one_in_force(home))
    edit_the_switch(home, active="", previous=name)
    for command in (("canary", "off"), ("canary", name, "5"), ("rollback", "--yes")):
        refused = casewright("release", *command, "--as", "selma", "--json")
        assert (refused.code != 0, "is not what the audit tells" in refused.refusal) == (True, True), command
    assert len(casewright("release", "list", "--as", "selma", "--json").document["moves"]) == 1


@pytest.mark.proves("H3", "G1")
def test_a_promote_over_an_edited_row_signs_no_way_back_to_what_it_says(casewright: Casewright, home: Path) -> None:
    name = asyncio.run(one_in_force(home))
    edit_the_switch(home, active="rel-of-somebody")
    assert casewright("release", "promote", name, "--yes", "--as", "selma", "--json").code == 0
    newest = max(
        casewright("release", "list", "--as", "selma", "--json").document["moves"], key=lambda move: move["seq"]
    )
    assert (newest["active"], newest["previous"]) == (name, "")


def edit_the_switch(home: Path, *, active: str, previous: str = "") -> None:
    """What somebody does who can write the database, and sign nothing."""
    with contextlib.closing(sqlite3.connect(home / "casewright.db")) as connection, connection:
        connection.execute("UPDATE release_moves SET active = ?, previous = ?", (active, previous))


async def one_in_force(home: Path) -> str:
    """A release that another process made and promoted."""
    services = Services(Settings(home=home, policies=POLICIES))
    try:
        name = (await released(services)).release_id
        await promoted(services, name)
        return name
    finally:
        await services.close()
