"""Holds an evaluation against the gates: every planned case ran, figures keep their thresholds, controls succeed.

A rule that cannot be checked does not hold: a suite that is missing, a figure that nobody reported, a control that did
not run. Nothing here knows what a suite is about.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import (
    CaseResult,
    EvalReport,
    GateFinding,
    GateVerdict,
    Metric,
    NetworkSeen,
    Selection,
    SuiteResult,
)
from casewright.errors import InputError
from evals.baseline import Baseline
from evals.lock import DataLock

GATES = Path(__file__).resolve().parent / "gates.toml"
MOST_CASES = 10
_SLACK = 1e-9
"""Thresholds are decimal, figures are binary fractions."""


class Rule(Contract):
    """One threshold: exactly one of the four limits."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    below_baseline_at_most: float | None = None
    """How much lower than the accepted figure it may be."""
    above_baseline_at_most: float | None = None
    bound: Literal["value", "low", "high"] = "value"
    """What of the figure is held: itself, or a bound of its 95 % interval."""
    control: bool = False
    """Held against the positive control."""
    slice: str = ""
    """Such as `place=letter`, or `place=*` for every place by itself; empty: over all cases."""
    selection: Literal["", "fast", "full"] = ""
    """Where it holds; empty: in both."""
    why: str = ""

    @model_validator(mode="after")
    def _one_limit(self) -> "Rule":
        limits = (self.at_least, self.at_most, self.below_baseline_at_most, self.above_baseline_at_most)
        if sum(limit is not None for limit in limits) != 1:
            raise ValueError("a rule has exactly one of at_least, at_most, below_ and above_baseline_at_most")
        if self.control and self.compares:
            raise ValueError("baselines hold no figures of controls")
        if self.slice and self.compares:
            raise ValueError("baselines hold no figures of slices")
        return self

    @property
    def compares(self) -> bool:
        """Whether it is held against what was accepted last."""
        return (self.below_baseline_at_most, self.above_baseline_at_most) != (None, None)

    def words(self) -> str:
        """As people read it."""
        what = f"{self.metric}{f' of {self.slice}' if self.slice else ''}{' in the control' if self.control else ''}"
        bound = {"value": "", "low": " (lower bound)", "high": " (upper bound)"}[self.bound]
        limits = {
            "at least": self.at_least,
            "at most": self.at_most,
            "no more below the baseline than": self.below_baseline_at_most,
            "no more above the baseline than": self.above_baseline_at_most,
        }
        limit = next(f"{words} {value:g}" for words, value in limits.items() if value is not None)
        return f"{what}{bound} {limit}"


class SuiteGate(Contract):
    """What one suite has to reach."""

    cases: int = Field(gt=0)
    """How many cases the full selection has, exactly."""
    optional: bool = False
    """Whether it may be left out where what it needs cannot be had; if it ran, its rules hold."""
    rules: tuple[Rule, ...] = Field(min_length=1)


