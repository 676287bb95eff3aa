"""Imports go one way: casewright <- servers; casewright <- agents <- graphs; the api sees those, but no agents.

Commands, evals and tests see all.

The sources are read, not imported, so an import inside a function counts as well.
"""

import ast
import importlib.metadata
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
OURS = ("casewright", "commands", "servers", "agents", "graphs", "api", "evals", "policies", "tests")
MAY_IMPORT = {
    "casewright": {"casewright"},
    "servers": {"casewright", "servers"},
    "agents": {"casewright", "agents"},
    "graphs": {"casewright", "agents", "graphs"},
    "api": {"casewright", "servers", "graphs", "api"},
    "commands": {"casewright", "servers", "agents", "graphs", "api", "evals", "commands"},
}
"""Commands put the rooms together; `casewright/launch.py` hands over to them by name."""


def imported_names(source: str, path: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, also of `importlib.import_module` with a name written out."""
    for node in ast.walk(ast.parse(source, filename=path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            names = [item.value for item in node.args[:1] if isinstance(item, ast.Constant)]
            yield from ((node.lineno, name) for name in names if isinstance(name, str))


def wrong_way(files: Iterable[tuple[str, str]]) -> list[str]:
    """Imports of a room that the importing room may not see; `files` are (path, source)."""
    found: list[str] = []
    for path, source in files:
        allowed = MAY_IMPORT[path.partition("/")[0]]
        for line, name in imported_names(source, path):
            room = name.partition(".")[0]
            if room in OURS and room not in allowed:
                found.append(f"{path}:{line} imports {name!r}; it may import from {sorted(allowed)}")
    return found


def sources(*rooms: str) -> Iterator[tuple[str, str]]:
    """Path and text of every Python file of the rooms."""
    for room in rooms:
        for path in sorted((CHECKOUT / room).rglob("*.py")):
            yield path.relative_to(CHECKOUT).as_posix(), path.read_text(encoding="utf-8")


def test_imports_go_one_way() -> None:
    assert wrong_way(sources(*MAY_IMPORT)) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("casewright/cases/store.py", "from servers.guard import Guard"),
        ("casewright/cases/store.py", "def f() -> None:\n    import agents.intake"),
        ("casewright/cases/store.py", "import importlib\nimportlib.import_module('graphs.review')"),
        ("agents/intake.py", "from servers import guard"),
        ("agents/intake.py", "from graphs.state import State"),
        ("servers/guard.py", "from agents.intake import Intake"),
        ("graphs/review.py", "import servers.guard"),
        ("graphs/review.py", "from commands.shell import Shell"),
        ("commands/demo.py", "import tests.conftest"),
    ],
)
def test_an_import_the_wrong_way_is_found(path: str, source: str) -> None:
    assert len(wrong_way([(path, source)])) == 1


def test_every_third_party_import_is_a_declared_dependency() -> None:
    owners = importlib.metadata.packages_distributions()  # what an optional extra brings is not here, and has its name
    rooms = ("casewright", "commands", "servers", "agents", "graphs", "api", "evals")
    roots = {name.partition(".")[0] for path, source in sources(*rooms) for _, name in imported_names(source, path)}
    foreign = roots - set(OURS) - set(sys.stdlib_module_names)
    undeclared = {
        root for root in foreign if not {_normal(name) for name in owners.get(root, [root])} & _declared_distributions()
    }
    assert not undeclared, f"add to dependencies in pyproject.toml (or do not import): {sorted(undeclared)}"


def _declared_distributions() -> set[str]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional: dict[str, list[str]] = project["optional-dependencies"]
    lines: list[str] = [*project["dependencies"], *(line for lines in optional.values() for line in lines)]
    return {_normal(line.partition(">")[0].partition("=")[0].partition("[")[0]) for line in lines}


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")


def test_no_other_distribution_owns_one_of_our_names() -> None:
    owners = importlib.metadata.packages_distributions()
    foreign = {name: set(owners.get(name, [])) - {"casewright"} for name in OURS}
    clashes = {name: sorted(others) for name, others in foreign.items() if others}
    assert not clashes, f"these installed distributions would shadow the project's folders: {clashes}"


def test_every_top_level_python_folder_is_a_package() -> None:
    rooms = [room for room in MAY_IMPORT if any((CHECKOUT / room).glob("*.py"))]
    assert [room for room in rooms if not (CHECKOUT / room / "__init__.py").is_file()] == []
