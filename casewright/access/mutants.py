"""Small wrong changes of Rego modules, made from the syntax tree by rewriting the source.

A mutant negates or drops one condition, swaps one constant or operator, or drops one rule or one
`else`. Wording is left alone: format strings, and the message of a reason. It is deliberately *not*
the judge of a mutant; `mutation` runs the tests on each.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from casewright.access.syntax import Node, Rule, Syntax, reference, walk

Operator = Literal["negate", "drop condition", "swap operator", "swap constant", "drop rule", "drop else"]
_COMPARISONS = {b"==": b"!=", b"!=": b"==", b"<": b"<=", b"<=": b"<", b">": b">=", b">=": b">"}
_ARITHMETIC = {b"+": b"-", b"-": b"+", b"*": b"+", b"/": b"*", b"%": b"+"}
_COMPARISON = re.compile(rb"==|!=|<=|>=|<|>")
_ARITHMETIC_SIGN = re.compile(rb"[-+*/%]")
_QUOTES = (b'"', b"`")
_WORDING = {"sprintf": 0, "_reason": 1}
"""Function to the place of its argument that is only wording."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One wrong change of one module."""

    path: str
    line: int
    rule: str
    operator: Operator
    before: str
    """The text that is changed, on one line."""
    after: str
    start: int
    end: int
    replacement: bytes

    def applied(self, text: str) -> str:
        """The module's text with the change; later lines keep their numbers."""
        source = text.encode()
        lost = source[self.start : self.end].count(b"\n") - self.replacement.count(b"\n")
        return (source[: self.start] + self.replacement + b"\n" * lost + source[self.end :]).decode()

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What names it while lines move: path, rule, operator, before, after."""
        return self.path, self.rule, self.operator, self.before, self.after


@dataclass(frozen=True, kw_only=True)
class _Change:
    operator: Operator
    start: int
    end: int
    replacement: bytes


def mutants_of(syntax: Syntax) -> tuple[Mutant, ...]:
    """All mutants of one module, in order of place. Some may not be loadable."""
    source = syntax.module.text.encode()
    found: dict[tuple[int, int, bytes], Mutant] = {}
    for rule in syntax.rules:
        for change in _changes(source, rule):
            place = change.start, change.end, change.replacement
            found.setdefault(place, _mutant(syntax, rule, source, change))
    return tuple(found[place] for place in sorted(found))


def _mutant(syntax: Syntax, rule: Rule, source: bytes, change: _Change) -> Mutant:
    return Mutant(
        path=syntax.module.path,
        line=source[: change.start].count(b"\n") + 1,
        rule=rule.name,
        operator=change.operator,
        before=_one_line(source[change.start : change.end]),
        after=_one_line(change.replacement),
        start=change.start,
        end=change.end,
        replacement=change.replacement,
    )


def _changes(source: bytes, rule: Rule) -> Iterator[_Change]:
    yield from _dropped(source, rule)
    wording = _wording(rule.node)
    for key, node in walk({"": rule.node}):
        match key:
            case "stmts":
                for statement in cast("Sequence[Node]", node):
                    yield from _of_statement(source, statement)
            case "BoolExpr":
                yield from _of_operator(source, node, _COMPARISON, _COMPARISONS)
            case "ArithExpr":
                yield from _of_operator(source, node, _ARITHMETIC_SIGN, _ARITHMETIC)
            case "String" | "RawString" | "Number" | "Bool" | "True" | "False":
                if (node["span"]["start"], node["span"]["end"]) not in wording:
                    yield from _of_constant(source, node)
            case _:
                continue


def _dropped(source: bytes, rule: Rule) -> Iterator[_Change]:
    if rule.kind == "default":
        return
    start, end = _whole(source, rule.node)
    yield _Change(operator="drop rule", start=start, end=end, replacement=b"")
    for body in rule.node["bodies"]:
        if body["is_else"]:
            start, end = _whole(source, body)
            yield _Change(operator="drop else", start=start, end=end, replacement=b"")


def _of_statement(source: bytes, statement: Node) -> Iterator[_Change]:
    literal, (start, end) = statement["literal"], _whole(source, statement)
    if "SomeVars" in literal:
        return
    yield _Change(operator="drop condition", start=start, end=end, replacement=b"true")
    if "NotExpr" in literal:
        bare = source[start:end].removeprefix(b"not").lstrip()
        yield _Change(operator="negate", start=start, end=end, replacement=bare)
    elif "Expr" in literal and not _assigns(literal["Expr"]["expr"]):
        yield _Change(operator="negate", start=start, end=end, replacement=b"not " + source[start:end])


def _assigns(expression: Node) -> bool:
    return "AssignExpr" in expression


def _of_operator(source: bytes, node: Node, sign: re.Pattern[bytes], swaps: dict[bytes, bytes]) -> Iterator[_Change]:
    """The operator stands between the two operands; spans of texts leave their quotes out."""
    begin, end = _place(node["lhs"])[1], _place(node["rhs"])[0]
    found = sign.search(source, begin, end)
    if found and found.group() in swaps:
        swapped = swaps[found.group()]
        yield _Change(operator="swap operator", start=found.start(), end=found.end(), replacement=swapped)


def _of_constant(source: bytes, node: Node) -> Iterator[_Change]:
    start, end = _place(node)
    text, value = source[start:end], node.get("value")
    if isinstance(value, bool):
        changed = b"false" if value else b"true"
    elif isinstance(value, int):
        changed = str(value + 1).encode()
    elif isinstance(value, str):
        changed = text + b"_"
    else:
        return
    yield _Change(operator="swap constant", start=start, end=end, replacement=changed)


def _wording(node: Node) -> set[tuple[int, int]]:
    """Places of the constants that are only wording."""
    found: set[tuple[int, int]] = set()
    for key, call in walk({"": node}):
        place = _WORDING.get(".".join(reference(call["fcn"]))) if key == "Call" else None
        if place is not None and place < len(call["params"]) and "String" in call["params"][place]:
            found.add(_place(call["params"][place]["String"]))
    return found


def _place(node: Node) -> tuple[int, int]:
    """Where a node stands: its own span, or that of the one form inside it."""
    if "span" not in node:
        node = next(iter(node.values()))
    return node["span"]["start"], node["span"]["end"]


def _whole(source: bytes, node: Node) -> tuple[int, int]:
    """Where a node stands with the quotes of a text at its edges, which spans leave out."""
    start, end = _place(node)
    return start - (source[start - 1 : start] in _QUOTES), end + (source[end : end + 1] in _QUOTES)


def _one_line(text: bytes) -> str:
    return " ".join(text.decode().split())
