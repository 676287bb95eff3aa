"""Budgets before the call: what cannot be afforded is not sent, and what is under way counts."""

import asyncio
import datetime as dt
import gc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.clock import NANOSECONDS, ManualClock
from casewright.errors import BudgetError, InputError
from casewright.models.affordable import TOO_DEAR, BudgetLayer
from casewright.models.allowance import Allowance
from casewright.models.estimates import FREE, bound
from casewright.models.layer import CallContext, CallNotes
from casewright.models.prices import NOTHING, Cost, prices, prices_of, read_prices
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Turn, Usage
from casewright.models.spending import Limits, SpendingRules, Spent, spending_rules
from tests.support.counting_provider import ScriptedModel
from tests.support.model_requests import model_request

DAY = dt.date(2026, 11, 21)
CLOCK = ManualClock(int(dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC).timestamp()) * NANOSECONDS)
TABLE = read_prices(
    'currency = "USD"\n'
    + "".join(
        f'[[price]]\nmodel = "{name}"\nfrom = 2026-01-01\ninput = {tokens}\noutput = {tokens}\n'
        f"cache_read = {tokens}\ncache_write = {tokens}\n"
        for name, tokens in (("m-1", 1_000_000), ("dear", 9_000_000))
    )
)
"""A token of m-1 costs one millionth, whatever it is used for."""
REPLY = ModelReply(text="{}", model="m-1", usage=Usage(input_tokens=30, output_tokens=10), request_id="r")
NO_LIMITS = SpendingRules(currency="USD")
MOST = bound(model_request(), ScriptedModel(), TABLE, DAY)


class SpentSoFar:
    """What a tenant has spent; asked for the day the clock says."""

    def __init__(self, *, day: int = 0, month: int = 0) -> None:
        self._spent = Spent(today=day, month=month)
        self.asked: list[tuple[str, dt.date]] = []

    async def of(self, tenant: str, on: dt.date) -> Spent:
        self.asked.append((tenant, on))
        await asyncio.sleep(0)
        return self._spent


def context(*, allowance: Allowance | None = None, call_id: str = "call-1", tenant: str = "t-1") -> CallContext:
    return CallContext(
        run_id="run-1", case_id="", tenant=tenant, agent="a", allowance=allowance, call_id=call_id, notes=CallNotes()
    )


def left(*, tokens: int = 10**9, cost_micro: int = 10**12) -> Allowance:
    return Allowance(tokens=tokens, cost_micro=cost_micro, tokens_set_by="TOKENS", cost_set_by="COST")


def layer(*, rules: SpendingRules = NO_LIMITS, spent: SpentSoFar | None = None) -> BudgetLayer:
    return BudgetLayer(TABLE, rules, spent or SpentSoFar(), CLOCK)


def kept_of_calls() -> int:
    """How many calls anything in this process holds an amount of."""
    return sum(type(one).__name__ == "_UnderWay" for one in gc.get_objects())


async def ask(model: ScriptedModel, *, around: BudgetLayer, of: CallContext) -> ModelReply | NoReply:
    return await around.around(model, of).complete(model_request())


@pytest.mark.proves("F5")
@pytest.mark.parametrize(
    ("allowance", "named"),
    [
        (left(tokens=MOST.tokens - 1), rf"could use {MOST.tokens} tokens, and {MOST.tokens - 1} are left .*\(TOKENS\)"),
        (
            left(cost_micro=MOST.cost.micro - 1),
            rf"could cost {MOST.cost.micro} .* {MOST.cost.micro - 1} are .*\(COST\)",
        ),
        (left(tokens=-5), r"and 0 are left to the run"),
    ],
    ids=["tokens", "money", "more than spent"],
)
async def test_a_request_that_the_run_could_not_pay_for_is_not_sent_and_names_the_budget(
    allowance: Allowance, named: str
) -> None:
    model = ScriptedModel()
    with pytest.raises(BudgetError, match=named):
        await ask(model, around=layer(), of=context(allowance=allowance))
    assert model.requests == []


async def test_what_a_request_used_is_taken_from_what_is_left_of_the_run() -> None:
    allowance = left(tokens=MOST.tokens, cost_micro=MOST.cost.micro)
    of = context(allowance=allowance)
    assert await ask(ScriptedModel(REPLY), around=layer(), of=of) == REPLY
    assert (allowance.tokens, allowance.cost_micro) == (MOST.tokens - 40, MOST.cost.micro - 40)
    assert (of.notes.estimated_tokens, of.notes.estimated_cost_micro) == (MOST.tokens, MOST.cost.micro)
    with pytest.raises(BudgetError):
        await ask(ScriptedModel(), around=layer(), of=of)


