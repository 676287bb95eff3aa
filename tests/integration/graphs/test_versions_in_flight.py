"""Runs begun by code of another version: each kept state loads, is migrated and finishes; a newer one is refused.

The files in `golden/` are what the disk held of a run (its last checkpoint, its rows), written by the code of that
version. They are restored into an installation of today, whose policies and tools may have changed since.
"""

import base64
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from casewright.approvals.records import approval_entry
from casewright.contracts.run import RunReport
from casewright.identity.keys import SigningKey
from graphs.seals import Seals
from graphs.state import STATE_VERSION
from graphs.versions import VersionRefusedError
from tests.integration.graphs.reviews import World, changed, opened, sample_cases

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(path.stem for path in GOLDEN.glob("*.json"))
MOST_ROUNDS = 5
"""An approval that was given under older policies or tools is asked for anew."""
APPROVERS = ("selma", "idris")

pytestmark = pytest.mark.thorough


def golden(name: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def plain(value: Any) -> Any:
    return base64.b64decode(str(value["base64"])) if isinstance(value, dict) else value  # pyright: ignore[reportUnknownArgumentType]


def restored(home: Path, document: dict[str, Any], **columns: Any) -> None:
    """Put the kept rows where the code that wrote them would have left them, sealed as by an update of the folder.

    `columns` replace some of the run's row.
    """
    from langgraph.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string(str(home / "checkpoints.db")) as saver:
        saver.setup()
    for file, tables in (("casewright.db", document["database"]), ("checkpoints.db", document["checkpoints"])):
        connection = sqlite3.connect(home / file)
        for table, rows in tables.items():
            for row in rows:
                values = {name: plain(value) for name, value in row.items()} | (columns if table == "runs" else {})
                names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" for _ in values)
                connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        connection.commit()
        connection.close()
    Seals.of(SigningKey.load(home / "signing-key.pem")).adopt(home / "checkpoints.db")  # as `init` does on an upgrade


async def told(world: World, run_id: str) -> None:
    """The events of the run's open approvals, as the code that asked for them told the audit: rule and call alone."""
    for approval in await world.services.approvals.list("harborline", run_id=run_id):
        body = {"rule": approval.rule.model_dump(mode="json"), "call": approval.call.model_dump()}
        await world.services.audit.append(approval_entry("approval.requested", approval, approval.requested_by, body))


async def finished(world: World, run_id: str) -> RunReport:
    """Give the run what it asks for until it ends: votes, an answer, the log that case HL-2026-0015 lacks."""
    report = await world.runner.resume("harborline", run_id)
    for _ in range(MOST_ROUNDS):
        if report.status == "waiting_approval":
            approval = await world.services.approvals.get("harborline", report.pending[0].approval_id)
            for voter in APPROVERS[: approval.remaining]:
                await world.vote(report, voter)
        elif report.status == "waiting_answer" and report.asked is not None:
            questions, rosa = world.services.questions, world.person("rosa")
            await questions.answer("harborline", run_id, report.asked.question_id, "continue", by=rosa)
        elif report.status == "waiting_information":
            await world.add(changed(report.case_id, evidence=[*sample_cases()[report.case_id]["evidence"], LOG]))
        else:
            return report
        report = await world.runner.resume("harborline", run_id)
    return report


LOG = {
    "evidence_id": "e3",
    "kind": "device_log",
    "title": "Card authentication log",
    "text": "No strong authentication was requested; the device is not one of the customer's.",
    "source": "card platform",
    "trust": "system",
    "supports": "customer",
    "received_on": "2026-10-05",
}


def test_there_are_kept_states_of_every_version() -> None:
    assert {golden(name)["state_version"] for name in FILES} == set(range(1, STATE_VERSION + 1))


@pytest.mark.proves("E4")
@pytest.mark.parametrize("name", FILES)
async def test_a_run_of_a_known_version_goes_on_and_finishes(home: Path, name: str) -> None:
    document = golden(name)
    run_id = document["run_id"]
    restored(home, document)
    async with opened(home) as world:
        await told(world, run_id)
        before = await world.runner.resume("harborline", run_id)
        report = await finished(world, run_id)
        assert (report.status, report.case_id) == ("completed", document["case_id"]), (before.because, report.because)
        assert await world.outbox_rows() == 1
        assert report.budget.spent.delegations["executor"] >= 2
        migrated = [event.body for event in await world.records.events(run_id, kind="migrated")]
        older = document["state_version"] < STATE_VERSION
        assert migrated == ([{"from": document["state_version"], "to": STATE_VERSION}] if older else [])


@pytest.mark.parametrize(
    "pins", [{"graph": 99}, {"graph": "2"}, {"graph": 0}, {"graph": True}], ids=lambda pins: repr(pins["graph"])
)
async def test_a_run_of_a_newer_or_unknown_graph_is_refused_with_the_way_out(home: Path, pins: dict[str, Any]) -> None:
    document = golden("v2-killed")
    restored(home, document, pins=json.dumps(pins))
    async with opened(home) as world:
        with pytest.raises(VersionRefusedError, match=r"Run a newer casewright, fork it from the start, or cancel it"):
            await world.runner.resume("harborline", document["run_id"])
        row = await world.records.get("harborline", document["run_id"])
        assert row.status == "failed"
        assert await world.outbox_rows() == 0
        cancelled = await world.runner.cancel("harborline", document["run_id"], by="rosa")
        assert cancelled.status == "cancelled"
