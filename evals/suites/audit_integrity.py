"""The audit: any changed byte, gap or cut tail of a real one is found.

A case is one kind of change, made in turn to every row that it can hit, each in a copy of its own.
"""

import sqlite3
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from casewright.audit.chain import AuditVerification
from casewright.audit.extension import CHECKPOINT_NS
from casewright.audit.log import AuditLog
from casewright.clock import ManualClock
from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from casewright.identity.keys import SigningKey
from casewright.storage.database import Database
from evals.access.drafts import AUTHOR, saved_draft
from evals.access.tampering import FILE, Change, Tamper, changes
from evals.case import EvalCase
from evals.datasets import read_lines
from evals.suite import Attempt, Case, Materials
from evals.world import NOW_NS, Caller, ServerWorld, copied, opened_servers
from servers.approving import Approving


class Found(Contract):
    """How many of the changes may stay unnoticed."""

    unnoticed: int = 0


class AuditIntegritySuite:
    """Tampering with a stored audit."""

    name = "audit-integrity"
    title = "Any changed byte, gap or cut tail of the audit is found"
    files: Mapping[str, type[Contract]] = {FILE: Tamper}
    fast_cases = 16
    shards = 2
    case_seconds = 90.0
    has_control = False

    def cases(self, materials: Materials) -> Sequence[Case]:
        """One case for each kind of change."""
        return [
            EvalCase[Tamper, Found](
                id=tamper.id,
                why=tamper.why,
                given=tamper,
                expected=Found(),
                forbidden=("unnoticed",),
                slices={"kind": tamper.kind, "part": tamper.id.partition("/")[0]},
            )
            for tamper in read_lines(FILE, Tamper)
        ]

    @asynccontextmanager
    async def opened(self, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt, None]:
        """The audit of an action that was asked for, approved and executed, with denials and checkpoints in it."""
        home = copied(materials.installation, materials.work / "home")
        clock = ManualClock(NOW_NS)
        async with opened_servers(home, clock=clock) as world:
            await _recorded(world, clock)
            key = world.services.signing_key
            database = world.services.settings.database
        yield _Attempts(_serialized(database), key, materials.work).attempt


async def _recorded(world: ServerWorld, clock: ManualClock) -> None:
    """A small but whole story for the audit to tell."""
    action = (await saved_draft(world)).action()
    await world.call("drafting", "execute_action", action, AUTHOR)
    clock.advance(seconds=CHECKPOINT_NS / 1_000_000_000)
    await world.call("case-facts", "get_case", {}, Caller(identity="lena", run_id="run-lena"))
    (asked,) = await world.services.approvals.list("harborline", state="pending")
    door = Approving(world.services, world.services.identities.find("selma"), session="eval")
    await door.vote(asked.approval_id, approve=True)
    clock.advance(seconds=CHECKPOINT_NS / 1_000_000_000)
    await world.call("drafting", "execute_action", action, AUTHOR)
    effects = await world.effects("harborline", AUTHOR.case_id)
    if len(effects) != 1:
        raise RuntimeError(f"the audit was to tell of one effect, and there are {effects!r}")


class _Attempts:
    """Copies of one audit."""

    def __init__(self, content: bytes, key: SigningKey, work: Path) -> None:
        self._content = content
        self._key = key
        self._work = work

    async def attempt(self, case: Case) -> CaseResult:
        tamper: Tamper = case.given
        path = self._work / "casewright.db"
        with closing(_opened(self._content, path)) as connection:
            wanted = list(changes(tamper, connection))
        if not (await self._verified(path)).ok:
            raise RuntimeError("the untouched audit does not verify; nothing can be said of a changed one")
        unnoticed: list[str] = []
        for change in wanted:
            _apply(self._content, path, change)
            if (await self._verified(path)).ok:
                unnoticed.append(change.words)
                path.replace(self._work / f"{case.id.replace('/', '-')}.db")
        return judged(case, len(wanted), unnoticed, self._work)

    async def _verified(self, path: Path) -> AuditVerification:
        database = Database.sqlite(path)
        try:
            return await AuditLog(database, self._key, ManualClock(NOW_NS)).verify()
        finally:
            await database.close()


def judged(case: Case, made: int, unnoticed: Sequence[str], work: Path) -> CaseResult:
    """The result of a kind of change; one that could be made nowhere proves nothing and fails as well."""
    wrong = "; ".join(unnoticed[:3]) if unnoticed else "" if made else "the audit has nothing that it could change"
    return CaseResult(
        case_id=case.id,
        verdict="failed" if wrong else "passed",
        expected="every change is found",
        happened=f"unnoticed: {wrong}" if unnoticed else wrong,
        forbidden=("unnoticed",) if unnoticed else (),
        stage="audit" if wrong else "",
        diagnosis=f"{len(unnoticed)} of {made} changes verify" if wrong else "",
        evidence=tuple(unnoticed[3:20]),
        trace=f"casewright --home {work / 'home'} audit verify, with {case.id.replace('/', '-')}.db as its database"
        if unnoticed
        else "",
        outcomes={"found": bool(made) and not unnoticed},
        measures={"changes": float(made)},
    )


def _serialized(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        return connection.serialize()


def _opened(content: bytes, path: Path) -> sqlite3.Connection:
    """The database in a file that is not in WAL mode, which is quicker to make anew."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(content)
    return sqlite3.connect(path)


def _apply(content: bytes, path: Path, change: Change) -> None:
    with closing(_opened(content, path)) as connection:
        for statement, values in change.statements:
            connection.execute(statement, values)
        connection.commit()
