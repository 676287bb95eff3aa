"""The table of capabilities and the `proves` marks agree, in both directions.

Marks are read from the source, so that a skipped or deselected test still counts where it stands.
"""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from tests.requirements import REQUIREMENTS

TESTS = Path(__file__).resolve().parent.parent


def proven_ids(source: str, name: str) -> dict[str, list[str]]:
    """Ids of the `proves` marks in one test file, each with the tests that carry it.

    Raises:
        ValueError: a mark is not a plain list of ids on a test, a test class or the module.
    """
    tree = ast.parse(source, filename=name)
    marks: dict[str, list[str]] = defaultdict(list)
    attached: set[ast.Call] = set()
    for node in ast.walk(tree):
        for owner, expression in _attachments(node):
            for call in _proves_calls(expression):
                attached.add(call)
                for id_ in _literal_ids(call, name):
                    marks[id_].append(f"{name}::{owner}")
    stray = [call for call in _proves_calls(tree) if call not in attached]
    if stray:
        raise ValueError(f"{name}:{stray[0].lineno}: a 'proves' mark belongs on a test or in pytestmark")
    return dict(marks)


def _attachments(node: ast.AST) -> list[tuple[str, ast.AST]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        is_test = node.name.startswith(("test_", "Test"))
        return [(node.name, decorator) for decorator in node.decorator_list] if is_test else []
    if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["pytestmark"]:
        return [("pytestmark", node.value)]
    return []


def _proves_calls(tree: ast.AST) -> list[ast.Call]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "proves"]


def _literal_ids(call: ast.Call, name: str) -> list[str]:
    ids = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    texts = [id_ for id_ in ids if isinstance(id_, str)]
    if not texts or len(texts) != len(call.args) or call.keywords:
        raise ValueError(f"{name}:{call.lineno}: 'proves' takes one or more ids, written out")
    return texts


def all_marks() -> dict[str, list[str]]:
    """Every mark of the test tree."""
    marks: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for id_, tests in proven_ids(path.read_text(encoding="utf-8"), str(path.relative_to(TESTS.parent))).items():
            marks[id_] += tests
    return dict(marks)


def test_every_mark_names_a_known_capability() -> None:
    unknown = {id_: tests for id_, tests in all_marks().items() if id_ not in REQUIREMENTS}
    assert not unknown, f"add these ids to tests/requirements.py or correct the marks: {unknown}"


def test_every_proved_capability_has_a_test() -> None:
    marks = all_marks()
    bare = [id_ for id_, entry in REQUIREMENTS.items() if entry.status == "PROVED" and id_ not in marks]
    assert not bare, f"no test proves {bare}: mark one, or make them planned() in tests/requirements.py"


def test_a_planned_capability_with_a_test_is_moved_to_proved() -> None:
    marks = all_marks()
    early = {id_: marks[id_] for id_, entry in REQUIREMENTS.items() if entry.status == "PLANNED" and id_ in marks}
    assert not early, f"make these proved() in tests/requirements.py (name the gaps): {early}"


def test_the_table_is_complete() -> None:
    sizes = {"A": 9, "B": 6, "C": 5, "D": 9, "E": 8, "F": 9, "G": 4, "H": 5, "I": 7, "J": 3, "K": 3}
    expected = [f"{letter}{number}" for letter, count in sizes.items() for number in range(1, count + 1)]
    assert list(REQUIREMENTS) == expected


def test_marks_are_found_on_tests_and_on_modules() -> None:
    source = (
        "import pytest\n"
        "pytestmark = [pytest.mark.slow, pytest.mark.proves('A1')]\n"
        "@pytest.mark.proves('A2', 'A3')\n"
        "async def test_x(): ...\n"
    )
    assert proven_ids(source, "t.py") == {
        "A1": ["t.py::pytestmark"],
        "A2": ["t.py::test_x"],
        "A3": ["t.py::test_x"],
    }


@pytest.mark.parametrize(
    "source",
    [
        "@pytest.mark.proves(ID)\ndef test_x(): ...\n",
        "@pytest.mark.proves()\ndef test_x(): ...\n",
        "@pytest.mark.proves('A1')\ndef helper(): ...\n",
    ],
    ids=["a computed id", "no id", "not a test"],
)
def test_a_mark_that_cannot_be_counted_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="proves"):
        proven_ids(source, "t.py")
