"""What policy authors see of checks and tests: verdicts as OPA gives them, coverage, prints, JUnit."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from casewright.access.binaries import Absent, Binary, find
from casewright.access.checking import check
from casewright.access.junit import junit_xml
from casewright.access.opa_tools import opa_test
from casewright.access.testing import run_tests
from casewright.errors import PolicyError
from tests.unit.access.inputs import POLICIES, write_policies

RULES = """package casewright.x

import rego.v1

default a := 0

a := 1 if input.b

a := 2 if {
	input.c
	input.d
}
"""
RULE_FILE = "casewright/x/a.rego"
TEST_FILE = "casewright/x/a_test.rego"
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


def opa() -> Binary:
    found = find("opa")
    if isinstance(found, Absent):
        pytest.skip(found.why)
    return found


@pytest.mark.thorough
@pytest.mark.timeout(240)
@pytest.mark.proves("D7", "D9")
def test_verdicts_equal_those_of_opa_on_the_shipped_policies() -> None:
    opa()
    report = run_tests(POLICIES, engines="both")
    assert report.failed == ()
    assert report.engines["opa"] == report.engines["embedded"]
    assert set(opa_test(opa(), POLICIES)) == {outcome.name for outcome in report.outcomes}


@pytest.mark.proves("D7", "D9")
def test_verdicts_equal_those_of_opa_on_failing_tests(tmp_path: Path) -> None:
    tests = TESTS.replace("test_odd if count(5) == 1", "test_undefined if input.nothing")
    write_policies(tmp_path, {RULE_FILE: RULES, TEST_FILE: tests})
    failed = {failure.name for failure in run_tests(tmp_path).failed}
    assert {name for name, passed in opa_test(opa(), tmp_path).items() if not passed} == failed
    assert {failure.name for failure in run_tests(tmp_path, engines="opa").failed} == failed


@pytest.mark.proves("D8", "D9")
def test_a_verdict_that_opa_gives_otherwise_fails_and_says_so(tmp_path: Path) -> None:
    """A stand-in for an OPA that errs: it answers in OPA's format that every test failed."""
    write_policies(tmp_path / "policies", {RULE_FILE: RULES, TEST_FILE: TESTS})
    rows = [{"package": "data.casewright.x_test", "name": "test_one", "fail": True}]
    search = program(tmp_path / "bin", "opa", version="Version: 1.30.0", says={"test": json.dumps(rows)})
    report = run_tests(tmp_path / "policies", name_contains="test_one", engines="both", search=search)
    assert report.passed == 0
    assert report.failed[0].message == "engines differ: it fails on OPA; embedded: passes"
    unknown = run_tests(tmp_path / "policies", name_contains="test_zero", engines="both", search=search)
    assert unknown.failed[0].message == "engines differ: OPA does not know this test; embedded: passes"
    assert unknown.engines == {"embedded": {"passed": 1, "failed": 0}, "opa": {"passed": 0, "failed": 1}}


@pytest.mark.proves("D8")
def test_tests_on_opa_are_refused_where_there_is_none_or_an_old_one(tmp_path: Path) -> None:
    write_policies(tmp_path / "policies", {RULE_FILE: RULES, TEST_FILE: TESTS})
    old = program(tmp_path / "bin", "opa", version="Version: 1.2.0", says={})
    with pytest.raises(PolicyError, match=r"is version 1\.2; run scripts/get-opa"):
        run_tests(tmp_path / "policies", engines="opa", search=old)


@pytest.mark.proves("D8")
def test_what_a_test_and_its_rules_print_is_shown_with_it(tmp_path: Path) -> None:
    rules = RULES.replace("\tinput.c\n", '\tprint("c is", input.c)\n\tinput.c\n')
    tests = TESTS + '\ntest_prints if {\n\tprint("before")\n\tx.a == 3 with input as {"c": 5}\n}\n'
    write_policies(tmp_path, {RULE_FILE: rules, TEST_FILE: tests})
    failed = run_tests(tmp_path, name_contains="test_prints").failed[0]
    assert failed.printed == ("casewright/x/a_test.rego:31: before", "casewright/x/a.rego:10: c is 5")
    assert run_tests(tmp_path, name_contains="*x_test.test_o*").failed[0].printed == ()
    problems = check(tmp_path).problems
    assert [(problem.path, problem.line) for problem in problems][:1] == [(RULE_FILE, 10)]
    assert "'print' is for finding a mistake" in problems[0].message


