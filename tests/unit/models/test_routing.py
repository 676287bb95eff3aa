"""Who is asked, for how long and how many at once: tiers, fallback, one deadline for all, races, turns."""

import asyncio
import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from casewright.config import app_root
from casewright.errors import DeniedError, InputError, ModelError
from casewright.models.accounting import CallRecord, MemoryRecorder
from casewright.models.breaker import BreakerPolicy, Breakers
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider
from casewright.models.retry import RetryPolicy
from casewright.models.task import TaskRisk
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.model_permission import OnlyModels
from tests.support.model_requests import VALUE
from tests.support.scripted_provider import BUSY, FINAL, GOOD, ScriptedProvider, SilentProvider, no_pause

PROMPTS = app_root() / "agents" / "prompts"
CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant="t-1", agent="a")
RETRY = RetryPolicy(pause=no_pause, jitter=lambda: 0.0)
INVALID = replace(GOOD, text='{"topics": ["other"]}')


def gateway(
    providers: Sequence[Provider] | Mapping[TaskRisk, Sequence[Provider]],
    *,
    recorder: MemoryRecorder | None = None,
    conduct: Conduct | None = None,
) -> Gateway:
    allowed = OnlyModels("offline/extractive", *(f"{name}/m-1" for name in ("one", "two", "scripted", "busy")))
    return Gateway(
        providers,
        PromptLibrary(PROMPTS),
        recorder or MemoryRecorder(),
        permission=allowed,
        conduct=conduct or Conduct(retry=RETRY),
    )


def named(name: str, *script: ModelReply | NoReply) -> ScriptedProvider:
    return ScriptedProvider(*script, name=name)


@pytest.mark.proves("F4")
async def test_a_task_is_asked_of_the_models_of_its_risk_in_their_order() -> None:
    low, medium, high = named("one"), named("two", GOOD), named("busy")
    made = gateway({"low": [low], "medium": [medium, low], "high": [high]})
    result = await made.run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert (result.record.provider, result.record.degraded) == ("two", False)
    await made.aclose()
    assert low.closed and medium.closed and high.closed


def test_a_risk_without_any_provider_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="no provider for 'high' risk"):
        gateway({"low": [OfflineProvider()], "medium": [OfflineProvider()], "high": []})


@pytest.mark.proves("F3", "F4")
async def test_every_attempt_is_recorded_with_its_model_its_outcome_and_its_tokens() -> None:
    recorder = MemoryRecorder()
    providers = (named("one", BUSY, INVALID, FINAL), named("two", GOOD))
    result = await gateway(providers, recorder=recorder).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert [(one.provider, one.outcome, one.reason, one.input_tokens) for one in result.record.attempts] == [
        ("one", "failed", "HTTP 529", 0),
        ("one", "invalid", "3 problems: extra_forbidden, missing", 10),
        ("one", "failed", "the model refused", 5),
        ("two", "answered", "", 10),
    ]
    record = result.record
    assert (record.calls, record.repairs, record.input_tokens) == (4, 1, 25)
    assert record.input_tokens == sum(one.input_tokens for one in record.attempts)
    assert record.request_ids == ("req", "req") and recorder.records == (record,)


@pytest.mark.proves("F3")
async def test_a_model_that_gives_another_tasks_document_is_told_so_twice_and_then_given_up() -> None:
    provider = named("one", INVALID, INVALID, INVALID)
    recorder = MemoryRecorder()
    with pytest.raises(ModelError, match=r"'research\.select'.*not valid after 2 corrections \(3 problems: extra"):
        await gateway([provider], recorder=recorder).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert provider.spent and "topics: Extra inputs are not permitted" in provider.requests[1].turns[-1].text
    assert [one.outcome for one in recorder.records[0].attempts] == ["invalid"] * 3
    assert "other" not in recorder.records[0].model_dump_json()  # no word of a reply


@pytest.mark.proves("F4")
async def test_all_models_together_have_the_time_of_the_task_and_each_is_left_its_share() -> None:
    for seconds in (0.3, 3.0, 15.0):  # of a machine that stalls, the first ones are over before both are asked
        first, second = SilentProvider(name="one"), SilentProvider(name="two")
        hurried = replace(RESEARCH_SELECT, timeout_seconds=seconds)
        begun = time.monotonic()
        async with asyncio.timeout(30):
            result = await gateway([first, second, OfflineProvider()]).run(hurried, VALUE, context=CONTEXT)
        assert time.monotonic() - begun >= seconds
        if first.requests and second.requests:
            break
    given = [first.requests[0].timeout_seconds, second.requests[0].timeout_seconds]
    assert max(given) <= seconds / 2  # an equal share: the reserve is more than there is
    assert (result.record.provider, result.record.degraded) == ("offline", True)
    assert [one.outcome for one in result.record.attempts] == ["failed", "failed", "answered"]


