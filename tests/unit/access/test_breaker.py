"""The circuit breaker: opens after failures in a row, probes with one caller, closes when it is answered."""

import threading

import pytest

from casewright.access.breaker import BreakerLimits, CircuitBreaker


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def breaker(clock: Seconds) -> CircuitBreaker:
    return CircuitBreaker(BreakerLimits(failures=3, window_seconds=10.0, rest_seconds=1.0), clock=clock)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        assert breaker.admit()
        breaker.failed()


@pytest.mark.proves("D4")
def test_failures_in_a_row_open_it_and_callers_are_refused_at_once(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"
    assert not breaker.admit()


def test_a_success_in_between_starts_the_count_anew(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert breaker.admit()
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_failures_that_are_long_ago_do_not_count(breaker: CircuitBreaker, clock: Seconds) -> None:
    fail(breaker, 2)
    clock.now += 10.5
    fail(breaker, 2)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"


def test_after_a_rest_exactly_one_caller_probes_and_its_success_closes_it(
    breaker: CircuitBreaker, clock: Seconds
) -> None:
    fail(breaker, 3)
    clock.now += 0.99
    assert not breaker.admit()
    clock.now += 0.02
    assert breaker.state == "half_open"
    admitted: list[bool] = []
    threads = [threading.Thread(target=lambda: admitted.append(breaker.admit())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(admitted) == [False] * 7 + [True]
    breaker.succeeded()
    assert breaker.state == "closed"
    assert breaker.admit()


def test_a_failed_probe_opens_it_for_another_rest(breaker: CircuitBreaker, clock: Seconds) -> None:
    fail(breaker, 3)
    for _ in range(3):
        clock.now += 1.0
        fail(breaker, 1)
        assert breaker.state == "open"
        assert not breaker.admit()
    clock.now += 1.0
    assert breaker.admit()
    breaker.succeeded()
    assert breaker.state == "closed"