@pytest.mark.proves("F5")
@pytest.mark.parametrize(
    ("limits", "spent", "named"),
    [
        (Limits(daily=10_000), SpentSoFar(day=9_999), "1 of this day's 10000 are left to tenant 't-1'"),
        (Limits(daily=10_000), SpentSoFar(day=20_000), "0 of this day's 10000"),
        (Limits(monthly=50_000), SpentSoFar(month=49_990), "10 of this month's 50000"),
    ],
    ids=["day", "passed", "month"],
)
async def test_a_request_beyond_the_tenants_limit_is_not_sent(limits: Limits, spent: SpentSoFar, named: str) -> None:
    model = ScriptedModel()
    with pytest.raises(BudgetError, match=named):
        await ask(model, around=layer(rules=SpendingRules(currency="USD", limits=limits), spent=spent), of=context())
    assert (model.requests, spent.asked) == ([], [("t-1", DAY)])


async def test_a_tenants_own_limit_comes_before_that_of_all() -> None:
    rules = SpendingRules(currency="USD", limits=Limits(daily=1, monthly=10**9), tenant={"t-2": Limits(daily=10**9)})
    assert await ask(ScriptedModel(REPLY), around=layer(rules=rules), of=context(tenant="t-2")) == REPLY
    with pytest.raises(BudgetError):
        await ask(ScriptedModel(), around=layer(rules=rules), of=context(tenant="t-1"))


@pytest.mark.proves("F5")
async def test_what_is_under_way_counts_until_it_is_recorded_and_then_the_records_do() -> None:
    limit = MOST.cost.micro + 39
    around = layer(rules=SpendingRules(currency="USD", limits=Limits(daily=limit)))
    first = context(call_id="call-1")
    assert await ask(ScriptedModel(REPLY), around=around, of=first) == REPLY
    with pytest.raises(BudgetError, match=f"{MOST.cost.micro - 1} of this day's"):
        await ask(ScriptedModel(), around=around, of=context(call_id="call-2"))
    first.notes.recorded = True
    assert await ask(ScriptedModel(REPLY), around=around, of=context(call_id="call-3")) == REPLY


@pytest.mark.proves("F5")
async def test_of_many_calls_at_once_only_those_go_out_that_the_limit_has_room_for() -> None:
    around = layer(rules=SpendingRules(currency="USD", limits=Limits(daily=2 * MOST.cost.micro)))
    used_all = replace(REPLY, usage=Usage(input_tokens=MOST.tokens))
    models, calls = [ScriptedModel(used_all) for _ in range(8)], [context(call_id=f"call-{n}") for n in range(8)]
    asked = (ask(model, around=around, of=of) for model, of in zip(models, calls, strict=True))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, BudgetError) for one in outcomes) == 6
    assert sum(len(model.requests) for model in models) == 2


async def test_a_call_that_nobody_knows_of_any_more_is_not_under_way() -> None:
    around = layer(rules=SpendingRules(currency="USD", limits=Limits(daily=MOST.cost.micro + 39)))
    lost = context(call_id="call-1")
    await ask(ScriptedModel(REPLY), around=around, of=lost)
    del lost
    assert await ask(ScriptedModel(REPLY), around=around, of=context(call_id="call-2")) == REPLY


@pytest.mark.thorough
async def test_what_calls_held_goes_with_them_also_where_a_tenant_has_no_limit() -> None:
    around, before = layer(), kept_of_calls()
    for number in range(20):
        of = context(call_id=f"call-{number}")
        assert await ask(ScriptedModel(REPLY), around=around, of=of) == REPLY
        of.notes.recorded = True
    assert kept_of_calls() - before == 1  # the last one, until the next comes


@pytest.mark.proves("F5")
async def test_the_services_own_count_decides_where_the_length_alone_would_refuse() -> None:
    counted = ScriptedModel(REPLY, counts=[5])
    of = context(allowance=left(tokens=105))
    assert await ask(counted, around=layer(), of=of) == REPLY
    assert counted.done and of.notes.estimated_tokens == 105
    silent = ScriptedModel(counts=[None])
    with pytest.raises(BudgetError):
        await ask(silent, around=layer(), of=context(allowance=left(tokens=105)))
    assert silent.requests == []


async def test_the_service_is_not_asked_to_count_what_is_affordable_anyway() -> None:
    assert await ask(ScriptedModel(REPLY, counts=[5]), around=layer(), of=context()) == REPLY


async def test_a_request_dearer_than_its_task_may_be_goes_to_the_next_model() -> None:
    model = ScriptedModel()
    provider = layer().around(model, context())
    refused = await provider.complete(model_request(max_cost_micro=MOST.cost.micro - 1))
    assert isinstance(refused, NoReply) and (refused.denied, refused.calls, refused.retryable) == (TOO_DEAR, 0, False)
    assert f"may ask for {MOST.cost.micro - 1} at most" in refused.reason and model.requests == []


@pytest.mark.proves("F5")
async def test_a_request_that_is_given_up_counts_as_what_it_could_have_cost() -> None:
    asked = asyncio.Event()

    class Silent(ScriptedModel):
        async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
            asked.set()
            return await asyncio.Event().wait()  # pyright: ignore[reportReturnType] -- it never returns

    allowance = left(cost_micro=10**6)
    of = context(allowance=allowance)
    asking = asyncio.create_task(ask(Silent(), around=layer(), of=of))
    await asyncio.wait_for(asked.wait(), 20)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert of.notes.given_up_cost_micro == MOST.cost.micro == 10**6 - allowance.cost_micro


