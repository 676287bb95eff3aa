"""The circuit breaker: when a model is left alone, and how it comes back."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from casewright.models.breaker import Blocked, BreakerPolicy, Breakers, CircuitBreaker, Pass, breakers_of
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.provider import ModelReply, NoReply
from tests.support.model_requests import model_request
from tests.support.scripted_provider import BUSY, FINAL, GOOD, ScriptedProvider, SilentProvider

CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant="t-1", agent="a")
POLICY = BreakerPolicy(failures=2, window_seconds=60.0, cooldown_seconds=30.0)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def admitted(breaker: CircuitBreaker) -> Pass:
    answer = breaker.admit()
    assert isinstance(answer, Pass)
    return answer


def opened(clock: Hand, policy: BreakerPolicy = POLICY) -> CircuitBreaker:
    breaker = CircuitBreaker(policy, clock)
    for _ in range(policy.failures):
        admitted(breaker).failed()
    return breaker


@pytest.mark.proves("F4")
def test_a_model_that_fails_repeatedly_is_left_alone_and_then_probed_by_exactly_one_request() -> None:
    clock = Hand()
    breaker = opened(clock)
    assert breaker.admit() == Blocked(30.0)
    clock.now += 30.0
    probe = admitted(breaker)
    assert breaker.admit() == Blocked(0.0) == breaker.admit()
    probe.replied()
    assert breaker.state == "closed" and admitted(breaker) and admitted(breaker)


@pytest.mark.proves("F4")
def test_a_failed_probe_leaves_it_alone_again_and_an_abandoned_one_lets_the_next_probe() -> None:
    clock = Hand()
    breaker = opened(clock)
    clock.now += 30.0
    admitted(breaker).abandoned()
    admitted(breaker).failed()
    assert breaker.admit() == Blocked(30.0)


def test_it_stays_alone_as_long_as_the_service_asked_for_but_not_for_ever() -> None:
    clock = Hand()
    breaker = CircuitBreaker(POLICY, clock)
    admitted(breaker).failed()
    admitted(breaker).failed(retry_after_seconds=45.0)
    assert breaker.admit() == Blocked(45.0)
    clock.now += 45.0
    admitted(breaker).failed(retry_after_seconds=1e9)
    assert breaker.admit() == Blocked(600.0)


def test_failures_that_a_reply_or_the_window_separates_do_not_count_together() -> None:
    clock = Hand()
    breaker = CircuitBreaker(POLICY, clock)
    admitted(breaker).failed()
    admitted(breaker).replied()
    admitted(breaker).failed()
    clock.now += 60.5
    admitted(breaker).failed()
    assert breaker.state == "closed"
    admitted(breaker).failed()
    assert breaker.state == "open"


def test_what_was_sent_before_it_opened_neither_closes_it_nor_holds_it_open() -> None:
    clock = Hand()
    breaker = CircuitBreaker(POLICY, clock)
    late, later = admitted(breaker), admitted(breaker)
    for _ in range(2):
        admitted(breaker).failed()
    late.replied()
    assert breaker.state == "open"
    clock.now += 30.0
    probe = admitted(breaker)
    later.failed()
    assert breaker.state == "half_open"
    probe.replied()
    assert breaker.state == "closed"


@pytest.mark.proves("F4")
async def test_while_it_is_open_nothing_is_sent_and_the_reason_says_for_how_long() -> None:
    breakers = Breakers(POLICY, Hand())
    provider = ScriptedProvider(BUSY, BUSY)
    asked = breakers.around(provider, CONTEXT)
    for _ in range(2):
        assert await asked.complete(model_request()) == BUSY
    refused = await breakers.around(provider, CONTEXT).complete(model_request())
    assert isinstance(refused, NoReply) and (refused.calls, refused.retryable) == (0, False)
    assert "left alone for another 30 s" in refused.reason and len(provider.requests) == 2


async def test_a_refusal_of_the_model_and_a_request_that_was_not_sent_open_nothing() -> None:
    breakers = Breakers(POLICY, Hand())
    unsent = NoReply(reason="it is switched off", retryable=False, calls=0, denied="switched_off")
    asked = breakers.around(ScriptedProvider(BUSY, unsent, FINAL, BUSY, GOOD, BUSY), CONTEXT)
    for _ in range(6):
        await asked.complete(model_request())
    assert breakers.of("scripted/m-1").state == "closed"


async def test_a_probe_that_is_cancelled_lets_another_one_probe() -> None:
    clock = Hand()
    breakers = Breakers(BreakerPolicy(failures=1, cooldown_seconds=1.0), clock)
    silent = SilentProvider(name="scripted")
    admitted(breakers.of("scripted/m-1")).failed()
    clock.now += 1.0
    probing = asyncio.create_task(_ask(breakers, silent))
    async with asyncio.timeout(5):
        await silent.asked.wait()
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
    assert await _ask(breakers, ScriptedProvider(GOOD)) == GOOD


async def _ask(breakers: Breakers, provider: ScriptedProvider) -> ModelReply | NoReply:
    return await breakers.around(provider, CONTEXT).complete(model_request())


def test_models_have_breakers_of_their_own_and_what_stays_in_the_process_has_none() -> None:
    breakers = Breakers(POLICY, Hand())
    assert breakers.of("a/b") is breakers.of("a/b") and breakers.of("a/b") is not breakers.of("a/c")
    offline = OfflineProvider()
    assert breakers.around(offline, CONTEXT) is offline


def test_gateways_of_one_data_folder_share_their_breakers(tmp_path: Path) -> None:
    assert breakers_of(tmp_path, POLICY) is breakers_of(tmp_path, POLICY)
    assert breakers_of(tmp_path, POLICY) is not breakers_of(tmp_path / "other", POLICY)


class BreakerMachine(RuleBasedStateMachine):
    """Holds the breaker to a model that is written down the long way: a list of everything that happened."""

    @initialize(failures=st.integers(1, 4))
    def begin(self, failures: int) -> None:
        self.clock = Hand()
        self.policy = BreakerPolicy(failures=failures, window_seconds=10.0, cooldown_seconds=5.0)
        self.breaker = CircuitBreaker(self.policy, self.clock)
        self.out: list[tuple[Pass, int]] = []
        self.epoch = 0
        self.state = "closed"
        self.until = 0.0
        self.failed_at: list[float] = []
        self.probes = 0

    def _cool_down(self) -> None:
        if self.state == "open" and self.clock.now >= self.until:
            self.state, self.probes, self.epoch = "half_open", 0, self.epoch + 1

    @rule(seconds=st.sampled_from([0.5, 2.0, 5.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def ask(self) -> None:
        self._cool_down()
        answer = self.breaker.admit()
        free = self.state == "closed" or (self.state == "half_open" and self.probes == 0)
        assert isinstance(answer, Pass) == free
        if isinstance(answer, Pass):
            self.probes += self.state == "half_open"
            self.out.append((answer, self.epoch))

    @rule(times=st.integers(1, 4))
    def some_fail_at_once(self, times: int) -> None:
        for _ in range(times):
            before = len(self.out)
            self.ask()
            if len(self.out) > before:
                self._end(len(self.out) - 1, "failed")

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 1_000), outcome=st.sampled_from(["replied", "failed", "abandoned"]))
    def one_ends(self, which: int, outcome: str) -> None:
        self._end(which % len(self.out), outcome)

    def _end(self, which: int, outcome: str) -> None:
        one, epoch = self.out.pop(which)
        getattr(one, outcome)()
        if epoch != self.epoch:
            return
        if outcome == "abandoned":
            self.probes = 0
        elif outcome == "replied":
            self.epoch += self.state == "half_open"
            self.state, self.failed_at = "closed", []
        else:
            self._failed()

    def _failed(self) -> None:
        self.failed_at.append(self.clock.now)
        last = self.failed_at[-self.policy.failures :]
        in_a_row = len(last) == self.policy.failures and last[-1] - last[0] <= self.policy.window_seconds
        if self.state == "half_open" or in_a_row:
            self.state, self.until, self.epoch = "open", self.clock.now + self.policy.cooldown_seconds, self.epoch + 1

    @invariant()
    def it_is_in_the_state_that_the_model_says(self) -> None:
        if hasattr(self, "clock"):
            self._cool_down()
            assert self.breaker.state == self.state
            assert sum(epoch == self.epoch for _, epoch in self.out) <= 1 or self.state == "closed"


@pytest.mark.proves("F4")
def test_the_breaker_is_in_the_state_that_its_history_says() -> None:
    limits = hypothesis_settings(max_examples=25, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(BreakerMachine, settings=limits)
