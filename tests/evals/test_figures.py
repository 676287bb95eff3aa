"""The figures of a suite's results: percentiles by the nearest rank, errored cases as not passed."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.contracts.evaluation import CaseResult
from evals.figures import metrics

pytestmark = pytest.mark.proves("H2")


def measured(values: list[int]) -> list[CaseResult]:
    return [
        CaseResult(case_id=f"c{number}", verdict="passed", measures={"rank": float(value)})
        for number, value in enumerate(values)
    ]


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=120))
def test_percentiles_are_those_of_the_nearest_rank(values: list[int]) -> None:
    found, ordered = metrics(measured(values))["rank"], sorted(values)
    assert found.p50 == ordered[ceil(len(values) / 2) - 1]
    assert found.p95 == ordered[ceil(len(values) * 95 / 100) - 1]


def test_an_errored_case_counts_as_not_passed_and_in_no_other_figure() -> None:
    errored = CaseResult(case_id="e", verdict="errored", outcomes={"executed": False}, measures={"rank": 9.0})
    executed = CaseResult(case_id="c", verdict="failed", outcomes={"executed": True})
    found = metrics([errored, executed, *measured([1, 2])])
    assert (found["passed"].n, found["passed"].value) == (4, 0.5)
    assert (found["executed"].n, found["executed"].value) == (1, 1.0)
    assert (found["rank"].n, found["rank"].value) == (2, 1.5)
