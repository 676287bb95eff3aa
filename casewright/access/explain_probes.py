"""Takes rules apart so that an engine can say at which condition each one stops.

For every definition of a rule a small module is written in memory, in the same package, so that it
sees the same private helpers: one copy under another name (what it yields), one rule per prefix of
its body (how far it gets), one per body without a condition (whether that one alone was in the way)
and one per operand (what the condition compared). It is deliberately *not* part of a bundle; only
`explain` loads it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from casewright.access.bundle import PolicyModule
from casewright.access.lint import BUILTINS
from casewright.access.syntax import Node, Rule, RuleKind, Syntax, text_of, walk

_PROBED: tuple[RuleKind, ...] = ("set", "complete")
_GLOBALS = frozenset({"input", "data"}) | {name.partition(".")[0] for name in BUILTINS}
_REFERENCES = ("Var", "RefDot", "RefBrack")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One statement of a rule's body."""

    text: str
    line: int
    names: frozenset[str]
    """Local variables in it."""
    declares: bool
    """`some x`: it binds nothing and cannot fail."""
    operands: tuple[str, ...]
    """References in it, as they are written."""
    negated: bool


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One definition of a rule, and the module that takes it apart."""

    rule: str
    """The rule's name, such as `deny`."""
    code: str
    """The constant code, or kind of obligation, in its head; empty where it is computed."""
    path: str
    line: int
    conditions: tuple[Condition, ...]
    name: str
    """Beginning of the names of its probe rules."""
    module: PolicyModule
    """Defines `NAME_yields` (of a set), and `NAME_seen` with `["prefix", k]`, `["without", k]` and
    `["value", k, operand, value]`."""


def probes(modules: Sequence[Syntax], package: tuple[str, ...]) -> tuple[Probe, ...]:
    """Probes for every definition in a package that is a set or a value and has exactly one body."""
    own = {rule.name for syntax in modules if syntax.package == package for rule in syntax.rules}
    found: list[Probe] = []
    for syntax in modules:
        if syntax.package != package or syntax.module.is_test:
            continue
        known = own | set(syntax.imports) | _GLOBALS
        found += [
            _probe(syntax, rule, known, f"_probe_{len(found) + number}")
            for number, rule in enumerate(
                rule for rule in syntax.rules if rule.kind in _PROBED and len(rule.node["bodies"]) == 1
            )
        ]
    return tuple(found)


def _probe(syntax: Syntax, rule: Rule, known: set[str], name: str) -> Probe:
    source = syntax.module.text.encode()
    statements: list[Node] = rule.node["bodies"][0]["query"]["stmts"]
    conditions = tuple(_condition(source, statement, known) for statement in statements)
    lines = [*_header(syntax), *_seen(f"{name}_seen", conditions)]
    if rule.kind == "set":
        lines.append(_renamed(source, rule, f"{name}_yields"))
    return Probe(
        rule=rule.name,
        code=_code(rule),
        path=syntax.module.path,
        line=rule.line,
        conditions=conditions,
        name=name,
        module=PolicyModule(path=f"explain/{name}.rego", text="\n".join(lines) + "\n"),
    )


def _header(syntax: Syntax) -> Iterator[str]:
    yield f"package {'.'.join(syntax.package)}"
    yield from (f"import {keyword}" for keyword in sorted(syntax.keywords | {"rego.v1"}))
    yield from (f"import {'.'.join(path)} as {name}" for name, path in syntax.imports.items())


def _renamed(source: bytes, rule: Rule, name: str) -> str:
    """The definition as it stands, under another name."""
    whole = rule.node["span"]
    head = rule.node["head"]["Set"]["refr"]["Var"]["span"]
    return name + text_of(source, {"start": head["end"], "end": whole["end"]})


def _seen(name: str, conditions: Sequence[Condition]) -> Iterator[str]:
    texts = [condition.text for condition in conditions]
    for index, condition in enumerate(conditions):
        yield _rule(name, f'["prefix", {index}]', texts[: index + 1])
        if condition.declares or _needed_later(conditions, index):
            continue
        rest = [*texts[:index], *texts[index + 1 :]]
        yield _rule(name, f'["without", {index}]', rest or ["true"])
        bound = _union(other.names for other in (*conditions[:index], *conditions[index + 1 :]))
        for operand, text in enumerate(condition.operands):
            if condition.names & words(text) <= bound:
                head = f'["value", {index}, {operand}, _probe_value]'
                yield _rule(name, head, [*rest, f"_probe_value := {text}"])


def _needed_later(conditions: Sequence[Condition], index: int) -> bool:
    """Whether it is the first to name a variable that others go on to use."""
    earlier = _union(other.names for other in conditions[:index] if not other.declares)
    later = _union(other.names for other in conditions[index + 1 :])
    return bool((conditions[index].names - earlier) & later)


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _rule(name: str, entry: str, body: Sequence[str]) -> str:
    return f"{name} contains {entry} if {{\n" + "\n".join(body) + "\n}"


def _condition(source: bytes, statement: Node, known: set[str]) -> Condition:
    literal: Node = statement["literal"]
    return Condition(
        text=text_of(source, statement["span"]),
        line=int(statement["span"]["line"]),
        names=frozenset(_names(source, literal)) - known,
        declares="SomeVars" in literal,
        operands=tuple(dict.fromkeys(_operands(source, literal))),
        negated="NotExpr" in literal,
    )


def _names(source: bytes, literal: Node) -> Iterator[str]:
    for key, node in walk(literal):
        if key == "Var":
            yield node["value"]
        elif key == "vars":
            yield from (text_of(source, span) for span in node)


def _operands(source: bytes, literal: Node) -> Iterator[str]:
    """Whole references, without the names of functions and without what comprehensions bind."""
    pending: list[Node] = [literal]
    while pending:
        node = pending.pop(0)
        if isinstance(node, list):
            pending.extend(cast("list[Node]", node))
        elif isinstance(node, dict):
            fields = cast("dict[str, Node]", node)
            form = next((form for form in _REFERENCES if form in fields), "")
            if form:
                yield text_of(source, fields[form]["span"])
            elif "Call" in fields:
                pending.extend(fields["Call"]["params"])
            elif not any(key.endswith("Compr") or key == "Every" for key in fields):
                pending.extend(fields.values())


def words(text: str) -> frozenset[str]:
    """The names in a reference as it is written."""
    return frozenset(re.findall(r"\w+", text))


def _code(rule: Rule) -> str:
    """The first text of the head, or the `kind` that an object in the rule names."""
    for key, node in walk(rule.node):
        if key == "fields":
            for _, name, value in node:
                if "String" in name and name["String"]["value"] in ("kind", "code") and "String" in value:
                    return str(value["String"]["value"])
    head = rule.node["head"].get("Set", {}).get("key")
    texts = [node for key, node in walk({"": head}) if key == "String"]
    return min(((int(node["span"]["start"]), str(node["value"])) for node in texts), default=(0, ""))[1]
