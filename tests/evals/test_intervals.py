"""The intervals of the figures, against exact sums and published values."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.intervals import beta_cdf, mean_interval, share_interval

pytestmark = pytest.mark.proves("H2")


def at_least(successes: int, n: int, share: Fraction) -> Fraction:
    """The exact probability of so many successes or more."""
    return sum((comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(successes, n + 1)), start=Fraction(0))


def test_nothing_of_n_has_the_exact_upper_bound() -> None:
    low, high = share_interval(0, 3_000)
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 3_000), rel=1e-9)


def test_published_interval_of_four_in_twenty() -> None:
    # Clopper and Pearson's own way gives 0.0573 to 0.4366 for 4 of 20, as tables have it
    assert share_interval(4, 20) == pytest.approx((0.0573, 0.4366), abs=5e-5)


def test_of_nothing_tried_nothing_is_known() -> None:
    assert share_interval(0, 0) == (0.0, 1.0)


def test_more_successes_than_tries_are_refused() -> None:
    with pytest.raises(ValueError, match="3 successes of 2"):
        share_interval(3, 2)


@given(st.integers(1, 60), st.data())
def test_bounds_cut_off_exactly_the_tails(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = share_interval(successes, n)
    assert low <= successes / n <= high
    if successes > 0:
        assert float(at_least(successes, n, Fraction(low))) == pytest.approx(0.025, rel=1e-6)
    if successes < n:
        assert float(1 - at_least(successes + 1, n, Fraction(high))) == pytest.approx(0.025, rel=1e-6)


@given(st.integers(1, 5_000), st.integers(1, 5_000), st.floats(0.001, 0.999))
def test_incomplete_beta_is_symmetric_and_a_share(a: int, b: int, x: float) -> None:
    value = beta_cdf(x, a, b)
    assert -1e-12 <= value <= 1 + 1e-12
    assert value == pytest.approx(1 - beta_cdf(1 - x, b, a), abs=1e-9)


def test_a_mean_of_one_value_is_that_value() -> None:
    assert mean_interval([3.0]) == (3.0, 3.0)
    low, high = mean_interval([1.0, 2.0, 3.0])
    assert (low + high) / 2 == pytest.approx(2.0)
    assert high - low == pytest.approx(2 * 1.959964 / 3**0.5, rel=1e-5)
