"""Documents reach an engine only when every engine reads them alike."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.access.documents import DECISION_LIMITS, ENGINE_LIMITS, encode
from casewright.errors import InputError

TEXT = st.text(st.characters(exclude_categories=("Cs",))).map(lambda text: unicodedata.normalize("NFC", text))
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.proves("D4")
@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_a_total_document_is_encoded_without_loss(document: dict[str, object]) -> None:
    assert json.loads(encode(document, DECISION_LIMITS)) == document


@pytest.mark.proves("D4")
@given(st.sampled_from([None, 1.0, 2**53 + 1, "e\u0301", b"", object()]), st.lists(st.booleans(), max_size=12))
def test_an_odd_value_is_found_wherever_it_is(odd: object, nesting: list[bool]) -> None:
    value = odd
    for in_list in nesting:
        value = [1, value] if in_list else {"a": 1, "b": value}
    with pytest.raises(InputError):
        encode({"value": value}, DECISION_LIMITS)


@pytest.mark.proves("D4")
def test_limits_are_exact() -> None:
    encode({"a": "x" * (DECISION_LIMITS.max_bytes - 9)}, DECISION_LIMITS)
    with pytest.raises(InputError, match="65537 bytes"):
        encode({"a": "x" * (DECISION_LIMITS.max_bytes - 8)}, DECISION_LIMITS)
    encode({"a": json.loads("[" * 31 + "]" * 31)}, DECISION_LIMITS)
    with pytest.raises(InputError, match="nested deeper than 32"):
        encode({"a": json.loads("[" * 32 + "]" * 32)}, DECISION_LIMITS)


@pytest.mark.proves("D4")
def test_case_documents_may_hold_nulls_and_any_text_but_no_fractions() -> None:
    encode({"a": None, "b": "e\u0301"}, ENGINE_LIMITS)
    with pytest.raises(InputError, match="float"):
        encode({"a": 0.5}, ENGINE_LIMITS)
