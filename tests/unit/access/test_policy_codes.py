"""Every rule that allows or denies has a code, a title, a description and a test that expects it."""

import re
from collections.abc import Iterator

import pytest

from casewright.access.annotations import annotation_above
from casewright.access.bundle import read_bundle
from casewright.access.syntax import Rule, Syntax, parse
from tests.unit.access.inputs import POLICIES

CODE = re.compile(r'_reason\("(?P<code>[a-z_]+)"')


def speaking() -> Iterator[tuple[Syntax, Rule]]:
    """Every definition of `allow` and `deny` of the access policy."""
    for module in read_bundle(POLICIES).modules:
        if module.path.startswith("casewright/access/"):
            syntax = parse(module)
            yield from ((syntax, rule) for rule in syntax.rules if rule.name in ("allow", "deny"))


def code_of(syntax: Syntax, rule: Rule) -> str:
    found = CODE.search(syntax.module.text.splitlines()[rule.line - 1])
    return found["code"] if found else ""


@pytest.mark.proves("D8")
def test_every_rule_that_speaks_has_a_code_a_title_and_a_description() -> None:
    rules = list(speaking())
    assert len(rules) > 30
    for syntax, rule in rules:
        said = annotation_above(syntax.module.text, rule.line)
        assert code_of(syntax, rule), f"{syntax.module.path}:{rule.line} has no constant code"
        assert said.title, f"{syntax.module.path}:{rule.line} has no title"
        assert said.description, f"{syntax.module.path}:{rule.line} has no description"


@pytest.mark.proves("D8")
def test_every_code_is_expected_by_a_test_of_the_policies() -> None:
    tests = [module.text for module in read_bundle(POLICIES).tests if module.path.startswith("casewright/access/")]
    codes = {code_of(syntax, rule) for syntax, rule in speaking()} | {"no_rule_allows", "input_malformed"}
    assert [code for code in sorted(codes) if not any(f'"{code}"' in text for text in tests)] == []
    named = {code for text in tests for code in re.findall(r'"code": "([a-z_]+)", "change"', text)}
    assert named <= codes
