"""Growth over a sequence: the slope of a straight line through what was measured one after another, with its interval.

Least squares; the 95 % interval is that of Student's t distribution for the slope. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

_T975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""Quantiles of Student's t for 1 to 15 degrees of freedom (NIST/SEMATECH e-Handbook of Statistics, 1.3.6.7.2)."""
_T975_MORE = 2.120
"""For 16; more degrees have less, so intervals are never too narrow."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """By how much each one is more than the one before."""

    slope: float
    low: float
    high: float

    def certain_above(self, most: float) -> bool:
        """Whether even the low end of the interval is more than this; noise alone does not say so."""
        return self.low > most


def growth(values: Sequence[float]) -> Growth:
    """The growth from each value to the next.

    Raises:
        ValueError: there are fewer than three values, so nothing can be said.
    """
    n = len(values)
    if n < 3:
        raise ValueError(f"{n} values tell no growth; measure three or more")
    middle, mean = (n - 1) / 2, fmean(values)
    spread = sum((place - middle) ** 2 for place in range(n))
    slope = sum((place - middle) * (value - mean) for place, value in enumerate(values)) / spread
    left = sum((value - mean - slope * (place - middle)) ** 2 for place, value in enumerate(values))
    freedom = n - 2
    quantile = _T975[freedom - 1] if freedom <= len(_T975) else _T975_MORE
    half = quantile * math.sqrt(left / freedom / spread)
    return Growth(slope=slope, low=slope - half, high=slope + half)
