"""Where effects go. The local sink writes to the case's record, in the receipt's transaction."""

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from casewright.clock import Clock
from casewright.effects.effect import Effect


class EffectSink(Protocol):
    """Makes an effect happen."""

    async def deliver(self, effect: Effect, connection: AsyncConnection) -> None:
        """Do it; what is written through `connection` stands or falls with the receipt.

        A sink that reaches outside passes `effect.idempotency_key` on, since a crash between
        its answer and our commit makes it be called again.
        """
        ...


class CaseRecord(Protocol):
    """The part of the case store that a consequence is written to."""

    async def record_effect(
        self, connection: AsyncConnection, tenant: str, case_id: str, text: str, at_ns: int
    ) -> None:
        """Append to the case's record within the given transaction."""
        ...


class CaseRecordSink:
    """Appends the effect to the case's own record: exactly once, as it shares the receipt's commit."""

    def __init__(self, record: CaseRecord, clock: Clock) -> None:
        self._record = record
        self._clock = clock

    async def deliver(self, effect: Effect, connection: AsyncConnection) -> None:
        call = effect.call
        await self._record.record_effect(
            connection, call.tenant, call.case_id, effect_text(effect), self._clock.now_ns()
        )


def effect_text(effect: Effect) -> str:
    """One line for the case's record."""
    terms = effect.terms
    amount = f" of {terms.amount_minor} minor units of {terms.currency}" if terms.amount_minor else ""
    return f"{terms.action}{amount}, effect {effect.effect_id}, approved as {effect.approval_id}"