@pytest.mark.proves("F4")
async def test_a_model_with_others_behind_it_is_asked_for_all_but_their_reserve() -> None:
    first = named("one", FINAL)
    conduct = Conduct(
        retry=RETRY, reserve_seconds=2_000.0, call_seconds=100_000.0, task_seconds={RESEARCH_SELECT.name: 10_000.0}
    )
    await gateway([first, named("two", GOOD), OfflineProvider()], conduct=conduct).run(
        RESEARCH_SELECT, VALUE, context=CONTEXT
    )
    assert 7_900.0 < first.requests[0].timeout_seconds <= 8_000.0


@pytest.mark.proves("F4")
async def test_a_model_that_keeps_failing_is_no_longer_asked_and_the_next_one_answers_at_once() -> None:
    failing = named("one", *[BUSY] * 4)
    conduct = Conduct(retry=RETRY, breakers=Breakers(BreakerPolicy(failures=4)))
    made = gateway([failing, named("two", *[GOOD] * 3)], conduct=conduct)
    records = [(await made.run(RESEARCH_SELECT, VALUE, context=CONTEXT)).record for _ in range(3)]
    assert failing.spent and [record.provider for record in records] == ["two"] * 3
    assert [[one.outcome for one in record.attempts] for record in records] == [
        ["failed", "failed", "failed", "answered"],
        ["failed", "refused", "answered"],
        ["refused", "answered"],
    ]
    assert "left alone" in records[2].attempts[0].reason


@pytest.mark.proves("F4")
async def test_a_silent_model_counts_as_failed_for_its_breaker() -> None:
    breakers = Breakers(BreakerPolicy(failures=2))
    conduct = Conduct(retry=replace(RETRY, attempts=2), call_seconds=0.02, breakers=breakers)
    async with asyncio.timeout(20):
        await gateway([SilentProvider(name="one"), OfflineProvider()], conduct=conduct).run(
            RESEARCH_SELECT, VALUE, context=CONTEXT
        )
    assert breakers.of("one/m-1").state == "open"


@pytest.mark.proves("F4")
async def test_where_every_model_is_forbidden_the_call_is_denied_with_the_code_of_the_decision() -> None:
    with pytest.raises(DeniedError, match="'third/m-1' is switched off") as caught:
        await gateway([named("third")]).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert caught.value.code == "switched_off"


@pytest.mark.proves("F4")
async def test_a_slow_model_is_overtaken_by_the_next_one_given_up_and_recorded() -> None:
    slow, recorder = SilentProvider(name="one"), MemoryRecorder()
    conduct = Conduct(retry=RETRY, hedge_after_seconds=0.01)
    made = gateway([slow, named("two", GOOD), OfflineProvider()], recorder=recorder, conduct=conduct)
    async with asyncio.timeout(20):
        result = await made.run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert slow.given_up.is_set()
    assert (result.record.provider, result.record.calls, result.record.degraded) == ("two", 2, True)
    assert [(one.provider, one.outcome) for one in result.record.attempts] == [("one", "failed"), ("two", "answered")]
    assert "given up before it replied" in result.record.attempts[0].reason
    assert result.record.reason == "one: it was slower"


@pytest.mark.proves("F4")
async def test_in_a_race_an_invalid_answer_does_not_win_and_the_offline_provider_does_not_run() -> None:
    last_invalid_one = asyncio.Event()

    class Hasty(ScriptedProvider):
        async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
            reply = await super().complete(request)
            if self.spent:
                last_invalid_one.set()
            return reply

    class Late(ScriptedProvider):
        async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
            await last_invalid_one.wait()
            for _ in range(10):  # rounds of the loop, in which the other one is found to be invalid
                await asyncio.sleep(0)
            return await super().complete(request)

    first, second = Late(GOOD, name="one"), Hasty(INVALID, INVALID, INVALID, name="two")
    conduct = Conduct(retry=RETRY, hedge_after_seconds=0.005)
    async with asyncio.timeout(20):
        result = await gateway([first, second, OfflineProvider()], conduct=conduct).run(
            RESEARCH_SELECT, VALUE, context=CONTEXT
        )
    assert result.record.provider == "one" and second.spent
    assert "two: the output was still not valid" in result.record.reason


