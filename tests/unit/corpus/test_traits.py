"""What kind of text a clause is, told from its structure and a few signs."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.corpus.traits import READ, TRAITS, traits_of

RULE = {"label": "3.2(a)", "heading": "Policy > 3 Limits", "parents": ["3.2"], "text": "The limit is 50 dollars."}
ROWS = st.fixed_dictionaries(
    {name: st.text(max_size=40) for name in READ if name != "parents"}
    | {"parents": st.lists(st.text(max_size=5), max_size=12)}
)


def told(**other: object) -> dict[str, int]:
    (row,) = traits_of([RULE | other])
    return dict(zip(TRAITS, row.tolist(), strict=True))


def test_a_rule_is_none_of_what_stands_behind_rules() -> None:
    assert told() == {"depth": 1, "secondary": 0, "blank": 0, "example": 0, "defines": 0}


@pytest.mark.parametrize(
    ("other", "trait"),
    [
        ({"label": "Comment 6(b)-2"}, "secondary"),
        ({"heading": "Policy > Appendix A > Forms"}, "secondary"),
        ({"heading": "Policy > Official interpretation: 3"}, "secondary"),
        ({"text": "We will send it by [date]."}, "blank"),
        ({"text": "Sign here: ____"}, "blank"),
        ({"text": "For example, a card is lost on Monday."}, "example"),
        ({"text": "Assume that the balance is 50."}, "example"),
        ({"text": "Sender means the person who pays."}, "defines"),
    ],
)
def test_what_only_illustrates_or_defines_is_told_from_a_rule(other: Mapping[str, str], trait: str) -> None:
    assert told(**other)[trait] == 1
    assert sum(told(**other).values()) == 2


def test_a_title_that_sounds_like_an_appendix_makes_no_rule_secondary() -> None:
    assert told(heading="Model Risk Policy > 3 Limits")["secondary"] == 0


@given(st.lists(ROWS, max_size=5))
def test_every_clause_has_every_trait_within_a_byte(rows: list[Mapping[str, object]]) -> None:
    found = traits_of(rows)
    assert found.shape == (len(rows), len(TRAITS))
    assert found.dtype == np.uint8
