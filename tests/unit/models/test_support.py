import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.models.support import currency, has_hidden_characters, spellings, unsupported


@pytest.mark.proves("F3")
@pytest.mark.parametrize(
    ("claim", "support", "loose"),
    [
        ("The bank must answer in 10 days.", ["The bank must answer in 10 days."], ()),
        ("The bank must answer in 45 days.", ["The bank must answer in 10 days."], ("45",)),
        ("The bank may answer.", ["The bank must answer."], ("may",)),
        ("Credit is due unless late.", ["Credit is due."], ("unless",)),
        ("It doesn't apply.", ["It applies."], ("not",)),
        ("Due on 2026-03-02.", ["2026-03-02"], ()),
        ("Due on 2026-03-02.", ["2026", "03", "02"], ("2026-03-02",)),
        ("Ninety days apply.", ["90 days apply."], ()),
        ("The fee is 1,000.00 USD.", ["1000"], ()),
        ("The rate is 5%.", ["5"], ("5%",)),
        ("No one pays.", ["Everyone pays."], ("no",)),
        ("Full-width \uff14\uff15 days.", ["45 days"], ()),
        ("Nothing to hold against it.", [], ()),
    ],
)
def test_numbers_dates_and_modal_words_without_support_are_named(
    claim: str, support: list[str], loose: tuple[str, ...]
) -> None:
    assert unsupported(claim, support) == loose


@given(st.text())
def test_every_text_supports_itself(text: str) -> None:
    assert unsupported(text, (text,)) == ()


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_minor_units_may_be_written_as_currency(amount: int) -> None:
    assert unsupported(f"Amount {currency(amount)}.", spellings("transactions/t1/amount_minor", str(amount))) == ()


def test_a_value_that_only_looks_like_minor_units_is_left_as_it_is() -> None:
    assert spellings("transactions/t1/amount_minor", "12a") == ("12a",)
    assert spellings("notices/n1/received_on", "20260302") == ("20260302",)


@pytest.mark.parametrize("character", ["\u200b", "\u202e", "\u0007", "\ufeff"])
def test_invisible_characters_are_found(character: str) -> None:
    assert has_hidden_characters(f"pay{character}ment")
    assert not has_hidden_characters("two\nlines")
