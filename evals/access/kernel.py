"""The real stores over one migrated database file, a clock that stands still, and people.

For attacks on ledger, outbox and audit themselves, below every server and policy; suites and tests use it alike.
"""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from casewright.approvals.ledger import ApprovalLedger
from casewright.audit.log import AuditLog
from casewright.cases.store import CaseStore
from casewright.clock import ManualClock
from casewright.contracts.approval import ActionCall, Approval, ApprovalRule
from casewright.contracts.case import Classification
from casewright.contracts.principal import Actor, Caller, Principal
from casewright.drafts.retrievals import Retrievals
from casewright.drafts.store import DraftStore
from casewright.effects.outbox import CaseRecordSink, Outbox
from casewright.identity.keys import SigningKey
from casewright.storage.database import Database
from casewright.storage.migrate import upgrade
from evals.access.small_case import small_case

TENANT = "harborline"
CASE = "HL-1"
START_NS = 1_772_500_000_000_000_000
HOUR = 3_600
RULE = ApprovalRule(roles=("supervisor",), quorum=1, author_excluded=True, ttl_seconds=72 * HOUR, risk="high")
TWO = RULE.model_copy(update={"quorum": 2})


def person(identity: str, *roles: str, tenant: str = TENANT, **changes: Any) -> Principal:
    """A person of the tenant, `reviewer` unless roles are given."""
    found = Principal(id=identity, tenant=tenant, roles=roles or ("reviewer",), clearance=Classification.CONFIDENTIAL)
    return found.model_copy(update=changes)


ROSA = person("rosa")
SELMA = person("selma", "supervisor")
IDRIS = person("idris", "supervisor")
MARC = person("marc", "supervisor", tenant="millbrook")


def caller(principal: Principal = ROSA, *, case_id: str = CASE, run_id: str = "run-1", agent: str = "") -> Caller:
    """A verified token of `principal` for one case."""
    return Caller(
        principal=principal,
        actor=Actor(kind="agent" if agent else "user", agent=agent, run_id=run_id, case_id=case_id),
        audience="drafting",
        scopes=("*",),
        token_id="tok-1",  # noqa: S106, no secret: what a verified token is called
        expires_at=2_000_000_000,
    )


def credit(**changes: Any) -> ActionCall:
    """A provisional credit of 125.50 USD; `changes` replace fields, `arguments` are merged."""
    arguments: dict[str, Any] = {
        "draft_id": "drf-1",
        "draft_version": 1,
        "draft_digest": "d" * 64,
        "action": "issue_provisional_credit",
        "amount_minor": 12550,
        "currency": "USD",
    }
    arguments |= changes.pop("arguments", {})
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "case_id": CASE,
        "server": "drafting",
        "tool": "execute_action",
        "definition_hash": "a" * 64,
        "policy_revision": "b" * 64,
    }
    return ActionCall(**(fields | changes), arguments=arguments)


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """Everything that shares the database."""

    path: Path
    database: Database
    signer: SigningKey
    clock: ManualClock
    audit: AuditLog
    cases: CaseStore
    ledger: ApprovalLedger
    outbox: Outbox
    drafts: DraftStore
    retrievals: Retrievals

    @classmethod
    def over(cls, path: Path, signer: SigningKey, clock: ManualClock) -> "Kernel":
        database = Database.sqlite(path)
        audit = AuditLog(database, signer, clock)
        cases = CaseStore(database, clock)
        ledger = ApprovalLedger(database, audit, clock)
        return cls(
            path=path,
            database=database,
            signer=signer,
            clock=clock,
            audit=audit,
            cases=cases,
            ledger=ledger,
            outbox=Outbox(database, ledger, audit, clock, CaseRecordSink(cases, clock)),
            drafts=DraftStore(database, audit, clock),
            retrievals=Retrievals(database, clock),
        )

    async def approved(self, call: ActionCall | None = None, rule: ApprovalRule = RULE) -> Approval:
        """An approval that rosa asked for and selma gave."""
        asked = await self.ledger.request(call or credit(), rule, caller=caller())
        return await self.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")

    async def effects(self, case_id: str = CASE) -> list[str]:
        """What the case's record says was done."""
        stored = await self.cases.load(TENANT, case_id)
        if stored is None:
            raise RuntimeError(f"the kernel has no case {case_id!r}")
        return [event.what for event in stored.case.timeline if event.source == "recorded effect"]


@cache
def _migrated() -> bytes:
    """An empty database; making it takes longer than most tests."""
    with tempfile.TemporaryDirectory(prefix="casewright-kernel-") as folder:
        path = Path(folder) / "casewright.db"
        upgrade(path)
        return path.read_bytes()


@asynccontextmanager
async def kernel(folder: Path) -> AsyncGenerator[Kernel]:
    """A kernel over a new data folder that holds the cases HL-1 and HL-2."""
    path = folder / "casewright.db"
    path.write_bytes(_migrated())
    found = Kernel.over(path, SigningKey.generate(), ManualClock(START_NS))
    other = small_case(case_id="HL-2")
    await found.cases.import_cases([small_case(), other], importer=ROSA)
    try:
        yield found
    finally:
        await found.database.close()
