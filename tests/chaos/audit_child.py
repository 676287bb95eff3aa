"""Appends from several tasks and threads at once and prints each acknowledged event; killed by the chaos tests.

Arguments: database file, signing key file, name of this process, tasks, appends of each task (0:
until it is killed).
"""

import asyncio
import itertools
import sys
from pathlib import Path

from casewright.audit.log import AuditLog
from casewright.clock import SystemClock
from casewright.identity.keys import SigningKey
from casewright.storage.database import Database
from tests.unit.audit.decided import decided
from tests.unit.audit.test_audit_log import entry


async def appends(log: AuditLog, writer: str, count: int) -> None:
    """Reads, consequences and decisions in turn; a line for each that was acknowledged."""
    for number in itertools.count() if count == 0 else range(count):
        body = {"writer": writer, "number": number}
        if number % 3 == 2:
            document = {"mode": "call", "writer": writer, "number": number}
            made, record = decided(0, document, decision_id=f"dec-{writer}-{number}")
            event = await log.append(made, record=record, durable=False)
        else:
            event = await log.append(entry(body=body, run_id=f"run-{writer}"), durable=number % 3 == 0)
        sys.stdout.write(f"{event.seq} {event.hash}\n")
        sys.stdout.flush()


async def main(path: Path, key: Path, name: str, tasks: int, count: int) -> None:
    database = Database.sqlite(path)
    log = AuditLog(database, SigningKey.load(key), SystemClock())
    await asyncio.gather(*(appends(log, f"{name}-{task}", count) for task in range(tasks)))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
