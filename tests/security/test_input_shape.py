"""Whatever is wrong with an input, anywhere in it, is a denial: in the Rego alone, and through `decide`."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.access.decide import RULE, decide
from casewright.contracts.decision import Allowed, DecisionInput, Denied
from casewright.errors import PolicyError
from tests.unit.access.inputs import EXECUTE, READ_CASE, Document, changed, shipped_engine

Path = tuple[str, ...]
LIMITS = {"agent": {"tool_calls": 5}, "user": {"steps": 7}}
FULL = changed(READ_CASE, "context", controls=READ_CASE["context"]["controls"] | {"limits": LIMITS})
"""With live limits, so that these have paths as well."""
BASES = {"read": FULL, "execute": EXECUTE}
MISSING = object()
EXTRA = "surplus"


def paths(value: object, prefix: Path = ()) -> Iterator[Path]:
    """Every place in a document, the sections included."""
    if isinstance(value, dict):
        for key, child in value.items():  # pyright: ignore[reportUnknownVariableType]
            here = (*prefix, str(key))  # pyright: ignore[reportUnknownArgumentType]
            yield here
            yield from paths(child, here)  # pyright: ignore[reportUnknownArgumentType]


def objects(document: Document) -> list[Path]:
    """Every place that holds an object, the document itself included."""
    return [(), *(path for path in paths(document) if isinstance(at(document, path), dict))]


def at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def put(document: Document, path: Path, value: object) -> Document:
    """A copy with another value at `path`, or with none there."""
    head, *rest = path
    if rest:
        return document | {head: put(document[head], tuple(rest), value)}
    if value is MISSING:
        return {key: kept for key, kept in document.items() if key != head}
    return document | {head: value}


def optional(path: Path) -> bool:
    """Live limits may be there or not; arguments and their origins come and go together."""
    return path[:3] == ("context", "controls", "limits") and len(path) > 3


def retyped(value: object) -> list[object]:
    """Values of every other JSON type."""
    others: list[object] = [True, 7, "x", ["x"], {"x": 1}]
    return [other for other in others if type(other) is not type(value)]


def allows(document: object) -> bool:
    """What the Rego alone says of a raw document; an error is a denial."""
    assert isinstance(document, dict)
    try:
        answer: Any = shipped_engine().evaluate(RULE, document)  # pyright: ignore[reportUnknownArgumentType]
    except PolicyError:
        return False
    return not isinstance(answer, dict) or answer.get("allow") is not False  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.proves("D1", "D4")
@pytest.mark.parametrize("base", BASES.values(), ids=BASES.keys())
def test_what_is_missing_or_null_anywhere_is_a_denial_in_rego(base: Document) -> None:
    assert allows(base)
    places = list(paths(base))
    assert len(places) > 45
    assert [path for path in places if not optional(path) and allows(put(base, path, MISSING))] == []
    assert [path for path in places if allows(put(base, path, None))] == []


@pytest.mark.proves("D1", "D4")
@pytest.mark.parametrize("base", BASES.values(), ids=BASES.keys())
def test_what_is_of_another_type_anywhere_is_a_denial_in_rego(base: Document) -> None:
    places = [path for path in paths(base) if path[0] != "arguments" or len(path) == 1]
    still = [(path, odd) for path in places for odd in retyped(at(base, path)) if allows(put(base, path, odd))]
    assert still == []


@pytest.mark.proves("D1", "D4")
@pytest.mark.parametrize("base", BASES.values(), ids=BASES.keys())
def test_what_nobody_knows_anywhere_is_a_denial_in_rego(base: Document) -> None:
    assert [path for path in objects(base) if allows(put(base, (*path, EXTRA), True))] == []


def variants(base: Document) -> Iterator[Document]:
    """The document, and every one that is wrong or merely different in one place."""
    yield base
    for path in paths(base):
        values: list[object] = [MISSING, None, "", -1, [], {}, *retyped(at(base, path))]
        yield from (put(base, path, value) for value in values)
    yield from (put(base, (*path, EXTRA), True) for path in objects(base))


@pytest.mark.proves("D1", "D4")
@pytest.mark.parametrize("base", BASES.values(), ids=BASES.keys())
def test_the_one_look_and_the_list_of_problems_say_the_same(base: Document) -> None:
    engine = shipped_engine()
    for document in variants(base):
        answer: Any = engine.evaluate(RULE, document)
        malformed = [reason["code"] for reason in answer["reasons"]] == ["input_malformed"]
        problems = engine.evaluate("casewright.access.problems", document)
        assert malformed is bool(problems), (document, problems)


def loose(document: Document) -> DecisionInput:
    """The document as code that checks nothing would hand it to `decide`."""

    def frozen(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: frozen(child) for key, child in value.items()}  # pyright: ignore[reportUnknownVariableType]
        return tuple(map(frozen, value)) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType]

    fields = {("schema_version" if key == "schema" else key): frozen(value) for key, value in document.items()}
    return DecisionInput.model_construct(**fields)


def deep(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = {"sha256": value}
    return value


def oversized(value: object) -> object:
    """More of the same kind than any field may hold."""
    match value:
        case bool():
            return 2
        case int():
            return 2**63
        case str():
            return "x" * 2_001
        case list():
            return ["x"] * 1_001
        case _:
            return {f"x{number}": "x" for number in range(101)}


WRONGS: dict[str, Callable[[object], object]] = {
    "null": lambda _: None,
    "missing": lambda _: MISSING,
    "oversized": oversized,
    "over-deep": lambda _: deep(40),
    "deep": lambda _: deep(3),
    "fraction": lambda _: 1.5,
    "bytes": lambda _: b"x",
}


@pytest.mark.proves("D4")
@pytest.mark.parametrize("base", BASES.values(), ids=BASES.keys())
def test_the_whole_documents_are_allowed(base: Document) -> None:
    assert isinstance(decide(shipped_engine(), loose(base)), Allowed)


@pytest.mark.proves("D4")
@settings(max_examples=400, deadline=None)
@given(st.sampled_from([*paths(FULL)]), st.sampled_from(sorted(WRONGS)))
def test_whatever_is_wrong_anywhere_is_denied_by_decide(path: Path, wrong: str) -> None:
    value = WRONGS[wrong](at(FULL, path))
    if value is MISSING and (optional(path) or path == ("schema",)):
        return  # a live limit may be absent; the schema is written by the contract itself
    verdict = decide(shipped_engine(), loose(put(FULL, path, value)))
    assert isinstance(verdict, Denied), (path, wrong)
    assert verdict.code == "input_invalid" or (value is MISSING and verdict.code == "input_malformed"), (path, wrong)


@pytest.mark.proves("D4")
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(objects(FULL)[1:]), st.text(min_size=1, max_size=12), st.sampled_from([True, 1, "x", None]))
def test_an_unknown_field_anywhere_is_denied(path: Path, name: str, value: object) -> None:
    if name in at(FULL, path):
        return
    verdict = decide(shipped_engine(), loose(put(FULL, (*path, name), value)))
    assert isinstance(verdict, Denied), (path, name)
