"""The syntax tree of Rego modules as regorus prints it, reduced to what a linter asks.

It is deliberately *not* an interpreter: names are resolved without scopes, so a local variable
that carries a rule's name counts as a use of the rule.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from casewright.access.bundle import PolicyModule
from casewright.access.native import message_of, new_engine

Node = Any
"""JSON of unknown shape, straight from the parser."""
RuleKind = Literal["default", "complete", "set", "object", "function"]
Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One finding, with where it is."""

    path: str
    line: int
    message: str


class RegoSyntaxError(Exception):
    """The parser refused a module; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One definition of a rule; several may share a name."""

    name: str
    kind: RuleKind
    line: int
    node: Node

    content: Node
    """Everything of it but its name."""

    @property
    def is_constant(self) -> bool:
        """No body and nothing in its value that could be undefined."""
        return not self.node["bodies"] and not any(key in _OPEN for key, _ in walk(self.content))


@dataclass(frozen=True, kw_only=True)
class Syntax:
    """One parsed module."""

    module: PolicyModule
    package: Path
    imports: dict[str, Path]
    """Name in this module to what it stands for; keyword imports are left out."""
    keywords: frozenset[str]
    """`rego.v1`, `future.keywords.not` and the like."""
    rules: tuple[Rule, ...]


_OPEN = frozenset({"Var", "RefDot", "RefBrack", "Call"})
"""Forms whose value may be undefined."""
_QUOTES = (b'"', b"`")
_REFERENCES = ("Var", "RefDot", "RefBrack")
_KINDS: dict[str, RuleKind] = {"Compr": "complete", "Set": "set", "Func": "function"}


def parse(module: PolicyModule) -> Syntax:
    """Parse one module.

    Raises:
        RegoSyntaxError: it is not Rego.
    """
    engine = new_engine()
    try:
        engine.add_policy(module.path, module.text)
        tree: Node = json.loads(engine.get_ast_as_json())[0]["ast"]
    except (RuntimeError, ValueError) as error:
        raise RegoSyntaxError(_problem_of(module.path, message_of(error))) from error
    imports, keywords = _imports(tree["imports"], module.text.splitlines())
    return Syntax(
        module=module,
        package=reference(tree["package"]["refr"]),
        imports=imports,
        keywords=keywords,
        rules=tuple(_rule(node) for node in tree["rules"]),
    )


def walk(node: Node) -> Iterator[tuple[str, Node]]:
    """Every (key, value) of all objects below `node`, outermost first."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            for key, value in current.items():  # pyright: ignore[reportUnknownVariableType]
                yield key, value
                pending.append(value)
        elif isinstance(current, list):
            pending.extend(current)  # pyright: ignore[reportUnknownArgumentType]


def line_of(node: Node) -> int:
    """The line of the first position below `node`; 0 where there is none."""
    return next((value["line"] for key, value in walk({"": node}) if key == "span"), 0)


def text_of(source: bytes, span: Mapping[str, int]) -> str:
    """What stands at a position; the parser leaves out a quotation mark at its beginning and end."""
    start, end = span["start"], span["end"]
    if start and source[start - 1 : start] in _QUOTES:
        start -= 1
    if source[end : end + 1] in _QUOTES:
        end += 1
    return source[start:end].decode()


def reference(node: Node) -> Path:
    """The constant beginning of a reference: `data.a[x].b` gives `("data", "a")`."""
    fields: list[str | None] = []
    while "Var" not in node:
        if "RefDot" in node:
            fields.append(node["RefDot"]["field"][1])
            node = node["RefDot"]["refr"]
        elif "RefBrack" in node:
            index = node["RefBrack"]["index"]
            fields.append(index["String"]["value"] if "String" in index else None)
            node = node["RefBrack"]["refr"]
        else:
            return ()
    path = [node["Var"]["value"]]
    for field in reversed(fields):
        if field is None:
            break
        path.append(field)
    return tuple(path)


def references(node: Node) -> Iterator[Path]:
    """All references below `node`, each whole; those in their indices as well."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, list):
            pending.extend(current)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(current, dict):
            if any(form in current for form in _REFERENCES):
                yield reference(current)
                pending.extend(_indices(current))
            else:
                pending.extend(current.values())  # pyright: ignore[reportUnknownArgumentType]


def _indices(node: Node) -> Iterator[Node]:
    while "RefDot" in node or "RefBrack" in node:
        if "RefBrack" in node:
            yield node["RefBrack"]["index"]
        node = next(iter(node.values()))["refr"]
    if "Var" not in node:
        yield node


def _rule(node: Node) -> Rule:
    form, body = next(iter(node.items()))
    if form == "Default":
        content = [body["args"], body["value"]]
        return Rule(name=_name(body["refr"]), kind="default", line=line_of(body), node=body, content=content)
    shape, head = next(iter(body["head"].items()))
    kind = _KINDS[shape]
    if kind == "complete" and "Var" not in head["refr"]:
        kind = "object"
    parts = [value for key, value in head.items() if key not in ("span", "refr")]
    content = [*parts, *_indices(head["refr"]), body["bodies"]]
    return Rule(name=_name(head["refr"]), kind=kind, line=line_of(body), node=body, content=content)


def _name(node: Node) -> str:
    path = reference(node)
    return path[0] if path else ""


def _imports(nodes: list[Node], lines: list[str]) -> tuple[dict[str, Path], frozenset[str]]:
    names: dict[str, Path] = {}
    keywords: set[str] = set()
    for node in nodes:
        path = reference(node["refr"])
        if path[0] in ("rego", "future"):
            keywords.add(".".join(path))
            continue
        alias: dict[str, int] | None = node.get("as")
        found = re.match(r"\w+", lines[alias["line"] - 1][alias["col"] - 1 :]) if alias else None
        names[found.group() if found else path[-1]] = path
    return names, frozenset(keywords)


def _problem_of(path: str, text: str) -> Problem:
    """Take the position out of the parser's message."""
    where = re.search(r"-->\s*.*?:(\d+):\d+", text)
    what = re.search(r"error: (.*)", text)
    return Problem(path=path, line=int(where.group(1)) if where else 0, message=what.group(1) if what else text)
