"""Holds every request against what may still be spent, before it is sent: by its run, and by its tenant.

What cannot be afforded is not sent: `BudgetError` ends the run as incomplete, with the budget and what sets it. What
one request of a task may cost is another matter: that is a reason to ask the next model, not to end. In-process answers
cost nothing and are not looked at. Requests of this process that are under way count as spent until their record is
kept; those of other processes do not, so several together may pass a tenant's limit by one request each.
"""

import asyncio
import datetime as dt
import weakref
from dataclasses import dataclass
from typing import Protocol

from casewright.clock import Clock, today
from casewright.errors import BudgetError
from casewright.models.estimates import FREE, Estimate, bound, counted
from casewright.models.layer import CallContext, CallNotes, ProviderAround
from casewright.models.prices import PRICE_FILE, PriceTable
from casewright.models.provider import CountsTokens, ModelReply, ModelRequest, NoReply, Provider
from casewright.models.spending import SPENDING_FILE, SpendingRules, Spent

TOO_DEAR = "too_dear"
"""Why a request was denied that may cost more than its task allows."""


class Spending(Protocol):
    """Says what a tenant has spent; see `casewright.models.spending`."""

    async def of(self, tenant: str, on: dt.date) -> Spent: ...


class BudgetLayer:
    """Puts the budgets around a provider."""

    def __init__(self, prices: PriceTable, rules: SpendingRules, spending: Spending, clock: Clock) -> None:
        self.prices = prices
        self._rules = rules
        self._spending = spending
        self._clock = clock
        self._under_way: dict[str, _UnderWay] = {}

    @property
    def day(self) -> dt.date:
        return today(self._clock)

    def around(self, provider: Provider, context: CallContext) -> Provider:
        return AffordableProvider(provider, self, context)

    async def refusal(self, estimate: Estimate, context: CallContext) -> str:
        """Why a request cannot be afforded, in words; empty: it can."""
        return self._beyond_run(estimate, context) or await self._beyond_tenant(estimate, context)

    def hold(self, context: CallContext, cost_micro: int) -> None:
        """Count an amount as spent by the call, besides what it holds already, until its record is kept."""
        if context.call_id not in self._under_way:
            self._forget()
        held = self._under_way.setdefault(
            context.call_id, _UnderWay(tenant=context.tenant, cost_micro=0, notes=weakref.ref(context.notes))
        )
        held.cost_micro += cost_micro

    def _beyond_run(self, estimate: Estimate, context: CallContext) -> str:
        left = context.allowance
        if left is None:
            return ""
        if estimate.tokens > left.tokens:
            could = f"the next request could use {estimate.tokens} tokens"
            return f"{could}, and {max(left.tokens, 0)} are left to the run ({left.tokens_set_by})"
        if estimate.cost.micro > left.cost_micro:
            return (
                f"{self._could_cost(estimate)}, and {max(left.cost_micro, 0)} are left to the run ({left.cost_set_by})"
            )
        return ""

    async def _beyond_tenant(self, estimate: Estimate, context: CallContext) -> str:
        limits = self._rules.of(context.tenant)
        if limits.daily is None and limits.monthly is None:
            return ""
        before = self._held(context.tenant)
        spent = await self._spending.of(context.tenant, self.day)
        # What was recorded meanwhile may be in neither, so what was held before counts as well.
        held = sum((before | self._held(context.tenant)).values())
        for name, limit, so_far in (("day", limits.daily, spent.today), ("month", limits.monthly, spent.month)):
            left = None if limit is None else max(limit - so_far - held, 0)
            if left is not None and estimate.cost.micro > left:
                return (
                    f"{self._could_cost(estimate)}, and {left} of this {name}'s {limit} are left "
                    f"to tenant {context.tenant!r} ({SPENDING_FILE})"
                )
        return ""

    def _could_cost(self, estimate: Estimate) -> str:
        could = f"the next request could cost {estimate.cost.micro} millionths of a {self.prices.currency}"
        return could if estimate.cost.exact else f"{could}, as the model has no price in {PRICE_FILE}"

    def _held(self, tenant: str) -> dict[str, int]:
        """What a tenant's calls that are not recorded yet count for, by call."""
        self._forget()
        return {call_id: held.cost_micro for call_id, held in self._under_way.items() if held.tenant == tenant}

    def _forget(self) -> None:
        """Drop the calls that are over, also where no limit of a tenant ever asks for the others."""
        self._under_way = {call_id: held for call_id, held in self._under_way.items() if not held.is_over}


@dataclass(kw_only=True)
class _UnderWay:
    """What a call that is not recorded yet counts for."""

    tenant: str
    cost_micro: int
    notes: weakref.ref[CallNotes]

    @property
    def is_over(self) -> bool:
        notes = self.notes()
        return notes is None or notes.recorded


class AffordableProvider(ProviderAround):
    """A provider whose requests are paid for from a budget."""

    def __init__(self, provider: Provider, layer: BudgetLayer, context: CallContext) -> None:
        super().__init__(provider)
        self._layer = layer
        self._context = context

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        """Answer one request if it can be afforded.

        Raises:
            BudgetError: it cannot; it was not sent.
        """
        estimate = bound(request, self.inner, self._layer.prices, self._layer.day)
        if estimate is FREE:
            return await self.inner.complete(request)
        refusal = await self._layer.refusal(estimate, self._context)
        if refusal or self._is_too_dear(estimate, request):
            exact = await counted(request, self.inner, self._layer.prices, self._layer.day)
            if exact is not None:
                estimate, refusal = exact, await self._layer.refusal(exact, self._context)
        if refusal:
            raise BudgetError(refusal)
        if self._is_too_dear(estimate, request):
            return NoReply(reason=self._too_dear(estimate, request), retryable=False, calls=0, denied=TOO_DEAR)
        return await self._paid(request, estimate)

    async def count(self, request: ModelRequest) -> int | None:
        return await self.inner.count(request) if isinstance(self.inner, CountsTokens) else None

    async def _paid(self, request: ModelRequest, estimate: Estimate) -> ModelReply | NoReply:
        notes, allowance = self._context.notes, self._context.allowance
        notes.estimated_tokens += estimate.tokens
        notes.estimated_cost_micro += estimate.cost.micro
        self._layer.hold(self._context, estimate.cost.micro)
        if allowance is not None:
            allowance.hold(estimate.tokens, estimate.cost.micro)
        try:
            outcome = await self.inner.complete(request)
        except asyncio.CancelledError:  # nobody says what it used, so it cost what it could
            notes.given_up_cost_micro += estimate.cost.micro
            if allowance is not None:
                allowance.give_back(estimate.tokens, 0)
            raise
        except BaseException:
            if allowance is not None:
                allowance.give_back(estimate.tokens, estimate.cost.micro)
            raise
        model = outcome.model if isinstance(outcome, ModelReply) else self.model
        cost = self._layer.prices.priced(outcome.usage, model=model, on=self._layer.day)
        self._layer.hold(self._context, cost.micro - estimate.cost.micro)
        if allowance is not None:
            allowance.give_back(estimate.tokens, estimate.cost.micro)
            allowance.take(outcome.usage, cost.micro)
        return outcome

    def _is_too_dear(self, estimate: Estimate, request: ModelRequest) -> bool:
        return estimate.cost.micro > request.max_cost_micro

    def _too_dear(self, estimate: Estimate, request: ModelRequest) -> str:
        return (
            f"a request could cost {estimate.cost.micro} millionths, and task {request.task!r} may ask for "
            f"{request.max_cost_micro} at most"
        )
