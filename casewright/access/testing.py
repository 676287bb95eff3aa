"""Runs the tests of a policy folder: verdicts, coverage, what they print, on one engine or both.

The embedded engine needs no OPA binary and gives the coverage. With `both`, every verdict of OPA
is compared with ours and a difference is a failure. The command line and the playground call this.
"""

import fnmatch
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from casewright.access.binaries import Absent, find
from casewright.access.bundle import Bundle, read_bundle
from casewright.access.embedded import build, query
from casewright.access.lint import PRINT_IN_RULES
from casewright.access.native import NativeEngine, message_of
from casewright.access.opa_tools import opa_test
from casewright.access.rego_tests import RegoTest, prepare
from casewright.access.warmup import inspect
from casewright.errors import PolicyError

Engines = Literal["embedded", "opa", "both"]
MAX_PRINTED_LINES = 100


@dataclass(frozen=True, kw_only=True)
class TestOutcome:
    """One test on one engine or both."""

    __test__ = False  # for pytest, which takes the name for its own

    path: str
    line: int
    name: str
    """`package.test_name`."""
    seconds: float
    fault: str
    """Why it failed; empty when it passed."""
    printed: tuple[str, ...]
    """What `print` said while it ran on the embedded engine, each with file and line."""


@dataclass(frozen=True, kw_only=True)
class FailedTest:
    """A test that is not true, and where it stands."""

    path: str
    line: int
    name: str
    message: str
    printed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TestReport:
    """What the tests of a folder said, and which lines they reached."""

    __test__ = False

    outcomes: tuple[TestOutcome, ...]
    coverage: Mapping[str, float]
    """Per policy file: percent of its lines that the tests evaluated. Empty when only OPA ran."""
    uncovered: Mapping[str, tuple[int, ...]]
    """Per policy file: lines that no test evaluated."""
    total_coverage: float
    """Percent of the lines of all policy files; 0 when only OPA ran."""
    engines: Mapping[str, Mapping[str, int]]
    """Per engine: `passed` and `failed`; with both also `differences`."""

    @property
    def failed(self) -> tuple[FailedTest, ...]:
        return tuple(
            FailedTest(path=test.path, line=test.line, name=test.name, message=test.fault, printed=test.printed)
            for test in self.outcomes
            if test.fault
        )

    @property
    def passed(self) -> int:
        return sum(not test.fault for test in self.outcomes)


def run_tests(
    folder: Path, *, name_contains: str = "", engines: Engines = "embedded", search: str | None = None
) -> TestReport:
    """Evaluate every `test_` rule; a test passes when it is exactly true.

    `name_contains` is a part of `package.test_name`, or a pattern with `*`. OPA is looked for on
    PATH, or in `search`.

    Raises:
        PolicyError: the folder does not pass `check`, holds no test of that name, or OPA is asked
            for and absent.
    """
    bundle = read_bundle(folder)
    modules, found_problems = inspect(bundle, with_tests=True)
    problems = [problem for problem in found_problems if problem.message != PRINT_IN_RULES]
    if problems:
        first = problems[0]
        raise PolicyError(
            f"{first.path}:{first.line}: {first.message}; {len(problems)} problems, run `casewright policy check`"
        )
    prepared, found = prepare(modules)
    tests = _chosen(folder, found, name_contains)
    theirs: Mapping[str, bool] = _ask_opa(folder, search) if engines != "embedded" else {}
    if engines == "opa":
        return _opa_alone(tests, theirs)
    return _embedded(replace(bundle, modules=prepared), {module.path for module in bundle.modules}, tests, theirs)


def _embedded(bundle: Bundle, rules: set[str], tests: list[RegoTest], theirs: Mapping[str, bool]) -> TestReport:
    """Our verdicts with coverage of the `rules` files, compared with those of OPA where there are any."""
    engine = build(bundle)
    engine.set_enable_coverage(True)
    engine.set_gather_prints(True)
    ours = [_run(engine, test) for test in tests]
    lines = _lines(engine, rules)
    counted = {"embedded": _counts(ours)}
    if theirs:
        ours = _compared(ours, theirs)
        counted["opa"] = _counts(_by_opa(tests, theirs))
    return TestReport(
        outcomes=tuple(ours),
        coverage={path: _percent(covered, missed) for path, (covered, missed) in lines.items()},
        uncovered={path: missed for path, (_, missed) in lines.items()},
        total_coverage=_percent(
            tuple(line for covered, _ in lines.values() for line in covered),
            tuple(line for _, missed in lines.values() for line in missed),
        ),
        engines=counted,
    )


