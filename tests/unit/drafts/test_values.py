"""Values of a text: equal when they mean the same, different when they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.drafts.number_words import digits_for_words
from casewright.drafts.values import supported_by, values_in


def texts(text: str) -> set[str]:
    return {f"{value.kind} {value.text}" for value in values_in(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("within 10 business days", {"duration 10 business day"}),
        ("within ten (10) business days", {"duration 10 business day"}),
        ("10 banking days", {"duration 10 business day"}),
        ("a 90-day period", {"duration 90 day"}),
        ("45 calendar days", {"duration 45 day"}),
        ("forty-five days", {"duration 45 day"}),
        ("10 or 20 business days", {"duration 10 business day", "duration 20 business day"}),
        ("five or more business days", {"duration 5 business day"}),
        ("one business day", {"duration 1 business day"}),
        ("one of the parties", set[str]()),
        ("$1,000.00", {"amount USD 1000"}),
        ("USD 1000", {"amount USD 1000"}),
        ("1000 dollars", {"amount USD 1000"}),
        ("one thousand dollars", {"amount USD 1000"}),
        ("50 cents", {"amount USD 0.5"}),
        ("$2 million", {"amount USD 2000000"}),
        ("€5", {"amount EUR 5"}),
        ("-$5.00", {"amount USD -5"}),
        ("10 %", {"percentage 10"}),
        ("ten per cent", {"percentage 10"}),
        ("March 2, 2026", {"date 2026-03-02"}),
        ("2nd of March 2026", {"date 2026-03-02"}),
        ("Mar. 2, 2026", {"date 2026-03-02"}),
        ("2026-03-02", {"date 2026-03-02"}),
        ("2026-03-02T10:00:00Z", {"date 2026-03-02", "time 10:00:00z"}),
        ("in May 2026", {"month 2026-05"}),
        ("on May 2", {"day 05-02"}),
        ("it may 2026 times", {"number 2026"}),
        ("02/03/2026", {"slashed date 02/03/2026"}),
        ("the 60th day", {"ordinal 60"}),
        ("third parties", {"ordinal 3"}),
        ("5:00 p.m.", {"time 5:00pm"}),
        ("§ 1005.11(c)(2)", {"reference 1005.11(c)(2)"}),
        ("case HL-2026-0001.", {"identifier hl-2026-0001"}),
        ("half of it", {"quantity half"}),
        ("one hundred and twenty-five", {"number 125"}),
        ("two thousand five hundred", {"number 2500"}),
        ("twenty and thirty", {"number 20", "number 30"}),
        ("007 and 7.50", {"number 7", "number 7.5"}),
        ("no value at all", set[str]()),
    ],
)
def test_a_value_has_one_spelling(text: str, expected: set[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("45 days", "45 business days"),
        ("$45", "45 days"),
        ("45%", "45"),
        ("45 USD", "45 EUR"),
        ("45", "45%"),
        ("March 2, 2026", "March 2"),
        ("1005.11(c)(2)", "1005.11(c)"),
        ("123456789012345678901234567890123456", "123456789012345678901234567890123457"),
    ],
)
def test_a_weaker_or_other_value_does_not_support_a_claim(claim: str, source: str) -> None:
    assert not values_in(claim) <= supported_by(source)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("45", "45 days"),
        ("March 2", "March 2, 2026"),
        ("March 2026", "2026-03-02"),
        ("2026", "2026-03-02"),
        ("1005.11(c)", "1005.11(c)(2)"),
        ("500", "$500"),
    ],
)
def test_what_a_value_contains_is_supported(claim: str, source: str) -> None:
    assert values_in(claim) <= supported_by(source)


@given(st.text())
def test_any_text_supports_its_own_values(text: str) -> None:
    assert values_in(text) <= supported_by(text)


@given(st.integers(0, 10**12))
def test_every_number_is_found_with_and_without_separators(number: int) -> None:
    assert values_in(f"about {number:,} of them") == values_in(f"about {number} of them")
    assert len(values_in(f"about {number} of them")) == 1


@pytest.mark.parametrize(
    ("words", "digits"),
    [("Twenty-one", "21"), ("no one", "no one"), ("ninety nine", "99"), ("two three", "2 3"), ("a hundred", "a 100")],
)
def test_number_words_become_digits(words: str, digits: str) -> None:
    assert digits_for_words(words) == digits