class Gates(Contract):
    baselines: tuple[Selection, ...] = ("fast", "full")
    """Selections without whose accepted figures a comparison does not hold; one that is not named here is compared
    from the day on which figures of it are accepted."""
    suites: dict[str, SuiteGate] = Field(default_factory=dict[str, SuiteGate])


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What results are held against."""

    gates: Gates
    lock: DataLock
    data_problems: Mapping[str, Sequence[str]]
    """By suite: where its data differ from the lock."""
    baseline: Baseline
    asked: tuple[str, ...] = ()
    """The suites that were asked for by name; empty: every one has to be there."""
    missing_allowed: bool = False
    """Whether somebody said aloud that what is not on this machine may be left out; the verdict is not whole then."""


def read_gates(path: Path = GATES) -> Gates:
    """The gates as they stand.

    Raises:
        InputError: the file is missing or wrong; the message names the place.
    """
    try:
        return Gates.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{str(path)!r}: {where}: {first['msg']}; mend it") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} cannot be read as gates ({error}); restore it") from error


def judged(report: EvalReport, measure: Measure) -> GateVerdict:
    """The verdict over a report; the report itself is not changed."""
    names = measure.asked or tuple(measure.gates.suites)
    checks = [check for name in names for check in _suite_checks(name, report, measure)]
    ungated = [one.name for one in report.suites if one.name not in measure.gates.suites]
    checks += [
        _finding(name, "every suite has a gate", f"{name!r} in gates.toml", "it is not there") for name in ungated
    ]
    if not checks:  # before the network is looked at, which says nothing of any suite
        checks.append(_finding("", "at least one rule", "a rule to hold", "there is none"))
    checks += [_isolated(report.network)] if report.network else []
    failed = tuple(check for check in checks if check is not None)
    return GateVerdict(
        ok=not failed,
        checked=len(checks),
        failed=failed,
        whole=_is_whole(report, measure),
        notes=tuple(_notes(names, report, measure)),
    )


def _isolated(seen: NetworkSeen) -> GateFinding | None:
    if not seen.attempts:
        return None
    happened = "; ".join((f"{seen.attempts} attempts in {seen.how}", *seen.named))
    return _finding("", "no connection leaves this machine", "no attempt", happened)


def _is_whole(report: EvalReport, measure: Measure) -> bool:
    """Whether every suite that is not optional was tried with all its cases."""
    needed = {name for name, gate in measure.gates.suites.items() if not gate.optional}
    return report.selection == "full" and needed <= {one.name for one in report.suites if one.status == "ran"}


def _may_be_missing(name: str, gate: SuiteGate, result: SuiteResult | None, measure: Measure) -> bool:
    """An optional suite, unless somebody asked for it by name; any suite where that was said aloud."""
    optional = gate.optional and name not in measure.asked
    if result is None:
        return optional
    return result.status == "did not run" and (optional or measure.missing_allowed)


def _suite_checks(name: str, report: EvalReport, measure: Measure) -> Iterator[GateFinding | None]:
    gate = measure.gates.suites.get(name)
    if gate is None:
        return  # said once for all, below
    result = _named(report.suites, name)
    if _may_be_missing(name, gate, result, measure):
        return
    yield from _complete(name, gate, result, report, measure)
    if result is None or result.status == "did not run":
        return
    control = _named(report.controls, name)
    for rule in _rules(gate, report, measure):
        against = control if rule.control else result
        for one in _each(rule, against):
            yield _held(one, name, against, report, measure.baseline)


def _rules(gate: SuiteGate, report: EvalReport, measure: Measure) -> list[Rule]:
    """Those of the selection, without comparisons that have nothing yet to compare with."""
    own = [rule for rule in gate.rules if rule.selection in ("", report.selection)]
    return own if _is_compared(report, measure) else [rule for rule in own if not rule.compares]


def _is_compared(report: EvalReport, measure: Measure) -> bool:
    """Whether figures of the selection were accepted, or have to be there."""
    return report.selection in measure.gates.baselines or bool(measure.baseline.selections.get(report.selection))


def _each(rule: Rule, result: SuiteResult | None) -> list[Rule]:
    """The rule for every value of its slice; of a slice that nobody has, itself, which then does not hold."""
    if result is None or not rule.slice.endswith("=*"):
        return [rule]
    names = [one.name for one in result.slices if one.name.startswith(rule.slice.removesuffix("*"))]
    return [rule.model_copy(update={"slice": name}) for name in names] or [rule]


def _complete(
    name: str, gate: SuiteGate, result: SuiteResult | None, report: EvalReport, measure: Measure
) -> Iterator[GateFinding | None]:
    if result is None or result.status == "did not run":
        because = "it was not asked for" if result is None else result.because
        yield _finding(name, "it ran", "a result of every case", f"it did not run: {because}")
        return
    problems = measure.data_problems.get(name, ())
    yield _finding(name, "its data are locked", "the locked data", "; ".join(problems)) if problems else None
    yield _counted(name, gate, result, report, measure)
    yield _all_tried(result)
    control = _named(report.controls, name)
    if any(rule.control for rule in gate.rules):
        if control is None or control.status == "did not run":
            because = "none was run" if control is None else control.because
            yield _finding(name, "its control ran", "the same cases without enforcement", because)
        elif control.cases_digest != result.cases_digest:
            yield _finding(name, "its control ran", "the same cases without enforcement", "it tried other cases")
        else:
            yield _all_tried(control)


def _counted(
    name: str, gate: SuiteGate, result: SuiteResult, report: EvalReport, measure: Measure
) -> GateFinding | None:
    """Whether there were as many cases as there have to be, and the locked ones."""
    locked = measure.lock.suites.get(name)
    if locked is None or locked.cases != gate.cases:
        held = "no number" if locked is None else f"{locked.cases}"
        return _finding(name, "its cases are locked", f"{gate.cases} cases", f"{held} in the lock of the data sets")
    if report.selection == "full" and (result.planned, result.cases_digest) != (locked.cases, locked.cases_digest):
        return _finding(name, "all cases", f"the {locked.cases} locked cases", f"{result.planned} cases, or other ones")
    return None


def _all_tried(result: SuiteResult) -> GateFinding | None:
    if result.planned and result.cases == result.planned and not result.errored:
        return None
    what = "its control: every case has a result" if not result.enforced else "every case has a result"
    happened = f"{result.cases} results of {result.planned}, {result.errored} errored"
    errored = [one for one in result.worst if one.verdict == "errored"]
    return _finding(result.name, what, f"{result.planned} results, none errored", happened, errored)


def _held(
    rule: Rule, name: str, result: SuiteResult | None, report: EvalReport, baseline: Baseline
) -> GateFinding | None:
    metric = _metric(rule, result)
    if metric is None:
        return _finding(name, rule.words(), "a figure", "nobody reported it")
    assert result is not None
    value = {"value": metric.value, "low": metric.low, "high": metric.high}[rule.bound]
    said = f"{value:.4g} (n = {metric.n}, 95 % interval {metric.low:.4g} to {metric.high:.4g})"
    limit = _limit(rule, result, report, baseline)
    if limit is None:
        happened = f"{said}, and no baseline of the {report.selection} selection has it; see `casewright eval accept`"
        return _finding(name, rule.words(), "an accepted figure over the same cases", happened)
    lowest, highest = limit
    if lowest - _SLACK <= value <= highest + _SLACK:
        return None
    expected = f"at least {lowest:g}" if value < lowest else f"at most {highest:g}"
    cases = [] if rule.control else _behind(rule, result)
    return _finding(name, rule.words(), expected, said, cases)


def _limit(rule: Rule, result: SuiteResult, report: EvalReport, baseline: Baseline) -> tuple[float, float] | None:
    """The lowest and the highest value that hold; None: no baseline over the same cases says."""
    infinite = float("inf")
    if rule.at_least is not None:
        return rule.at_least, infinite
    if rule.at_most is not None:
        return -infinite, rule.at_most
    known = baseline.suite(report.selection, result.name)
    accepted = baseline.figure(report.selection, result.name, rule.metric)
    if known is None or accepted is None or known.cases_digest != result.cases_digest:
        return None
    if rule.below_baseline_at_most is not None:
        return accepted - rule.below_baseline_at_most, infinite
    return -infinite, accepted + (rule.above_baseline_at_most or 0.0)


def _metric(rule: Rule, result: SuiteResult | None) -> Metric | None:
    if result is None:
        return None
    if not rule.slice:
        return result.metrics.get(rule.metric)
    found = next((one for one in result.slices if one.name == rule.slice), None)
    return None if found is None else found.metrics.get(rule.metric)


def _behind(rule: Rule, result: SuiteResult) -> list[CaseResult]:
    """The cases that did not pass: first those that are why the figure is off, then those that have it at all."""
    wanted = dict([rule.slice.split("=", 1)]) if rule.slice else {}
    among = [one for one in result.worst if all(one.slices.get(key) == value for key, value in wanted.items())]
    unwanted = rule.at_most is not None or rule.above_baseline_at_most is not None
    return sorted(
        among, key=lambda one: (one.outcomes.get(rule.metric) is not unwanted, rule.metric not in one.outcomes)
    )


def _notes(names: Sequence[str], report: EvalReport, measure: Measure) -> Iterator[str]:
    for name in names:
        result = _named(report.suites, name)
        gate = measure.gates.suites.get(name)
        if gate is not None and _may_be_missing(name, gate, result, measure):
            yield f"{name} did not run and may be left out: {result.because if result else 'it was not asked for'}"
    if not _is_compared(report, measure):
        yield f"nothing is compared: no figures of the {report.selection} selection have been accepted yet"
    for result in report.suites:
        new = measure.baseline.newly_failing(report.selection, result)
        if new:
            yield f"{result.name}: {len(new)} case(s) fail that passed in the baseline: {', '.join(new[:MOST_CASES])}"


def _named(results: Sequence[SuiteResult], name: str) -> SuiteResult | None:
    return next((one for one in results if one.name == name), None)


def _finding(suite: str, rule: str, expected: str, happened: str, cases: Sequence[CaseResult] = ()) -> GateFinding:
    return GateFinding(suite=suite, rule=rule, expected=expected, happened=happened, cases=tuple(cases[:MOST_CASES]))
