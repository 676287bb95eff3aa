"""Cohen's kappa of two raters over the same things, with its standard error."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from casewright.errors import InputError

_Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two raters agree beyond what chance gives."""

    n: int
    kappa: float
    low: float
    high: float
    """The 95 % interval."""
    observed: float
    """Share of things that both rated alike."""


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Cohen's kappa of nominal ratings, with the large-sample interval.

    Kappa is (po - pe) / (1 - pe) (Cohen 1960, Educational and Psychological Measurement 20). The standard error is that
    of Fleiss, Cohen and Everitt 1969 (Psychological Bulletin 72) for a kappa that need not be zero.

    Raises:
        InputError: there is nothing to compare, or both raters gave one and the same rating to everything, of which
            kappa says nothing.
    """
    if not pairs:
        raise InputError("kappa needs rated pairs; there are none")
    n = len(pairs)
    categories = sorted({rating for pair in pairs for rating in pair})
    joint = {pair: count / n for pair, count in Counter(pairs).items()}
    rows = {one: sum(joint.get((one, other), 0.0) for other in categories) for one in categories}
    columns = {one: sum(joint.get((other, one), 0.0) for other in categories) for one in categories}
    observed = sum(joint.get((one, one), 0.0) for one in categories)
    chance = sum(rows[one] * columns[one] for one in categories)
    if math.isclose(chance, 1.0):
        raise InputError(
            "both raters gave the same rating to everything, so kappa says nothing; rate more varied examples"
        )
    kappa = (observed - chance) / (1 - chance)
    error = math.sqrt(_variance(joint, rows, columns, observed, chance) / n)
    return Agreement(
        n=n, kappa=kappa, low=max(-1.0, kappa - _Z * error), high=min(1.0, kappa + _Z * error), observed=observed
    )


def _variance(
    joint: dict[tuple[str, str], float],
    rows: dict[str, float],
    columns: dict[str, float],
    observed: float,
    chance: float,
) -> float:
    """Of one pair; the standard error is its root over the root of n."""
    same = sum(
        joint.get((one, one), 0.0) * ((1 - chance) - (rows[one] + columns[one]) * (1 - observed)) ** 2 for one in rows
    )
    other = sum(share * (columns[a] + rows[b]) ** 2 for (a, b), share in joint.items() if a != b)
    whole = same + (1 - observed) ** 2 * other - (observed * chance - 2 * chance + observed) ** 2
    return max(0.0, whole) / (1 - chance) ** 4
