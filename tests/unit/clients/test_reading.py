"""JSON with places: the same values as the standard reader, and every refusal with its line and column."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casewright.clients.reading import DEEPEST, MalformedError, read_document

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))


@settings(max_examples=30)
@given(VALUES, st.sampled_from([None, 0, 2, "\t"]))
def test_whatever_is_json_is_read_as_the_standard_reader_does(value: Any, indent: int | str | None) -> None:
    text = json.dumps(value, indent=indent)
    found = read_document(text, comments=False)
    assert json.dumps(found.root.value) == json.dumps(json.loads(text))
    assert text[found.root.start : found.root.end] == text
    assert found.is_plain


@settings(max_examples=50)
@given(st.text(alphabet='{}[]:,"/*\\ \n\ta1-.eEtrufalsn\u202e', max_size=40))
@example('{"a": 1, "a": 2}')
@example("-")
@example('"\\ud800"')
def test_whatever_else_is_refused_and_what_is_accepted_means_the_same(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(MalformedError) as refused:
            read_document(text, comments=False)
        assert 1 <= refused.value.line <= text.count("\n") + 1
        assert 1 <= refused.value.column <= len(text) + 1
        return
    try:
        assert read_document(text, comments=False).root.value == expected
    except MalformedError as error:
        assert "twice" in error.what


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ('{\n  "a": 1,\n}', 3, 1, "a comma after the last element"),
        ('{\n  // x\n  "a": 1\n}', 2, 3, "a comment"),
        ('{"a": 1 "b": 2}', 1, 9, "',' or '}'"),
        ('{"a" 1}', 1, 6, "':'"),
        ('{\n"a": tru}', 2, 6, "a value"),
        ('{"a": 1', 1, 8, "',' or '}'"),
        ("{", 1, 2, "'}' is missing"),
        ('{"a": "\n"}', 1, 8, "control character"),
        ('{"a": 1, "a": 2}', 1, 10, "'a' stands twice"),
        ("{} x", 1, 4, "ends before this"),
        ("", 1, 1, "a value"),
        ("[01]", 1, 2, "a value"),
        ("[NaN]", 1, 2, "a value"),
        ("[" * (DEEPEST + 2), 1, DEEPEST + 2, "nested"),
        ("1" * 2000, 1, 1, "a value"),
    ],
)
def test_a_refusal_says_where_and_what(text: str, line: int, column: int, what: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read_document(text, comments=False)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert what in refused.value.what


def test_comments_and_a_last_comma_are_read_where_the_client_reads_them() -> None:
    found = read_document('{ // one\r\n "a": [1, /* two */ 2,], \n}\n// three', comments=True)
    assert found.root.value == {"a": [1, 2]}
    assert not found.is_plain
    with pytest.raises(MalformedError, match="does not end"):
        read_document("{} /* x", comments=True)
