"""A process that is killed in the middle of an import leaves the store as it was before."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from casewright.cases.store import CaseStore
from casewright.clock import SystemClock
from casewright.storage.database import Database
from casewright.storage.migrate import upgrade
from tests.unit.cases.case_files import TENANT, person, small_case

CHECKOUT = Path(__file__).resolve().parents[3]
IMPORT_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from sqlalchemy import event
from casewright.cases.store import CaseStore
from casewright.clock import SystemClock
from casewright.storage.database import Database
from tests.unit.cases.case_files import person, small_case

def die(connection, cursor, statement, parameters, context, executemany):
    if statement.startswith("INSERT INTO " + sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    database = Database.sqlite(Path(sys.argv[1]))
    event.listen(database.engine.sync_engine, "after_cursor_execute", die)
    changed = [small_case(title="Changed"), small_case(case_id="HL-2")]
    await CaseStore(database, SystemClock()).import_cases(changed, importer=person("selma", role="supervisor"))

asyncio.run(main())
"""


@pytest.mark.proves("B1", "E4")
@pytest.mark.parametrize("table", ["cases", "case_people", "case_transactions", "case_notes"])
async def test_a_kill_in_the_middle_of_an_import_loses_and_mixes_nothing(tmp_path: Path, table: str) -> None:
    path = tmp_path / "cases.db"
    upgrade(path)
    database = Database.sqlite(path)
    store = CaseStore(database, SystemClock())
    supervisor = person("selma", role="supervisor")
    await store.import_cases([small_case()], importer=supervisor)
    before = await store.load(TENANT, "HL-1")
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", IMPORT_AND_DIE, str(path), table, cwd=CHECKOUT)
    assert await asyncio.wait_for(killed.wait(), timeout=50) == -signal.SIGKILL
    assert await store.load(TENANT, "HL-1") == before
    assert await store.load(TENANT, "HL-2") is None
    report = await store.import_cases([small_case(title="Changed"), small_case(case_id="HL-2")], importer=supervisor)
    assert (report.imported, [item.revision for item in report.revised]) == (("HL-2",), [2])
    await database.close()
