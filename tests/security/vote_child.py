"""One voter in a process of their own; started by the test of people who vote at once.

Arguments: database file, signing key file, who, `yes` or `no`, the approvals. It says `ready`, waits for a
line, votes on each, and prints which votes were counted.
"""

import asyncio
import json
import sys
from pathlib import Path

from casewright.clock import ManualClock
from casewright.errors import DeniedError
from casewright.identity.keys import SigningKey
from tests.unit.audit.kernel import START_NS, Kernel, person


async def main(path: Path, key: Path, who: str, approve: bool, names: list[str]) -> None:
    world = Kernel.over(path, SigningKey.load(key), ManualClock(START_NS))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    counted: list[str] = []
    for name in names:
        try:
            await world.ledger.vote(name, voter=person(who, "supervisor"), approve=approve, note="")
        except DeniedError:
            continue
        counted.append(name)
    await world.database.close()
    sys.stdout.write(json.dumps(counted) + "\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4] == "yes", sys.argv[5:]))
