"""Turns the results of a suite's cases into figures: shares and means with their intervals, over all and by slice."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from casewright.contracts.evaluation import CaseResult, Metric, SliceFigures, SuiteResult
from evals.intervals import mean_interval, share_interval
from evals.planning import Planned

MOST_WORST = 200
_SLACK = 1e-9
"""Shares are decimal, their products binary fractions."""
_ORDER = {"errored": 0, "failed": 1, "passed": 2}


def suite_result(
    planned: Planned, results: Sequence[CaseResult], *, data: Mapping[str, str], seconds: float, lost: str = ""
) -> SuiteResult:
    """The figures over what was planned; a case without a result counts as errored, because of what is `lost`."""
    complete = [*results, *_missing(planned, results, lost)]
    bad = sorted(
        (one for one in complete if one.verdict != "passed"), key=lambda one: (_ORDER[one.verdict], one.case_id)
    )
    return SuiteResult(
        name=planned.suite,
        title=planned.title,
        enforced=planned.enforced,
        status="ran",
        data=dict(data),
        cases_digest=planned.digest,
        planned=len(planned.cases),
        cases=len(results),
        passed=sum(one.verdict == "passed" for one in complete),
        failed=sum(one.verdict == "failed" for one in complete),
        errored=sum(one.verdict == "errored" for one in complete),
        metrics=metrics(complete),
        slices=_slices(complete),
        worst=tuple(bad[:MOST_WORST]),
        failures=tuple(one.case_id for one in bad),
        seconds=round(seconds, 3),
        tokens=sum(one.tokens for one in complete),
        cost_micro=sum(one.cost_micro for one in complete),
    )


def did_not_run(planned: Planned, because: str, *, data: Mapping[str, str]) -> SuiteResult:
    """What is said of a suite that could not be opened."""
    return SuiteResult(
        name=planned.suite,
        title=planned.title,
        enforced=planned.enforced,
        status="did not run",
        because=because,
        data=dict(data),
        cases_digest=planned.digest,
        planned=len(planned.cases),
        cases=0,
        passed=0,
        failed=0,
        errored=0,
        metrics={},
        seconds=0.0,
    )


def metrics(results: Sequence[CaseResult]) -> dict[str, Metric]:
    """Every outcome and measure by name, and `passed`; errored cases count in `passed` alone, as not passed."""
    shares: dict[str, list[bool]] = defaultdict(list)
    means: dict[str, list[float]] = defaultdict(list)
    for one in results:
        shares["passed"].append(one.verdict == "passed")
        if one.verdict == "errored":
            continue
        for name, happened in one.outcomes.items():
            shares[name].append(happened)
        for name, value in one.measures.items():
            means[name].append(value)
    found = {name: _share(values) for name, values in shares.items()}
    return found | {name: _mean(values) for name, values in means.items() if name not in found}


def _missing(planned: Planned, results: Sequence[CaseResult], lost: str) -> list[CaseResult]:
    known = {one.case_id for one in results}
    return [
        CaseResult(
            case_id=case_id,
            verdict="errored",
            expected="a result",
            happened=lost or "it has none",
            slices=slices,
        )
        for case_id, slices in planned.cases.items()
        if case_id not in known
    ]


def _slices(results: Sequence[CaseResult]) -> tuple[SliceFigures, ...]:
    groups: dict[str, list[CaseResult]] = defaultdict(list)
    for one in results:
        for name, value in one.slices.items():
            groups[f"{name}={value}"].append(one)
    return tuple(
        SliceFigures(
            name=name,
            cases=len(group),
            passed=sum(one.verdict == "passed" for one in group),
            metrics=metrics(group),
        )
        for name, group in sorted(groups.items())
    )


def _share(values: Sequence[bool]) -> Metric:
    low, high = share_interval(sum(values), len(values))
    return Metric(kind="share", n=len(values), value=sum(values) / len(values), low=low, high=high)


def _mean(values: Sequence[float]) -> Metric:
    low, high = mean_interval(values)
    ordered = sorted(values)
    return Metric(
        kind="mean",
        n=len(values),
        value=sum(values) / len(values),
        low=low,
        high=high,
        p50=_percentile(ordered, 0.5),
        p95=_percentile(ordered, 0.95),
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank: the smallest value that this share of all values does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered) - _SLACK) - 1)]
