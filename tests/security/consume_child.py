"""Many consumers of one approval in one process; started twice by the test of concurrent consumption.

Arguments: database file, signing key file, how many. It says `ready`, waits for a line, lets all
of them consume at once, and prints what each was told: the approval's id, or the code of the refusal.
"""

import asyncio
import json
import sys
from pathlib import Path

from casewright.clock import ManualClock
from casewright.errors import DeniedError
from casewright.identity.keys import SigningKey
from tests.unit.audit.kernel import START_NS, Kernel, caller, credit


async def consume(world: Kernel) -> str:
    try:
        async with world.database.write() as connection:
            used = await world.ledger.consume(credit(), caller=caller(), connection=connection)
    except DeniedError as error:
        return error.code
    return used.approval_id


async def main(path: Path, key: Path, consumers: int) -> None:
    world = Kernel.over(path, SigningKey.load(key), ManualClock(START_NS))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    told = await asyncio.gather(*(consume(world) for _ in range(consumers)))
    await world.database.close()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
