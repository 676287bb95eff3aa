"""Which cases run on a canary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.releases.selection import bucket, is_chosen

NAMES = st.text(min_size=1, max_size=40)


@pytest.mark.proves("H3")
@given(tenant=NAMES, case_id=NAMES, smaller=st.integers(0, 100), larger=st.integers(0, 100))
def test_a_larger_share_only_adds_cases(tenant: str, case_id: str, smaller: int, larger: int) -> None:
    first, second = sorted((smaller, larger))
    assert is_chosen(tenant, case_id, second) or not is_chosen(tenant, case_id, first)
    assert (is_chosen(tenant, case_id, 0), is_chosen(tenant, case_id, 100)) == (False, True)


def test_the_place_of_a_case_never_changes() -> None:
    # from the definition: SHA-256 over length, colon, tenant and case; another place would flip cases on an upgrade
    assert [bucket("harborline", f"HL-2026-000{number}") for number in (1, 2, 3)] == [0, 2, 31]


def test_a_share_is_about_that_share_of_many_cases() -> None:
    chosen = sum(is_chosen("harborline", f"HL-{number}", 20) for number in range(5_000))
    assert 900 < chosen < 1_100


def test_names_that_run_together_are_told_apart() -> None:
    pairs = [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", "")]
    assert len({bucket(*pair) for pair in pairs}) > 1


def test_what_belongs_to_no_case_is_never_tried_out_on() -> None:
    assert not is_chosen("harborline", "", 100)