@pytest.mark.proves("F5")
async def test_two_requests_of_a_run_at_once_are_not_sent_on_money_for_one() -> None:
    class Held(ScriptedModel):
        async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
            await asyncio.sleep(0)
            return await super().complete(request)

    allowance = left(tokens=2 * MOST.tokens - 1, cost_micro=10 * MOST.cost.micro)
    around, models = layer(), (Held(REPLY), Held())
    asked = (ask(one, around=around, of=context(allowance=allowance)) for one in models)
    first, second = await asyncio.gather(*asked, return_exceptions=True)
    assert first == REPLY and isinstance(second, BudgetError)
    assert allowance.tokens == 2 * MOST.tokens - 1 - 40


async def test_what_is_recorded_while_the_spending_is_read_is_not_forgotten() -> None:
    around = layer(rules=SpendingRules(currency="USD", limits=Limits(daily=MOST.cost.micro + 39)))
    first = context(call_id="call-1")
    await ask(ScriptedModel(REPLY), around=around, of=first)
    second = asyncio.create_task(ask(ScriptedModel(), around=around, of=context(call_id="call-2")))
    await asyncio.sleep(0)  # it reads now, and has not been told of the first one
    first.notes.recorded = True
    with pytest.raises(BudgetError):
        await second


async def test_an_answer_of_this_process_costs_nothing_and_asks_nobody() -> None:
    spent = SpentSoFar(day=10**9)
    around = layer(rules=SpendingRules(currency="USD", limits=Limits(daily=1)), spent=spent)
    model = ScriptedModel(REPLY, leaves_process=False)
    assert await ask(model, around=around, of=context(allowance=left(tokens=0, cost_micro=0))) == REPLY
    assert spent.asked == []
    assert bound(model_request(), model, TABLE, DAY) is FREE


async def test_a_model_without_a_price_is_held_to_the_dearest_and_the_refusal_says_why() -> None:
    model = ScriptedModel(model="unheard-of")
    assert bound(model_request(), model, TABLE, DAY).cost == Cost(micro=9 * MOST.tokens, exact=False)
    with pytest.raises(BudgetError, match=r"as the model has no price in prices\.toml"):
        await ask(model, around=layer(), of=context(allowance=left(cost_micro=100)))


@given(st.text(), st.text(), st.integers(1, 50_000))
def test_the_bound_is_never_below_a_token_for_every_byte_and_the_longest_answer(
    system: str, text: str, most: int
) -> None:
    request = model_request(system=system, turns=(Turn(role="user", text=text),), max_output_tokens=most)
    estimate = bound(request, ScriptedModel(), TABLE, DAY)
    assert estimate.input_tokens >= len(system.encode()) + len(text.encode())
    assert estimate.tokens == estimate.input_tokens + most == estimate.cost.micro


@pytest.mark.proves("F5")
def test_an_installation_adds_prices_of_its_own_and_they_hold(tmp_path: Path) -> None:
    assert prices_of(tmp_path) is prices()
    line = "from = 2026-01-01\ninput = 7\noutput = 7\ncache_read = 7\ncache_write = 7\n"
    (tmp_path / "prices.toml").write_text(f'currency = "USD"\n[[price]]\nmodel = "local"\n{line}')
    table, million = prices_of(tmp_path), Usage(input_tokens=1_000_000)
    assert table.priced(million, model="local", on=DAY) == Cost(micro=7, exact=True)
    assert table.priced(million, model="claude-sonnet-5", on=DAY) == prices().priced(
        million, model="claude-sonnet-5", on=DAY
    )
    assert not prices().priced(million, model="local", on=DAY).exact
    (tmp_path / "prices.toml").write_text(f'currency = "EUR"\n[[price]]\nmodel = "local"\n{line}')
    with pytest.raises(InputError, match="is in EUR; write its prices in USD"):
        prices_of(tmp_path)


def test_several_models_cost_what_each_of_them_does_and_one_without_a_price_makes_it_a_bound() -> None:
    ten = Usage(input_tokens=10)
    assert TABLE.sum([("m-1", ten), ("dear", ten)], on=DAY) == Cost(micro=100, exact=True)
    assert TABLE.sum([("m-1", ten), ("unheard-of", ten)], on=DAY) == Cost(micro=100, exact=False)
    assert TABLE.sum([("m-1", ten), ("unheard-of", Usage())], on=DAY) == Cost(micro=10, exact=True)
    assert TABLE.sum([], on=DAY) == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "currency = ",
        'currency = "EUR"',
        'currency = "USD"\n[limits]\ndaily = 0',
        'currency = "USD"\n[limits]\nweekly = 1',
        'currency = "USD"\nalert_percent = 101',
        'currency = "USD"\n[answers]\nkeep_seconds = -1',
    ],
)
def test_spending_rules_with_a_mistake_are_refused(tmp_path: Path, text: str) -> None:
    assert spending_rules(tmp_path) == NO_LIMITS
    (tmp_path / "spending.toml").write_text(text)
    with pytest.raises(InputError, match="spending rules"):
        spending_rules(tmp_path)
