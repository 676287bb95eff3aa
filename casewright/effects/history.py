"""What the outbox has done and still has to do, for reports; it changes nothing."""

from sqlalchemy import func, select

from casewright.contracts.approval import Receipt
from casewright.storage.database import Database
from casewright.storage.tables import outbox


async def receipt_of(database: Database, tenant: str, approval_id: str) -> Receipt | None:
    """The receipt of an approval's effect; None: it has not happened."""
    query = select(outbox.c.receipt).where(outbox.c.tenant == tenant, outbox.c.approval_id == approval_id)
    async with database.read() as connection:
        text = (await connection.execute(query)).scalar()
    return Receipt.model_validate_json(text) if text else None


async def receipts_of_case(database: Database, tenant: str, case_id: str) -> tuple[Receipt, ...]:
    """What was done on a case, oldest first."""
    query = (
        select(outbox.c.receipt)
        .where(outbox.c.tenant == tenant, outbox.c.case_id == case_id, outbox.c.receipt.is_not(None))
        .order_by(outbox.c.created_ns)
    )
    async with database.read() as connection:
        texts = (await connection.execute(query)).scalars().all()
    return tuple(Receipt.model_validate_json(text) for text in texts)


async def waiting_effects(database: Database) -> int:
    """How many effects wait for delivery after a crash."""
    query = select(func.count()).where(outbox.c.state == "pending")
    async with database.read() as connection:
        return int((await connection.execute(query)).scalar_one())
