"""How figures are written for people: shares with their counts, times and money with their units."""

from casewright.contracts.evaluation import EvalReport, Metric, NetworkSeen, SuiteResult

_MICRO = 1_000_000


def percent(share: float) -> str:
    """A share as a percentage; small ones and those near all keep the digits that tell them from 0 and 100."""
    value = share * 100
    distance = min(value, 100 - value)
    digits = 0 if distance == 0 else 1 if distance >= 1 else 2 if distance >= 0.1 else 3
    return f"{value:.{digits}f} %"


def number(value: float) -> str:
    """A number with about three digits that count."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def amount(metric: Metric, value: float) -> str:
    """A value in the manner of a metric."""
    return percent(value) if metric.kind == "share" else number(value)


def counted(metric: Metric) -> str:
    """What the value was found from: `3 of 120`, or the number of cases."""
    return f"{round(metric.value * metric.n):,} of {metric.n:,}" if metric.kind == "share" else f"{metric.n:,} cases"


def interval(metric: Metric) -> str:
    """The 95 % interval: of nothing and of everything the one bound that says something."""
    if metric.kind == "share" and metric.value == 0:
        return f"at most {percent(metric.high)}"
    if metric.kind == "share" and metric.value == 1:
        return f"at least {percent(metric.low)}"
    return f"{amount(metric, metric.low)} to {amount(metric, metric.high)}"


def named(metric: str) -> str:
    """A metric's name as words."""
    return metric.replace("_", " ")


def duration(seconds: float) -> str:
    """Seconds as `4.2 s` or `3 min 20 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"


def money(micro: int) -> str:
    """Millionths of the currency of the price list, written in its whole."""
    return "0" if micro == 0 else f"{micro / _MICRO:,.4f}"


def headline(report: EvalReport) -> str:
    """The verdict in one sentence."""
    gate = report.gate
    if gate is None:
        return "Not gated: the rules were not held against these results"
    if gate.ok:
        return f"Passed: all {gate.checked} rules hold"
    if not gate.checked:
        return "Failed: no rule was checked"
    return f"Failed: {len(gate.failed)} of {gate.checked} rules {'does' if len(gate.failed) == 1 else 'do'} not hold"


def network(seen: NetworkSeen | None) -> str:
    """How the evaluation was kept on this machine."""
    if seen is None:
        return "not closed: nobody counted what tried to leave this machine"
    return f"{seen.attempts:,} attempts to leave this machine, in {seen.how}"


def tried(suite: SuiteResult) -> str:
    """How much of a suite was tried, and how it went."""
    if suite.status == "did not run":
        return "did not run"
    parts = [f"{suite.passed:,} of {suite.planned:,} passed"]
    parts += [f"{suite.failed:,} failed"] * bool(suite.failed) + [f"{suite.errored:,} errored"] * bool(suite.errored)
    return ", ".join(parts)