def _chosen(folder: Path, found: Iterable[RegoTest], name: str) -> list[RegoTest]:
    tests = [test for test in found if _is_meant(test, name)]
    if not tests:
        raise PolicyError(
            f"no test in {str(folder)!r} has {name!r} in its name; tests are rules 'test_...' in *_test.rego"
        )
    return tests


def _is_meant(test: RegoTest, name: str) -> bool:
    return fnmatch.fnmatchcase(test.rule, name) if "*" in name else name in test.rule


def _ask_opa(folder: Path, search: str | None) -> Mapping[str, bool]:
    opa = find("opa", search=search)
    if isinstance(opa, Absent):
        raise PolicyError(f"the tests cannot run on OPA: {opa.why}; or use --engine embedded")
    verdicts = opa_test(opa, folder)
    if not verdicts:
        raise PolicyError(f"opa found no test in {str(folder)!r}; run `casewright policy check`")
    return verdicts


def _opa_alone(tests: list[RegoTest], theirs: Mapping[str, bool]) -> TestReport:
    outcomes = _by_opa(tests, theirs)
    return TestReport(
        outcomes=outcomes, coverage={}, uncovered={}, total_coverage=0.0, engines={"opa": _counts(outcomes)}
    )


def _by_opa(tests: list[RegoTest], theirs: Mapping[str, bool]) -> tuple[TestOutcome, ...]:
    faults = {True: "", False: "the test fails on OPA", None: "OPA does not know this test"}
    return tuple(
        TestOutcome(
            path=test.path, line=test.line, name=test.rule, seconds=0.0, fault=faults[theirs.get(test.rule)], printed=()
        )
        for test in tests
    )


def _compared(ours: list[TestOutcome], theirs: Mapping[str, bool]) -> list[TestOutcome]:
    """Our outcomes; one that OPA answers otherwise has failed, whoever is right."""
    compared: list[TestOutcome] = []
    for test in ours:
        opa = theirs.get(test.name)
        if opa is None:
            test = replace(test, fault=f"engines differ: OPA does not know this test; embedded: {_said(test)}")
        elif opa is not (not test.fault):
            other = "passes" if opa else "fails"
            test = replace(test, fault=f"engines differ: it {other} on OPA; embedded: {_said(test)}")
        compared.append(test)
    return compared


def _said(test: TestOutcome) -> str:
    return test.fault or "passes"


def _counts(outcomes: tuple[TestOutcome, ...] | list[TestOutcome]) -> dict[str, int]:
    failed = sum(bool(test.fault) for test in outcomes)
    return {"passed": len(outcomes) - failed, "failed": failed}


def _run(engine: NativeEngine, test: RegoTest) -> TestOutcome:
    started = time.perf_counter()
    try:
        answer = query(engine, test.rule)
        printed = engine.take_prints()
        fault = test.fault(answer, query(engine, test.cases_rule) if test.is_table else None)
        engine.take_prints()
    except RuntimeError as error:
        fault, printed = message_of(error), engine.take_prints()
    return TestOutcome(
        path=test.path,
        line=test.line,
        name=test.rule,
        seconds=time.perf_counter() - started,
        fault=fault,
        printed=tuple(dict.fromkeys(printed))[:MAX_PRINTED_LINES],
    )


def _lines(engine: NativeEngine, paths: set[str]) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """Covered and missed lines of each policy file."""
    report: dict[str, Any] = json.loads(engine.get_coverage_report_as_json())
    return {
        file["path"]: (tuple(file["covered"]), tuple(file["not_covered"]))
        for file in report["files"]
        if file["path"] in paths
    }


def _percent(covered: tuple[int, ...], missed: tuple[int, ...]) -> float:
    total = len(covered) + len(missed)
    return round(100.0 * len(covered) / total, 2) if total else 100.0
