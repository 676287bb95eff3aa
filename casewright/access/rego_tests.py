"""Finds the tests in Rego modules and prepares the modules so that regorus answers them as OPA does.

Two differences are evened out, for tests alone: regorus does not apply `with` through an imported
name, so imported names are written out; and it cannot say which cases of a table did not hold,
so a rule that lists all cases is added below each table. Line numbers stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from casewright.access.bundle import PolicyModule
from casewright.access.native import UNDEFINED
from casewright.access.syntax import Node, Rule, Syntax, parse, text_of, walk

_CASES = "_cases_of_"


@dataclass(frozen=True, kw_only=True)
class RegoTest:
    """One `test_` rule, or one table of cases `test_name[case]`."""

    path: str
    line: int
    package: str
    name: str
    is_table: bool

    @property
    def rule(self) -> str:
        return f"{self.package}.{self.name}"

    @property
    def cases_rule(self) -> str:
        """The added rule that lists the cases of a table."""
        return f"{self.package}.{_CASES}{self.name}"

    def fault(self, answer: object, cases: object) -> str:
        """What is wrong with an answer; empty when the test passed."""
        if answer == UNDEFINED:
            return "the test is undefined, not true"
        if not self.is_table:
            return "" if answer is True else f"the test is {answer!r}, not true"
        held = cast("dict[str, object]", answer) if isinstance(answer, dict) else {}
        listed = cast("list[object]", cases) if isinstance(cases, list) else []
        if not listed:
            return "the table has no cases"
        missing = [str(case) for case in listed if held.get(str(case)) is not True]
        return f"these cases do not hold: {', '.join(missing)}" if missing else ""


def prepare(modules: Sequence[Syntax]) -> tuple[tuple[PolicyModule, ...], tuple[RegoTest, ...]]:
    """The modules to load, and the tests in them."""
    prepared: list[PolicyModule] = []
    tests: dict[str, RegoTest] = {}
    for syntax in map(_written_out, modules):
        added: list[str] = []
        for rule in syntax.rules if syntax.module.is_test else ():
            if not rule.name.startswith("test_"):
                continue
            test = RegoTest(
                path=syntax.module.path,
                line=rule.line,
                package=".".join(syntax.package),
                name=rule.name,
                is_table=rule.kind == "object",
            )
            tests.setdefault(test.rule, test)
            if test.is_table:
                added.append(_case_list(syntax, rule))
        text = "\n".join([syntax.module.text, *added, ""]) if added else syntax.module.text
        prepared.append(replace(syntax.module, text=text))
    return tuple(prepared), tuple(tests.values())


def _written_out(syntax: Syntax) -> Syntax:
    """The module with `imported.name` written as `data.package.name`."""
    imported = {name: ".".join(path) for name, path in syntax.imports.items() if path[0] == "data"}
    if not imported:
        return syntax
    source = syntax.module.text.encode()
    places = {
        (node["span"]["start"], node["value"])
        for rule in syntax.rules
        for key, node in walk(rule.node)
        if key == "Var" and node["value"] in imported
    }
    for start, name in sorted(places, reverse=True):
        end = start + len(name)
        if source[start:end] == name.encode():
            source = source[:start] + imported[name].encode() + source[end:]
    return parse(replace(syntax.module, text=source.decode()))


def _case_list(syntax: Syntax, rule: Rule) -> str:
    """A rule that holds every case of a table: its statements up to the one that binds the case."""
    head: Node = rule.node["head"]["Compr"]["refr"]["RefBrack"]
    key: str = head["index"]["Var"]["value"] if "Var" in head["index"] and "Var" in head["refr"] else ""
    source = syntax.module.text.encode()
    for body in rule.node["bodies"]:
        kept: list[str] = []
        for statement in body["query"]["stmts"]:
            kept.append(text_of(source, statement["span"]))
            if key and _binds(statement["literal"], key):
                return f"{_CASES}{rule.name} contains {key} if {{\n" + "\n".join(kept) + "\n}"
    return f"{_CASES}{rule.name} := []"


def _binds(literal: Node, name: str) -> bool:
    if "SomeVars" in literal:
        return False
    return any(key == "Var" and node["value"] == name for key, node in walk(literal))
