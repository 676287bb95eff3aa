"""An organisation whose approvals time works on: its folder, its people, one timed rule, a clock that can jump."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from casewright.approvals.timers import run_due
from casewright.clock import NANOSECONDS, ManualClock
from casewright.config import Settings
from casewright.contracts.approval import ActionCall, Approval, ApprovalRule, Notice
from casewright.contracts.event import AuditEvent
from casewright.identity.keys import SigningKey
from casewright.identity.local import LocalIdentities, save_identities
from casewright.services import Services
from casewright.storage.migrate import upgrade
from evals.access.ledger_play import SCHEDULE
from tests.support.installation import POLICIES
from tests.unit.audit.kernel import HOUR, IDRIS, MARC, ROSA, RULE, SELMA, START_NS, TENANT, caller, credit, person
from tests.unit.cases.case_files import small_case

INES = person("ines", "supervisor")
TOMAS = person("tomas", "reviewer")
AUDREY = person("audrey", "supervisor")
"""Has a conflict of interest on HL-1."""
BOT = person("bot", "supervisor", authentication="service")
PEOPLE = (ROSA, TOMAS, SELMA, IDRIS, INES, AUDREY, BOT, MARC)
TIMED = ApprovalRule.model_validate(
    RULE.model_dump() | {"quorum": 2, "ttl_seconds": 24 * HOUR, "schedule": SCHEDULE.model_dump()}
)


class Organisation:
    """Services over one data folder, as after `init`, without policies being asked."""

    def __init__(self, home: Path, clock: ManualClock) -> None:
        self.home = home
        self.clock = clock
        self.services = Services(Settings(home=home, policies=POLICIES), clock=clock)

    def at(self, hours: float) -> None:
        """Set the clock, forwards or backwards, to so many hours after the beginning."""
        self.clock.at_ns = START_NS + int(hours * HOUR * NANOSECONDS)

    async def due(self, hours: float) -> int:
        """How many steps were done at this hour."""
        self.at(hours)
        return await run_due(self.services)

    async def asked(self, call: ActionCall | None = None, rule: ApprovalRule = TIMED) -> Approval:
        return await self.services.approvals.request(call or credit(), rule, caller=caller())

    async def now(self, approval: Approval) -> Approval:
        return await self.services.approvals.get(TENANT, approval.approval_id)

    async def told(self, *names: str) -> list[tuple[str, int, str]]:
        """What these people, and nobody else, were told: kind, number and to whom; oldest first."""
        found: dict[str, Notice] = {}
        for who in PEOPLE:
            if who.id in names:
                found |= {notice.notice_id: notice for notice in await self.services.approvals.notices(who)}
        ordered = sorted(found.values(), key=lambda notice: (notice.due_ns, notice.number, notice.recipient))
        return [(notice.kind, notice.number, notice.recipient) for notice in ordered]

    async def events(self, *kinds: str) -> list[AuditEvent]:
        """The audit's events of these kinds, oldest first."""
        return [event for event in await self.services.audit.events(tenant=TENANT) if event.kind in kinds]


def establish(home: Path) -> None:
    """Make the folder."""
    home.mkdir()
    asyncio.run(_establish(Organisation(home, ManualClock(START_NS))))


async def _establish(world: Organisation) -> None:
    settings = world.services.settings
    upgrade(settings.database)
    SigningKey.generate().save(settings.signing_key)
    save_identities(settings.identities, LocalIdentities(people=PEOPLE, defaults={"review": "rosa"}))
    cases = [small_case(conflicts=("audrey",)), small_case(case_id="HL-2")]
    await world.services.cases.import_cases(cases, importer=ROSA)
    await world.services.close()


@asynccontextmanager
async def organisation(home: Path) -> AsyncGenerator[Organisation]:
    """The organisation in a folder that `establish` made."""
    world = Organisation(home, ManualClock(START_NS))
    try:
        yield world
    finally:
        await world.services.close()
