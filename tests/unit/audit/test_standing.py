"""Where a run stands: counted with its events, tainted for good, under the newest controls."""

import dataclasses
import json
import statistics
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from casewright.audit.log import AuditLog
from casewright.audit.meter import MeterChange
from casewright.audit.standing import DatabaseStanding, RunStanding, Standing, standing_of
from casewright.contracts.controls import Controls, Switches
from casewright.contracts.event import EventKind
from casewright.errors import StorageError
from casewright.storage.database import Database
from tests.unit.audit.kernel import TENANT, Kernel, kernel
from tests.unit.audit.test_audit_log import change, entry

INSERT = (
    "INSERT INTO policy_data (seq, tenant, at_ns, subject, why, path, value, document) "
    f"VALUES (?, '{TENANT}', 0, '', '', '', '', ?)"
)


@pytest.fixture(params=["file", "database"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[tuple[Kernel, Standing]]:
    """A kernel whose audit and standings go over the bare connections, or over the pool as another database would."""
    async with kernel(tmp_path) as found:
        if request.param == "file":
            yield found, standing_of(found.database)
            return
        database = Database(create_async_engine(f"sqlite+aiosqlite:///{found.path}"), name="generic")
        standing = standing_of(database)
        assert isinstance(standing, DatabaseStanding)
        yield dataclasses.replace(found, audit=AuditLog(database, found.signer, found.clock)), standing
        await database.close()


@pytest.mark.proves("D6")
async def test_allowed_and_denied_calls_count_and_nothing_else_does(world: tuple[Kernel, Standing]) -> None:
    audit, standing = world[0].audit, world[1]
    kinds: tuple[EventKind, ...] = ("call.allowed", "call.denied", "call.failed", "model.called", "listing.withheld")
    for kind in kinds:
        await audit.append(entry(kind=kind), durable=False)
    await audit.append(entry(run_id="run-2"))
    await audit.append(entry(run_id=""))
    assert await standing.read(TENANT, "run-1") == RunStanding(calls=2, untrusted=False, controls=Controls())
    assert (await standing.read(TENANT, "run-2")).calls == 1
    assert (await standing.read("millbrook", "run-1")).calls == 0
    assert (await standing.read(TENANT, "")).calls == 0


async def test_calls_in_somebodys_transaction_count_when_it_is_committed(world: tuple[Kernel, Standing]) -> None:
    kernel_, standing = world
    async with kernel_.database.write() as connection:
        await kernel_.audit.append(entry(), connection=connection)
        assert (await standing.read(TENANT, "run-1")).calls == 0
    assert (await standing.read(TENANT, "run-1")).calls == 1


async def test_a_run_that_read_untrusted_text_stays_tainted(world: tuple[Kernel, Standing]) -> None:
    audit, standing = world[0].audit, world[1]
    await audit.append(entry(), meter=MeterChange(untrusted=False))
    assert (await standing.read(TENANT, "run-1")).untrusted is False
    await audit.append(entry(kind="model.called"), meter=MeterChange(untrusted=True))
    await audit.append(entry(), meter=MeterChange(untrusted=False))
    await audit.append(entry())
    found = await standing.read(TENANT, "run-1")
    assert (found.calls, found.untrusted) == (3, True)


async def test_the_newest_controls_are_in_force_with_the_next_read(world: tuple[Kernel, Standing]) -> None:
    kernel_, standing = world
    for seq, tools in ((1, ("save_draft",)), (2, ()), (3, ("get_case", "save_draft"))):
        controls = Controls(version=seq, switches=Switches(tools=tools), limits={"agent": {"tool_calls": seq}})
        change(kernel_.path, INSERT, values=(seq, controls.model_dump_json()))
        assert (await standing.read(TENANT, "run-1")).controls == controls
        assert (await standing.read("millbrook", "run-1")).controls == Controls()


@pytest.mark.proves("D4")
@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "null",
        "[]",
        json.dumps({"version": -1}),
        json.dumps({"version": "1"}),
        json.dumps({"switches": {"everything": "no"}}),
        json.dumps({"switches": {"tool": ["x"]}}),
        json.dumps({"limits": {"agent": {"money": 1}}}),
        b"\xff",
        b"{}x",
        7,
    ],
)
async def test_controls_that_cannot_be_read_are_an_error_and_never_no_controls(
    world: tuple[Kernel, Standing], document: Any
) -> None:
    kernel_, standing = world
    change(kernel_.path, INSERT, values=(1, Controls().model_dump_json()))
    await standing.read(TENANT, "run-1")
    change(kernel_.path, INSERT, values=(2, document))
    for _ in range(2):
        with pytest.raises(StorageError, match=r"nothing is allowed; restore the database from a backup$"):
            await standing.read(TENANT, "run-1")
    assert (await standing.read("millbrook", "run-1")).controls == Controls()


async def test_a_data_folder_that_is_not_set_up_has_no_standing(tmp_path: Path) -> None:
    database = Database.sqlite(tmp_path / "none.db")
    with pytest.raises(StorageError, match="not set up"):
        await standing_of(database).read(TENANT, "run-1")
    await database.close()


async def test_a_standing_is_read_again_after_the_database_was_closed(tmp_path: Path) -> None:
    async with kernel(tmp_path) as found:
        standing = standing_of(found.database)
        await standing.read(TENANT, "run-1")
        await found.database.close()
        await found.audit.append(entry())
        assert (await standing.read(TENANT, "run-1")).calls == 1


async def test_a_read_takes_less_than_half_a_millisecond(tmp_path: Path) -> None:
    async with kernel(tmp_path) as found:
        await found.audit.append(entry())
        change(found.path, INSERT, values=(1, Controls(version=1).model_dump_json()))
        standing = standing_of(found.database)
        taken: list[float] = []
        for _ in range(300):
            began = time.perf_counter()
            await standing.read(TENANT, "run-1")
            taken.append(time.perf_counter() - began)
        assert statistics.median(taken) < 0.000_5
