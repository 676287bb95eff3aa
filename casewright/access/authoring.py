"""For those who write policies: check a folder, run its tests, explain one decision.

Everything runs on the embedded engine, so no OPA binary is needed; verdicts equal `opa test`.
The command line and the playground call this. It is deliberately *not* used at decision time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from casewright.access.bundle import read_bundle
from casewright.access.decide import PACKAGE, decide
from casewright.access.embedded import build, query
from casewright.access.engine import PolicyEngine
from casewright.access.native import NativeEngine, message_of
from casewright.access.rego_tests import RegoTest, prepare
from casewright.access.syntax import Problem
from casewright.access.warmup import inspect, vet
from casewright.contracts.decision import DecisionInput, Denied, Reason, Verdict
from casewright.errors import PolicyError


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """Whether a folder could be put in force."""

    ok: bool
    problems: tuple[Problem, ...]
    revision: str
    """Empty when the folder could not be read."""


@dataclass(frozen=True, kw_only=True)
class FailedTest:
    """A test that is not true, and where it stands."""

    path: str
    line: int
    name: str
    """`package.test_name`."""
    message: str


@dataclass(frozen=True, kw_only=True)
class TestReport:
    """What the tests of a folder said, and which lines they reached."""

    __test__ = False  # for pytest, which takes the name for its own

    passed: int
    failed: tuple[FailedTest, ...]
    coverage: Mapping[str, float]
    """Per policy file: percent of its lines that the tests evaluated."""
    uncovered: Mapping[str, tuple[int, ...]]
    """Per policy file: lines that no test evaluated."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A verdict and every rule that spoke, also those that did not decide."""

    verdict: Verdict
    allowing: tuple[Reason, ...]
    denying: tuple[Reason, ...]
    problems: tuple[str, ...]
    """Paths of the input that are missing, odd or unknown."""


def check(folder: Path) -> CheckReport:
    """Parse, lint (tests as well) and warm up a folder, without putting it in force."""
    try:
        bundle = read_bundle(folder)
    except PolicyError as error:
        return CheckReport(ok=False, problems=(_problem(str(folder), error),), revision="")
    _, problems = inspect(bundle, with_tests=True)
    if not problems:
        try:
            vet(bundle)
        except PolicyError as error:
            problems = (_problem(str(folder), error),)
    return CheckReport(ok=not problems, problems=problems, revision=bundle.revision)


def run_tests(folder: Path, *, name_contains: str = "") -> TestReport:
    """Evaluate every `test_` rule; a test passes when it is exactly true.

    Raises:
        PolicyError: the folder does not pass `check`, or holds no test of that name.
    """
    bundle = read_bundle(folder)
    modules, problems = inspect(bundle, with_tests=True)
    if problems:
        first = problems[0]
        raise PolicyError(
            f"{first.path}:{first.line}: {first.message}; {len(problems)} problems, run `casewright policy check`"
        )
    prepared, found = prepare(modules)
    tests = [test for test in found if name_contains in test.rule]
    if not tests:
        raise PolicyError(
            f"no test in {str(folder)!r} has {name_contains!r} in its name; tests are rules 'test_...' in *_test.rego"
        )
    engine = build(replace(bundle, modules=prepared))
    engine.set_enable_coverage(True)
    failed = [failure for test in tests if (failure := _run(engine, test))]
    lines = _lines(engine, {module.path for module in bundle.modules})
    return TestReport(
        passed=len(tests) - len(failed),
        failed=tuple(failed),
        coverage={path: _percent(covered, missed) for path, (covered, missed) in lines.items()},
        uncovered={path: missed for path, (_, missed) in lines.items()},
    )


def explain(engine: PolicyEngine, document: Mapping[str, object]) -> Explanation:
    """Decide on a raw input document and show what every rule said about it."""
    try:
        verdict = decide(engine, DecisionInput.model_validate_json(json.dumps(document), strict=True))
    except (ValidationError, ValueError, TypeError) as error:
        verdict = Denied(code="input_invalid", detail=str(error), revision=engine.revision)
    return Explanation(
        verdict=verdict,
        allowing=_reasons(engine, "allow", document),
        denying=_reasons(engine, "deny", document),
        problems=tuple(str(path) for path in _entries(engine, "problems", document)),
    )


def _reasons(engine: PolicyEngine, rule: str, document: Mapping[str, object]) -> tuple[Reason, ...]:
    return tuple(Reason.model_validate(entry) for entry in _entries(engine, rule, document))


def _entries(engine: PolicyEngine, rule: str, document: Mapping[str, object]) -> list[object]:
    """A rule may fail on a malformed document; the verdict is then a deny and says so."""
    try:
        answer = engine.evaluate(f"{PACKAGE}.{rule}", document)
    except PolicyError:
        return []
    return list(answer) if isinstance(answer, list) else []  # pyright: ignore[reportUnknownArgumentType]


def _problem(path: str, error: PolicyError) -> Problem:
    return Problem(path=path, line=0, message=str(error))


def _run(engine: NativeEngine, test: RegoTest) -> FailedTest | None:
    try:
        fault = test.fault(query(engine, test.rule), query(engine, test.cases_rule) if test.is_table else None)
    except RuntimeError as error:
        fault = message_of(error)
    return FailedTest(path=test.path, line=test.line, name=test.rule, message=fault) if fault else None


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
