"""Which cases are tried: all of them once, and a fast selection that is the same every time and spread over slices."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.contracts.base import Contract
from evals.case import EvalCase
from evals.planning import cases_digest, selected

pytestmark = pytest.mark.proves("H1")


class Nothing(Contract):
    """A case without content."""


def case(number: int, place: str) -> EvalCase[Nothing, Nothing]:
    return EvalCase(
        id=f"c{number}", why="a case of a test", given=Nothing(), expected=Nothing(), slices={"place": place}
    )


@given(st.lists(st.sampled_from(["note", "letter", "tool"]), min_size=1, max_size=60), st.integers(0, 70))
def test_a_selection_has_no_more_than_asked_and_keeps_the_order(places: list[str], most: int) -> None:
    cases = [case(number, place) for number, place in enumerate(places)]
    chosen = selected(cases, most)
    assert len(chosen) == (min(most, len(cases)) if most else len(cases))
    assert [one for one in cases if one in chosen] == list(chosen)
    assert list(selected(cases, most)) == list(chosen)


def test_a_selection_is_spread_over_the_slices() -> None:
    cases = [case(number, "note" if number < 90 else "letter") for number in range(100)]
    counted = Counter(one.slices["place"] for one in selected(cases, 10))
    assert counted == {"note": 5, "letter": 5}


def test_another_word_in_a_case_is_another_digest() -> None:
    before = [case(1, "note"), case(2, "note")]
    after = [before[0], before[1].model_copy(update={"why": "a case of a test, changed"})]
    assert cases_digest(before) != cases_digest(after)
    assert cases_digest(before) != cases_digest(before[::-1])
