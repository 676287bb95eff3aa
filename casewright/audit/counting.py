"""How many calls a run has made, counted from the audit: what budgets in policy are held against."""

from sqlalchemy import func, select

from casewright.storage.database import Database
from casewright.storage.tables import audit_events

COUNTED = ("call.allowed", "call.denied")


async def calls_of_run(database: Database, tenant: str, run_id: str) -> int:
    """Allowed and denied calls of the run so far; a denial costs budget too, so probing ends."""
    query = select(func.count()).where(
        audit_events.c.run_id == run_id, audit_events.c.tenant == tenant, audit_events.c.kind.in_(COUNTED)
    )
    async with database.read() as connection:
        return int((await connection.execute(query)).scalar_one())