@pytest.mark.proves("D7")
def test_a_table_may_compare_texts_before_it_names_its_case(tmp_path: Path) -> None:
    tests = TESTS.partition("test_one")[0] + (
        'test_table[name] if {\n\t"b" == "b"\n\tkind := `raw`\n\tsome name, wanted in {"raw": 1}\n'
        '\tkind == name\n\tx.a == wanted with input as {"b": true}\n}\n'
    )
    write_policies(tmp_path, {RULE_FILE: RULES, TEST_FILE: tests})
    assert run_tests(tmp_path).failed == ()
    write_policies(tmp_path, {TEST_FILE: tests.replace('"raw": 1', '"raw": 1, "other": 1')})
    assert run_tests(tmp_path).failed[0].message == "these cases do not hold: other"


@pytest.mark.proves("D8")
def test_the_report_as_junit_has_one_case_per_test_and_carries_any_text(tmp_path: Path) -> None:
    tests = TESTS + '\ntest_text if {\n\tprint("<&\\"\\u0007>")\n\tfalse\n}\n'
    write_policies(tmp_path, {RULE_FILE: RULES, TEST_FILE: tests})
    report = run_tests(tmp_path)
    suites = ElementTree.fromstring(junit_xml(report))
    cases = suites.findall("testsuite/testcase")
    assert (suites.get("tests"), suites.get("failures")) == ("8", str(len(report.failed))) == ("8", "5")
    assert [case.get("name") for case in cases if case.find("failure") is None] == [
        "test_one",
        "test_zero",
        "test_whole_table",
    ]
    printed = [node.text for case in cases for node in case.findall("system-out")]
    assert printed == ['casewright/x/a_test.rego:31: <&"\ufffd>']
    assert {case.get("file") for case in cases} == {TEST_FILE}


@pytest.mark.proves("D8")
def test_problems_of_opa_and_regal_come_with_file_and_line(tmp_path: Path) -> None:
    """Stand-ins for both programs, which answer in their formats."""
    folder = write_policies(tmp_path / "policies", {RULE_FILE: RULES, TEST_FILE: TESTS})
    place = {"file": str(folder / RULE_FILE), "row": 7, "col": 1}
    errors = {"errors": [{"message": "var y is unsafe", "code": "rego_unsafe_var_error", "location": place}]}
    style = {"violations": [{"title": "line-length", "description": "Line too long", "location": place | {"row": 3}}]}
    bin_folder = tmp_path / "bin"
    program(bin_folder, "regal", version="Version:    0.37.0", says={"lint": json.dumps(style)}, fails=True)
    search = program(bin_folder, "opa", version="Version: 1.30.0", says={"check": json.dumps(errors)}, fails=True)
    report = check(folder, search=search)
    assert not report.ok
    assert {(problem.path, problem.line, problem.message) for problem in report.problems} == {
        (RULE_FILE, 7, "var y is unsafe"),
        (RULE_FILE, 3, "line-length: Line too long"),
    }
    assert [(engine.engine, engine.version, engine.ran) for engine in report.engines] == [
        ("embedded", "", True),
        ("opa check", "1.30.0", True),
        ("opa fmt", "1.30.0", True),
        ("regal", "0.37.0", True),
    ]


@pytest.mark.proves("D8")
def test_what_did_not_run_is_named_with_the_reason(tmp_path: Path) -> None:
    folder = write_policies(tmp_path / "policies", {RULE_FILE: RULES, TEST_FILE: TESTS})
    search = program(tmp_path / "bin", "opa", version="Version: 1.2.0", says={})
    report = check(folder, search=search)
    assert report.ok
    assert [engine.ran for engine in report.engines] == [True, False, False, False]
    assert "is version 1.2" in report.engines[1].why_not


@pytest.mark.proves("D8", "D9")
def test_a_real_opa_finds_what_is_unsafe_or_unformatted(tmp_path: Path) -> None:
    opa()
    write_policies(tmp_path, {RULE_FILE: RULES.replace("default a := 0", "default  a := 0")})
    found = [(problem.path, problem.line) for problem in check(tmp_path).problems]
    assert found == [(RULE_FILE, 5)]
    write_policies(tmp_path, {RULE_FILE: RULES + "\n_b if {\n\tinput.c == y\n}\n"})
    assert (RULE_FILE, 15) in [(problem.path, problem.line) for problem in check(tmp_path).problems]


def program(folder: Path, name: str, *, version: str, says: dict[str, str], fails: bool = False) -> str:
    """A program that answers its subcommands with fixed text; the folder, to be searched first."""
    folder.mkdir(exist_ok=True)
    cases = "".join(
        f"  {command}) cat <<'END'\n{text}\nEND\n  exit {int(fails)} ;;\n" for command, text in says.items()
    )
    file = folder / name
    file.write_text(f'#!/bin/sh\ncase "$1" in\n  version) echo "{version}" ;;\n{cases}esac\n')
    file.chmod(0o755)
    return os.pathsep.join([str(folder), os.environ["PATH"]])
