"""Facts by path and the spellings of known values."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.cases.facts import known_values, resolve_fact
from casewright.cases.spellings import amount_spellings, date_spellings
from casewright.cases.views import view
from casewright.contracts.case import CaseFile
from tests.unit.cases.case_files import case_files, filters, small_case, some_examples

pytestmark = pytest.mark.proves("C1")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("transactions/t1/amount_minor", "12550"),
        ("transactions/t1/posted_on", "2026-03-02"),
        ("transactions/t1/disputed", "true"),
        ("transactions/t1/channel", "point_of_sale"),
        ("case/received_on", "2026-03-04"),
        ("case/case_type", "unauthorized_transfer"),
        ("case/claimed_amount_minor", "12550"),
        ("evidence/e1/trust", "system"),
        ("accounts/a1/number_last4", "4411"),
    ],
)
def test_a_path_gives_the_text_of_its_value(path: str, value: str) -> None:
    assert resolve_fact(small_case(), path) == value


@pytest.mark.parametrize(
    "path",
    [
        "",
        "case",
        "case/",
        "case/evidence",
        "case/assigned_to",
        "case/model_fields",
        "case/__class__",
        "case/duplicate_of",
        "case/product",
        "transactions/t2/amount_minor",
        "transactions/t1",
        "transactions/t1/amount_minor/x",
        "transactions/t1/model_dump",
        "transactions//amount_minor",
        "/transactions/t1/amount_minor",
        "Transactions/t1/amount_minor",
        "transactions/T1/amount_minor",
        "cases/HL-1/title",
    ],
)
def test_a_path_that_names_no_value_gives_none(path: str) -> None:
    assert resolve_fact(small_case(), path) is None


def test_a_redacted_value_is_no_fact() -> None:
    seen = view(small_case(), filters=filters(), above="internal")
    assert resolve_fact(seen, "parties/p1/name") is None
    assert resolve_fact(seen, "accounts/a1/number_last4") is None


@some_examples
@given(case_files(), st.text(max_size=30))
def test_no_path_breaks_the_lookup(case: CaseFile, path: str) -> None:
    assert resolve_fact(case, path) is None or "/" in path


def test_amounts_dates_and_ids_are_known_in_their_spellings() -> None:
    known = known_values(small_case())
    assert {"125.50", "$125.50", "125.50 USD", "2026-03-02", "March 2, 2026", "2 March 2026", "t1", "4411"} <= known


def test_a_number_that_only_a_narrative_mentions_is_not_known() -> None:
    assert not {"999.99", "$999.99"} & known_values(small_case())


def test_sealed_evidence_adds_nothing_to_what_is_known() -> None:
    assert "e2" in known_values(small_case())
    assert "e2" not in known_values(view(small_case(), filters=filters(), above=None))


@pytest.mark.parametrize(
    ("minor", "currency", "spelling", "wrong"),
    [
        (12550, "USD", "$125.50", "$125.5"),
        (12550, "USD", "USD 125.50", "12550"),
        (125000, "USD", "$1,250", "$125,0"),
        (125000, "USD", "1,250.00", "125000"),
        (-500, "USD", "-$5.00", "$5.00"),
        (5, "USD", "$0.05", "$0.5"),
        (1250, "JPY", "1,250 JPY", "12.50"),
        (1250, "KWD", "1.250", "12.50"),
        (1250, "EUR", "12.50 EUR", "$12.50"),
    ],
)
def test_an_amount_is_spelled_exactly(minor: int, currency: str, spelling: str, wrong: str) -> None:
    found = amount_spellings(minor, currency)
    assert spelling in found
    assert wrong not in found


@given(st.integers(-(10**13), 10**13), st.integers(-(10**13), 10**13), st.sampled_from(["USD", "JPY", "KWD"]))
def test_two_amounts_never_share_a_spelling(first: int, second: int, currency: str) -> None:
    assert first == second or not amount_spellings(first, currency) & amount_spellings(second, currency)


@given(st.dates(), st.dates())
def test_two_dates_never_share_a_spelling(first: dt.date, second: dt.date) -> None:
    assert first == second or not date_spellings(first) & date_spellings(second)
