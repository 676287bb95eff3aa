"""Canonical JSON is that of RFC 8785, whichever way it is written."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from casewright.canonical import canonical_json

_ASCII = st.text(st.characters(max_codepoint=127))
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _ASCII | st.text(st.characters())
JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(_ASCII | st.text(), inner),
    max_leaves=12,
)


class Word(StrEnum):
    YES = "yes"


def outcome(write: Callable[[Any], bytes], value: object) -> bytes | str:
    """What is written, or the name of the error."""
    try:
        return write(value)
    except rfc8785.CanonicalizationError as error:
        return type(error).__name__


@given(JSON)
def test_every_value_is_written_as_the_reference_writes_it(value: object) -> None:
    assert outcome(canonical_json, value) == outcome(rfc8785.dumps, value)


@pytest.mark.parametrize(
    "value",
    [
        {"b": 1, "a": '\x7f\x1f"\\/\b\f\n\r\t'},
        {"\ufb33": 1, "\U0001f600": 2, "\u00f6": 3},
        {"a": 2**53 - 1, "b": -(2**53) + 1},
        {"a": 2**53},
        {"a": -(2**53)},
        {"a": 1.0},
        {"a": float("nan")},
        {"a": Word.YES, Word.YES: True},
        {1: "a key that is no text"},
        {None: "a key that is no text"},
        {"a": "\ud800"},
        {"a": b"bytes"},
        [(), [], {}, None, True, False],
    ],
    ids=repr,
)
def test_odd_values_are_written_or_refused_as_the_reference_does(value: object) -> None:
    assert outcome(canonical_json, value) == outcome(rfc8785.dumps, value)
