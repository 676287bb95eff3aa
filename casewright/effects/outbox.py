"""The outbox: an approved call happens exactly once and leaves one receipt.

Two transactions. The first consumes the approval and writes the outbox row; the second
delivers and writes the receipt. A crash before the first leaves nothing, a crash between the
two leaves a row that `recover` delivers (the transactional outbox pattern). It asks nobody for
approval: without one it refuses.
"""

import logging
import secrets
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.approvals.binding import call_digest, call_text
from casewright.approvals.ledger import ApprovalLedger, check_binding
from casewright.audit.entry import AuditEntry
from casewright.audit.log import AuditLog
from casewright.clock import Clock
from casewright.contracts.approval import ActionCall, Approval, Receipt
from casewright.contracts.principal import Caller
from casewright.effects.effect import ActionTerms, Effect
from casewright.effects.sinks import CaseRecord, CaseRecordSink, EffectSink
from casewright.errors import CasewrightError, DeniedError, InputError, NotFoundError, StorageError
from casewright.storage.database import Database
from casewright.storage.tables import approvals, outbox

__all__ = ["CaseRecord", "CaseRecordSink", "EffectSink", "Outbox"]

_LOGGER = logging.getLogger(__name__)


class Outbox:
    """Executes approved calls."""

    def __init__(
        self, database: Database, ledger: ApprovalLedger, audit: AuditLog, clock: Clock, sink: EffectSink
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._audit = audit
        self._clock = clock
        self._sink = sink

    async def execute(self, call: ActionCall, *, caller: Caller) -> Receipt:
        """Make an approved call happen; again the same call gives its first receipt, `repeated`.

        Raises:
            WaitingError: people have not decided yet.
            DeniedError: no good approval of exactly this call; audited.
            NotFoundError: another tenant or case than the caller's token names; audited.
            InputError: the call does not say what is to be done.
        """
        try:
            check_binding(call, caller)
            ActionTerms.of(call)
            effect_id = await self._admit(call, caller)
        except (DeniedError, NotFoundError, InputError) as error:
            await self._record_refusal(call, caller, error)
            if isinstance(error, DeniedError) and error.code == "approval_expired":
                await self._ledger.expire_due()  # for good: a clock that is set back revives nothing
            raise
        return await self._deliver(effect_id, caller)

    async def recover(self) -> tuple[Receipt, ...]:
        """Deliver what a crash left behind; what fails again stays for the next time."""
        query = select(outbox.c.effect_id).where(outbox.c.state == "pending")
        async with self._database.read() as connection:
            waiting = (
                (await connection.execute(query.order_by(outbox.c.created_ns, outbox.c.effect_id))).scalars().all()
            )
        receipts: list[Receipt] = []
        for effect_id in waiting:
            try:
                receipts.append(await self._deliver(effect_id, None))
            except CasewrightError:
                _LOGGER.exception("the effect %r was not delivered and stays in the outbox", effect_id)
        return tuple(receipts)

    async def _admit(self, call: ActionCall, caller: Caller) -> str:
        """Consume the approval and write the row, in one transaction; or find the row there is."""
        digest = call_digest(call)
        query = (
            select(outbox.c.effect_id)
            .join(approvals, approvals.c.approval_id == outbox.c.approval_id)
            .where(approvals.c.digest == digest, outbox.c.tenant == call.tenant)
        )
        async with self._database.write() as connection:
            known = (await connection.execute(query)).scalar()
            if known is not None:
                return known
            approval = await self._ledger.consume(call, caller=caller, connection=connection)
            return await self._insert(connection, approval)

    async def _insert(self, connection: AsyncConnection, approval: Approval) -> str:
        effect_id = f"eff-{secrets.token_hex(8)}"
        values = {
            "effect_id": effect_id,
            "idempotency_key": f"{approval.digest}:{approval.approval_id}",
            "approval_id": approval.approval_id,
            "tenant": approval.call.tenant,
            "case_id": approval.call.case_id,
            "run_id": approval.run_id,
            "call": call_text(approval.call),
            "state": "pending",
            "attempts": 0,
            "created_ns": self._clock.now_ns(),
            "receipt": None,
        }
        await connection.execute(insert(outbox).values(values))
        return effect_id

    async def _deliver(self, effect_id: str, caller: Caller | None) -> Receipt:
        try:
            async with self._database.write() as connection:
                row = (await connection.execute(_row_query(effect_id))).one()
                if row.state == "done":
                    return Receipt.model_validate_json(row.receipt).model_copy(update={"repeated": True})
                effect = _effect(row)
                await self._sink.deliver(effect, connection)
                return await self._finish(connection, effect, row.attempts, caller)
        except CasewrightError:
            await self._count_attempt(effect_id)
            raise

    async def _finish(
        self, connection: AsyncConnection, effect: Effect, attempts: int, caller: Caller | None
    ) -> Receipt:
        receipt = Receipt(
            effect_id=effect.effect_id,
            idempotency_key=effect.idempotency_key,
            approval_id=effect.approval_id,
            case_id=effect.call.case_id,
            action=effect.terms.action,
            amount_minor=effect.terms.amount_minor,
            currency=effect.terms.currency,
            executed_ns=self._clock.now_ns(),
        )
        values = {"state": "done", "attempts": attempts + 1, "receipt": receipt.model_dump_json()}
        await connection.execute(update(outbox).where(outbox.c.effect_id == effect.effect_id).values(values))
        body = receipt.model_dump(exclude={"executed_ns", "repeated"}) | {"recovered": caller is None}
        await self._audit.append(_entry(effect, caller, body), connection=connection)
        return receipt

    async def _count_attempt(self, effect_id: str) -> None:
        async with self._database.write() as connection:
            query = update(outbox).where(outbox.c.effect_id == effect_id, outbox.c.state == "pending")
            await connection.execute(query.values(attempts=outbox.c.attempts + 1))

    async def _record_refusal(self, call: ActionCall, caller: Caller, error: CasewrightError) -> None:
        code = error.code if isinstance(error, DeniedError) else type(error).__name__
        body = {"operation": "effect.execute", "server": call.server[:100], "tool": call.tool[:100], "code": code}
        await self._audit.append(AuditEntry.of_caller("call.denied", caller, body))


def _row_query(effect_id: str) -> Any:
    return select(outbox).where(outbox.c.effect_id == effect_id).with_for_update()


def _effect(row: Row[Any]) -> Effect:
    """The effect of a row; the idempotency key holds the digest that people approved."""
    try:
        call = ActionCall.model_validate_json(row.call)
        if f"{call_digest(call)}:{row.approval_id}" == row.idempotency_key:
            return Effect(
                effect_id=row.effect_id,
                idempotency_key=row.idempotency_key,
                approval_id=row.approval_id,
                run_id=row.run_id,
                call=call,
                terms=ActionTerms.of(call),
            )
    except (ValidationError, InputError) as error:
        raise _changed(row.effect_id) from error
    raise _changed(row.effect_id)


def _changed(effect_id: str) -> StorageError:
    return StorageError(
        f"the effect {effect_id!r} is not what was approved; it is not executed. "
        "Run `casewright audit verify` and restore the database from a backup"
    )


def _entry(effect: Effect, caller: Caller | None, body: dict[str, Any]) -> AuditEntry:
    return AuditEntry(
        kind="effect.executed",
        tenant=effect.call.tenant,
        subject=caller.principal.id if caller else "",
        agent=caller.actor.agent if caller else "",
        run_id=effect.run_id,
        case_id=effect.call.case_id,
        body=body | {"digest": effect.idempotency_key.partition(":")[0]},
    )