async def test_without_hedging_and_for_whoever_listens_nobody_is_asked_beside_another() -> None:
    class Deaf:
        async def begin(self) -> None: ...

        async def hear(self, text: str) -> None: ...

    second = named("two")
    for conduct, listener in ((Conduct(retry=RETRY), None), (Conduct(retry=RETRY, hedge_after_seconds=0.0), Deaf())):
        made = gateway([named("one", GOOD), second], conduct=conduct)
        result = await made.run(RESEARCH_SELECT, VALUE, context=CONTEXT, listener=listener)
        assert result.record.provider == "one" and second.requests == []


@pytest.mark.proves("F4")
async def test_a_call_that_is_cancelled_leaves_a_record_of_what_was_asked() -> None:
    silent, recorder = SilentProvider(name="one"), MemoryRecorder()
    asking = asyncio.create_task(gateway([silent], recorder=recorder).run(RESEARCH_SELECT, VALUE, context=CONTEXT))
    async with asyncio.timeout(20):
        await silent.asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    (record,) = recorder.records
    assert (record.outcome, record.calls, record.reason) == ("failed", 1, "given up by whoever asked")


class Crowded(ScriptedProvider):
    """Counts how many requests it works on at the same time."""

    def __init__(self) -> None:
        super().__init__(name="busy")
        self.now = self.most = 0

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(10):  # rounds of the loop, in which others come to their turn
            await asyncio.sleep(0)
        self.now -= 1
        return GOOD


@pytest.mark.proves("F4")
async def test_a_provider_is_sent_only_so_many_requests_at_once() -> None:
    crowded = Crowded()
    made = gateway([crowded], conduct=Conduct(retry=RETRY, requests_at_once=3))
    await asyncio.gather(*(made.run(RESEARCH_SELECT, VALUE, context=CONTEXT) for _ in range(20)))
    assert 1 < crowded.most <= 3


async def test_whoever_gets_no_place_in_time_is_not_sent() -> None:
    silent, conduct = SilentProvider(name="one"), Conduct(retry=RETRY, requests_at_once=1)
    made = gateway([silent], conduct=conduct)
    first = asyncio.create_task(made.run(RESEARCH_SELECT, VALUE, context=CONTEXT))
    hurried = replace(RESEARCH_SELECT, timeout_seconds=0.05)
    async with asyncio.timeout(20):
        await silent.asked.wait()
        with pytest.raises(ModelError, match="no free place"):
            await made.run(hurried, VALUE, context=CONTEXT)
        first.cancel()
        await asyncio.wait([first])
    assert len(silent.requests) == 1


class Forgetful(MemoryRecorder):
    """Keeps only how many records there were."""

    count = 0

    async def record(self, record: CallRecord, notes: object) -> CallRecord:
        self.count += 1
        return record


async def _longest_pause(stop: asyncio.Event) -> float:
    """The most that the loop's thread worked between two turns of this task, in seconds; not what others did."""
    longest, before = 0.0, time.thread_time()
    while not stop.is_set():
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, before = max(longest, now - before), now
    return longest


@pytest.mark.thorough
@pytest.mark.proves("F4")
async def test_five_hundred_calls_at_once_all_end_and_hold_nobody_up_for_a_tenth_of_a_second() -> None:
    recorder, stop = Forgetful(), asyncio.Event()
    clauses = [
        VALUE.clauses[0].model_copy(update={"clause_id": name, "text": "Credit is due. " * 60}) for name in "xyz"
    ]
    long = VALUE.model_copy(update={"clauses": tuple(clauses)})
    made = gateway([Crowded()], recorder=recorder, conduct=Conduct(retry=RETRY, requests_at_once=64))
    await made.run(RESEARCH_SELECT, VALUE, context=CONTEXT)  # what is made once is made
    gc.collect()
    gc.freeze()  # what other tests left behind is not looked through in the middle of this one
    watching = asyncio.create_task(_longest_pause(stop))
    async with asyncio.timeout(50):
        results = await asyncio.gather(*(made.run(RESEARCH_SELECT, long, context=CONTEXT) for _ in range(500)))
        stop.set()
        longest = await watching
    gc.unfreeze()
    assert len(results) == 500 == recorder.count - 1
    assert all(result.output.clause_ids == ("x",) for result in results)
    assert longest < 0.1, f"the loop was held up for {longest * 1_000:.0f} ms"
