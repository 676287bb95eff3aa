"""What policy authors see: tests with coverage as OPA reports them, and explanations."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from casewright.access.authoring import explain, run_tests
from casewright.contracts.decision import Allowed, Denied
from casewright.errors import PolicyError
from tests.unit.access.inputs import POLICIES, READ_CASE, changed, shipped_engine, write_policies

RULES = """package casewright.x

import rego.v1

default a := 0

a := 1 if input.b

a := 2 if {
	input.c
	input.d
}
"""
TESTS = """package casewright.x_test

import rego.v1

import data.casewright.x

test_one if data.casewright.x.a == 1 with input as {"b": true}

test_zero if {
	data.casewright.x.a == 0 with input as {}
}

test_wrong if data.casewright.x.a == 3 with input as {"b": true}

test_false := false

test_odd if count(5) == 1

test_table[name] if {
	some name, row in {"one": [true, 1], "none": [false, 0], "wrong": [true, 7]}
	x.a == row[1] with input as {"b": row[0]}
}

test_whole_table[name] if {
	rows := {"one": [true, 1], "none": [false, 0]}
	some name, row in rows
	x.a == row[1] with input as {"b": row[0]}
}
"""


@pytest.mark.proves("D7")
def test_failing_tests_are_named_and_lines_no_test_reached_are_listed(tmp_path: Path) -> None:
    write_policies(tmp_path, {"casewright/x/a.rego": RULES, "casewright/x/a_test.rego": TESTS})
    report = run_tests(tmp_path)
    assert report.passed == 3
    assert "these cases do not hold: wrong" in [failure.message for failure in report.failed]
    failed = {failure.name: (failure.path, failure.line) for failure in report.failed}
    assert failed == {
        "casewright.x_test.test_wrong": ("casewright/x/a_test.rego", 13),
        "casewright.x_test.test_false": ("casewright/x/a_test.rego", 15),
        "casewright.x_test.test_odd": ("casewright/x/a_test.rego", 17),
        "casewright.x_test.test_table": ("casewright/x/a_test.rego", 19),
    }
    assert report.uncovered == {"casewright/x/a.rego": (9, 11)}
    assert report.coverage["casewright/x/a.rego"] < 100
    assert run_tests(tmp_path, name_contains="_zero").passed == 1
    with pytest.raises(PolicyError, match="no test in"):
        run_tests(tmp_path, name_contains="nothing")


@pytest.mark.proves("D7")
def test_tests_of_broken_policies_do_not_run(tmp_path: Path) -> None:
    write_policies(tmp_path, {"casewright/x/a.rego": RULES + "x := y\n", "casewright/x/a_test.rego": TESTS + "{"})
    with pytest.raises(PolicyError, match=r"a_test.rego:\d+"):
        run_tests(tmp_path)


@pytest.mark.proves("D1")
def test_the_tests_of_the_access_policies_pass_and_reach_every_line() -> None:
    report = run_tests(POLICIES, name_contains="casewright.access_test.")
    assert report.failed == ()
    assert report.passed >= 30
    covered = {path: percent for path, percent in report.coverage.items() if path.startswith("casewright/access/")}
    assert len(covered) >= 9
    assert set(covered.values()) == {100.0}


def opa() -> str:
    found = shutil.which("opa")
    if found is None:
        pytest.skip("no opa binary on PATH; the comparison with OPA needs one")
    return found


def opa_verdicts(folder: Path) -> dict[str, bool]:
    command = [opa(), "test", "-b", str(folder), "--format", "json", "--timeout", "60s"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    results = json.loads(done.stdout)
    return {f"{row['package'].removeprefix('data.')}.{row['name']}": not row.get("fail", False) for row in results}


@pytest.mark.proves("D7")
def test_verdicts_equal_those_of_opa_on_the_shipped_policies() -> None:
    theirs = opa_verdicts(POLICIES)
    report = run_tests(POLICIES)
    ours = dict.fromkeys(theirs, True) | {failure.name: False for failure in report.failed}
    assert ours == theirs
    assert report.passed + len(report.failed) == len(theirs)


@pytest.mark.proves("D7")
def test_verdicts_equal_those_of_opa_on_failing_tests(tmp_path: Path) -> None:
    tests = TESTS.replace("test_odd if count(5) == 1", "test_undefined if input.nothing")
    write_policies(tmp_path, {"casewright/x/a.rego": RULES, "casewright/x/a_test.rego": tests})
    failed = {failure.name for failure in run_tests(tmp_path).failed}
    assert {name for name, passed in opa_verdicts(tmp_path).items() if not passed} == failed


@pytest.mark.proves("D4")
def test_an_explanation_shows_every_rule_that_spoke() -> None:
    document = changed(changed(READ_CASE, "context", budgets={"tool_calls": 5000, "steps": 0}), "resource", exists=False)
    explanation = explain(shipped_engine(), document)
    assert isinstance(explanation.verdict, Denied)
    assert [reason.code for reason in explanation.denying] == ["absent", "budget_spent"]
    assert [reason.code for reason in explanation.allowing] == ["assigned"]
    assert explanation.problems == ()
    assert isinstance(explain(shipped_engine(), READ_CASE).verdict, Allowed)


@pytest.mark.proves("D4")
def test_an_explanation_of_a_malformed_input_names_what_is_wrong() -> None:
    document = changed(READ_CASE, "principal", clearance="top", admin=True)
    explanation = explain(shipped_engine(), document)
    assert isinstance(explanation.verdict, Denied)
    assert explanation.verdict.code == "input_invalid"
    assert explanation.problems == ("principal", "principal.clearance")
    assert isinstance(explain(shipped_engine(), {}).verdict, Denied)
    assert isinstance(explain(shipped_engine(), {"a": 0.5, "b": {1, 2}}).verdict, Denied)
