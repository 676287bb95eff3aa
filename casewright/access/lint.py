"""What a policy may not contain, because an engine would read it differently or never end.

Works on the syntax tree, before anything is evaluated: allowed builtins only, no recursion,
integers only, total decisions, package equal to folder. Style is deliberately *not* its matter.
"""

from collections.abc import Iterable, Iterator, Sequence

from casewright.access.syntax import Path, Problem, Rule, Syntax, line_of, reference, references, walk

BUILTINS = frozenset(
    (
        "abs",
        "all",
        "any",
        "array.concat",
        "array.reverse",
        "array.slice",
        "ceil",
        "concat",
        "contains",
        "count",
        "endswith",
        "floor",
        "format_int",
        "glob.match",
        "indexof",
        "intersection",
        "is_array",
        "is_boolean",
        "is_null",
        "is_number",
        "is_object",
        "is_set",
        "is_string",
        "json.filter",
        "json.remove",
        "lower",
        "max",
        "min",
        "object.filter",
        "object.get",
        "object.keys",
        "object.remove",
        "object.subset",
        "object.union",
        "object.union_n",
        "product",
        "regex.match",
        "regex.split",
        "replace",
        "round",
        "sort",
        "split",
        "sprintf",
        "startswith",
        "strings.any_prefix_match",
        "strings.any_suffix_match",
        "strings.count",
        "strings.reverse",
        "substring",
        "sum",
        "time.clock",
        "time.date",
        "time.diff",
        "time.parse_ns",
        "time.parse_rfc3339_ns",
        "time.weekday",
        "to_number",
        "trim",
        "trim_left",
        "trim_prefix",
        "trim_right",
        "trim_space",
        "trim_suffix",
        "type_name",
        "union",
        "upper",
        "walk",
    )
)
"""Builtins that answer alike in OPA and regorus, always end, and read neither clock nor network."""
PRINT_IN_RULES = "'print' is for finding a mistake with `casewright policy test`; take it out of the rules again"
_LARGEST_INTEGER = 2**53
_Rule = tuple[Path, str]
"""Package and name."""


def lint(modules: Sequence[Syntax]) -> tuple[Problem, ...]:
    """All problems of a set of modules that are loaded together, in order of place."""
    own: dict[Path, set[str]] = {}
    for syntax in modules:
        own.setdefault(syntax.package, set()).update(rule.name for rule in syntax.rules)
    problems = [problem for syntax in modules for problem in _lint_module(syntax, own[syntax.package])]
    problems += _partial_decisions(modules)
    problems += _recursion(modules)
    return tuple(sorted(set(problems), key=lambda problem: (problem.path, problem.line, problem.message)))


def _lint_module(syntax: Syntax, own: set[str]) -> Iterator[Problem]:
    path, package = syntax.module.path, syntax.package
    folder = tuple(path.split("/")[:-1])
    allowed = {folder}
    if syntax.module.is_test and folder:
        allowed.add((*folder[:-1], f"{folder[-1]}_test"))
    if package not in allowed or package[:1] == ("data",):
        message = f"the package is {'.'.join(package)!r} but the folder is {'/'.join(folder)!r}; make them equal"
        yield Problem(path=path, line=1, message=message)
    if not syntax.module.is_test:
        for name in sorted(_needed_imports(syntax) - syntax.keywords):
            yield Problem(path=path, line=1, message=f"'import {name}' is missing; add it below the package")
    for rule in syntax.rules:
        yield from _lint_rule(syntax, rule, own)


def _needed_imports(syntax: Syntax) -> set[str]:
    """Without the second, OPA lets a rule that says `not input.a.b` not fire when the field is missing."""
    negates = any(key == "NotExpr" for rule in syntax.rules for key, _ in walk(rule.node))
    return {"rego.v1", "future.keywords.not"} if negates else {"rego.v1"}


def _lint_rule(syntax: Syntax, rule: Rule, own: set[str]) -> Iterator[Problem]:
    for key, node in walk(rule.node):
        message = ""
        if key == "Call" and reference(node["fcn"]) == ("print",):
            message = "" if syntax.module.is_test else PRINT_IN_RULES
        elif key == "Call" and not _is_known(syntax, reference(node["fcn"]), own):
            message = f"{'.'.join(reference(node['fcn']))!r} is not an allowed builtin; do without it"
        elif key == "Number" and not syntax.module.is_test and not _is_safe(node["value"]):
            message = f"{node['value']!r} is no integer within 2^53; use minor units"
        elif key == "with_mods" and node and not syntax.module.is_test:
            message = "'with' belongs in tests; pass the value to a function instead"
        if message:
            yield Problem(path=syntax.module.path, line=line_of(node) or rule.line, message=message)


def _is_known(syntax: Syntax, name: Path, own: set[str]) -> bool:
    """Whether a call is of a function in the policies or of an allowed builtin."""
    if ".".join(name) in BUILTINS:
        return True
    return (
        name[:1] == ("data",) or name[:1] in {(key,) for key in syntax.imports} or (len(name) == 1 and name[0] in own)
    )


def _is_safe(value: object) -> bool:
    return isinstance(value, int) and abs(value) <= _LARGEST_INTEGER


def _partial_decisions(modules: Sequence[Syntax]) -> Iterator[Problem]:
    """Public complete rules without a default: they are undefined for some input."""
    rules = [(syntax, rule) for syntax in modules if not syntax.module.is_test for rule in syntax.rules]
    total = {(syntax.package, rule.name) for syntax, rule in rules if rule.kind == "default"}
    for syntax, rule in rules:
        if rule.kind != "complete" or rule.name.startswith("_") or (syntax.package, rule.name) in total:
            continue
        if not rule.is_constant:
            message = f"the public rule {rule.name!r} has no default; add one, or start its name with '_'"
            yield Problem(path=syntax.module.path, line=rule.line, message=message)


def _recursion(modules: Sequence[Syntax]) -> Iterator[Problem]:
    """Rules and functions that can reach themselves; an engine without a stack limit dies of them."""
    uses: dict[_Rule, set[_Rule]] = {(syntax.package, rule.name): set() for syntax in modules for rule in syntax.rules}
    for syntax in modules:
        for rule in syntax.rules:
            for path in references(rule.content):
                uses[(syntax.package, rule.name)].update(_resolve(syntax, path, uses))
    for syntax in modules:
        for rule in syntax.rules:
            if _reaches(uses, (syntax.package, rule.name)):
                message = f"the rule {rule.name!r} uses itself, directly or through others; unroll it"
                yield Problem(path=syntax.module.path, line=rule.line, message=message)


def _resolve(syntax: Syntax, path: Path, rules: Iterable[_Rule]) -> list[_Rule]:
    """The rules that a reference may mean; a prefix of a package means all of it."""
    if not path:
        return []
    path = (*syntax.imports[path[0]], *path[1:]) if path[0] in syntax.imports else path
    if path[0] != "data":
        return [(syntax.package, path[0])] if (syntax.package, path[0]) in rules else []
    wanted = path[1:]
    found: list[_Rule] = []
    for package, name in rules:
        full = (*package, name)
        length = min(len(full), len(wanted))
        if full[:length] == wanted[:length]:
            found.append((package, name))
    return found


def _reaches(uses: dict[_Rule, set[_Rule]], start: _Rule) -> bool:
    seen: set[_Rule] = set()
    pending = list(uses[start])
    while pending:
        rule = pending.pop()
        if rule == start:
            return True
        if rule not in seen:
            seen.add(rule)
            pending.extend(uses[rule])
    return False
