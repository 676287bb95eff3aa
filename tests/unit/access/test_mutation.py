"""Mutants are made where they should be, and the tests of a package are what notices them."""

import json
from pathlib import Path

import pytest

from casewright.access.bundle import PolicyModule
from casewright.access.mutants import mutants_of
from casewright.access.mutation import EQUIVALENTS, mutate
from casewright.access.syntax import parse
from casewright.errors import PolicyError
from tests.unit.access.inputs import write_policies

RULES = """package demo.door

import future.keywords.not
import rego.v1

default open := false

open if {
	input.hour >= 9
	not input.day in {"sunday"}
}

deny contains _reason("late", sprintf("closed at %d", [18])) if input.hour > 18

_reason(code, message) := {"code": code, "message": message}
"""
TESTS = """package demo.door_test

import rego.v1

import data.demo.door

test_opens_at_nine if door.open with input as {"hour": 9, "day": "monday"}

test_is_closed_before if door.open == false with input as {"hour": 8, "day": "monday"}

test_is_closed_on_sundays if door.open == false with input as {"hour": 9, "day": "sunday"}

test_late_is_said if {
	{reason.code | some reason in door.deny} == {"late"} with input as {"hour": 19}
}
"""
LATE_AT_SIX = '\ntest_six_is_not_late if door.deny == set() with input as {"hour": 18}\n'


def folder(at: Path, tests: str = TESTS) -> Path:
    return write_policies(at, {"demo/door/door.rego": RULES, "demo/door/door_test.rego": tests})


def test_every_kind_of_mistake_is_made_and_wording_is_left_alone() -> None:
    made = mutants_of(parse(PolicyModule(path="demo/door/door.rego", text=RULES)))
    changes = {(mutant.line, mutant.operator, mutant.before, mutant.after) for mutant in made}
    assert changes >= {
        (6, "swap constant", "false", "true"),
        (9, "swap operator", ">=", ">"),
        (9, "swap constant", "9", "10"),
        (9, "negate", "input.hour >= 9", "not input.hour >= 9"),
        (9, "drop condition", "input.hour >= 9", "true"),
        (10, "negate", 'not input.day in {"sunday"}', 'input.day in {"sunday"}'),
        (10, "swap constant", "sunday", "sunday_"),
        (13, "swap constant", "late", "late_"),
        (13, "swap operator", ">", ">="),
    }
    assert {mutant.operator for mutant in made if mutant.line in (8, 13)} >= {"drop rule"}
    assert not any("closed at" in before for _, operator, before, _ in changes if operator == "swap constant")


def test_a_mutant_keeps_the_lines_of_what_follows() -> None:
    for mutant in mutants_of(parse(PolicyModule(path="demo/door/door.rego", text=RULES))):
        changed = mutant.applied(RULES)
        assert changed != RULES
        assert changed.count("\n") == RULES.count("\n")


@pytest.mark.proves("D8")
def test_a_mistake_that_no_test_notices_is_named_with_file_and_line(tmp_path: Path) -> None:
    report = mutate(folder(tmp_path), processes=1)
    found = {(mutant.path, mutant.line, mutant.before, mutant.after) for mutant in report.survivors}
    assert ("demo/door/door.rego", 13, ">", ">=") in found
    assert ("demo/door/door.rego", 13, "late", "late_") not in found
    assert report.killed == report.total - len(found)
    assert 0 < report.percent < 100
    better = mutate(folder(tmp_path, TESTS + LATE_AT_SIX), processes=2)
    assert ">=" not in {mutant.after for mutant in better.survivors}
    assert better.percent > report.percent


def test_an_equivalent_mutant_counts_no_more_and_a_stale_entry_is_told(tmp_path: Path) -> None:
    entry = {
        "path": "demo/door/door.rego",
        "rule": "deny",
        "operator": "swap operator",
        "before": ">",
        "after": ">=",
        "reason": "for this test",
    }
    (folder(tmp_path) / EQUIVALENTS).write_text(json.dumps([entry, entry | {"rule": "open"}]))
    report = mutate(tmp_path, processes=1)
    assert report.equivalent == 1
    assert ">=" not in {mutant.after for mutant in report.survivors}
    assert report.stale == ("demo/door/door.rego: open: swap operator '>'",)


def test_an_equivalent_mutant_needs_a_reason(tmp_path: Path) -> None:
    (folder(tmp_path) / EQUIVALENTS).write_text(json.dumps([{"path": "x"}]))
    with pytest.raises(PolicyError, match="a reason"):
        mutate(tmp_path, processes=1, sample=1)


def test_a_sample_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = (mutate(folder(tmp_path), sample=5, processes=1) for _ in range(2))
    assert first.total + first.unusable == 5
    assert first.survivors == second.survivors


def test_tests_that_fail_without_a_mutant_prove_nothing(tmp_path: Path) -> None:
    broken = TESTS + "\ntest_never if false\n"
    with pytest.raises(PolicyError, match="test_never fails without any mutant"):
        mutate(folder(tmp_path, broken), processes=1)


def test_a_package_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"no package 'demo\.window'; there are demo\.door"):
        mutate(folder(tmp_path), package="demo.window")
