"""What model calls cost: by model and date, rounded up, and as the dearest where nobody can say."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.config import Settings
from casewright.errors import InputError
from casewright.models.offline import OFFLINE_MODEL
from casewright.models.prices import PRICE_FILE, prices, prices_of, read_prices
from casewright.models.provider import Usage
from casewright.models.spending import SPENDING_FILE, spending_rules

LINE = 'model = "{}"\nfrom = {}\ninput = {}\noutput = {}\ncache_read = {}\ncache_write = {}\n'
TABLE = read_prices(
    'currency = "EUR"\n'
    + "".join(
        f"[[price]]\n{LINE.format(*line)}"
        for line in (
            ("small", "2026-01-01", 1_000_000, 2_000_000, 100_000, 1_250_000),
            ("small", "2026-06-01", 500_000, 1_000_000, 50_000, 625_000),
            ("small-20260101", "2026-01-01", 7_000_000, 8_000_000, 9_000_000, 1_000_000),
            ("large", "2026-01-01", 10_000_000, 1_500_000, 40_000, 30_000_000),
        )
    )
)
DAY = dt.date(2026, 7, 1)
THOUSAND = Usage(input_tokens=1_000, output_tokens=1_000, cache_read_tokens=1_000, cache_write_tokens=1_000)
DEAREST = 10_000 + 8_000 + 9_000 + 30_000


@pytest.mark.proves("F5")
@pytest.mark.parametrize(
    ("model", "on", "expected"),
    [
        ("small", DAY, 500 + 1_000 + 50 + 625),
        ("small", dt.date(2026, 5, 31), 1_000 + 2_000 + 100 + 1_250),
        ("small", dt.date(2025, 12, 31), DEAREST),
        ("small-20260101", DAY, 7_000 + 8_000 + 9_000 + 1_000),
        ("small-20260202", DAY, 500 + 1_000 + 50 + 625),
        ("small-2026", DAY, DEAREST),
        ("smaller", DAY, DEAREST),
        ("", DAY, DEAREST),
    ],
)
def test_a_call_costs_what_its_model_cost_on_that_day_or_as_the_dearest(model: str, on: dt.date, expected: int) -> None:
    assert TABLE.cost(THOUSAND, model=model, on=on) == expected


def test_a_call_that_also_asked_somebody_else_costs_as_the_dearest() -> None:
    assert TABLE.cost(THOUSAND, model="small", on=DAY, certain=False) == DEAREST


def test_a_part_of_a_millionth_counts_as_a_whole_one() -> None:
    assert TABLE.cost(Usage(cache_read_tokens=1), model="small", on=DAY) == 1
    assert TABLE.cost(Usage(), model="unheard of", on=DAY) == 0


TOKENS = st.integers(min_value=0, max_value=10**9)
USAGES = st.builds(
    Usage, input_tokens=TOKENS, output_tokens=TOKENS, cache_read_tokens=TOKENS, cache_write_tokens=TOKENS
)


@given(USAGES, st.text(max_size=12), st.booleans())
def test_nothing_costs_more_than_what_is_unknown(usage: Usage, model: str, certain: bool) -> None:
    unknown = TABLE.cost(usage, model="", on=DAY)
    for name in (model, "small", "large"):
        assert 0 <= TABLE.cost(usage, model=name, on=DAY, certain=certain) <= unknown


def test_the_shipped_table_has_a_price_for_the_models_that_are_asked_by_default() -> None:
    table = prices()
    assert table.currency == "USD"
    assert table.cost(THOUSAND, model=OFFLINE_MODEL, on=DAY) == 0
    assert table.cost(THOUSAND, model=Settings.anthropic_model, on=DAY) == 14_700
    assert table.cost(THOUSAND, model="unheard of", on=DAY) > 14_700


@pytest.mark.parametrize(
    "text",
    [
        "",
        'currency = "USD"',
        'currency = "USD"\nprice = []',
        'currency = "dollars"\n[[price]]\n' + LINE.format("a", "2026-01-01", 1, 1, 1, 1),
        'currency = "USD"\n[[price]]\n' + LINE.format("a", "2026-01-01", -1, 1, 1, 1),
        'currency = "USD"\n[[price]]\n' + LINE.format("a", "2026-01-01", 1.5, 1, 1, 1),
        'currency = "USD"\n[[price]]\n' + LINE.format("a", "2026-01-01", 1, 1, 1, 1) + "surcharge = 1\n",
        'currency = "USD"\n' + 2 * ("[[price]]\n" + LINE.format("a", "2026-01-01", 1, 1, 1, 1)),
        "currency = ",
    ],
)
def test_a_price_table_with_a_mistake_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="price table"):
        read_prices(text)


def test_a_wrong_file_is_named_with_its_wrong_keys_in_one_line_and_without_its_values(tmp_path: Path) -> None:
    for name, read in ((PRICE_FILE, prices_of), (SPENDING_FILE, spending_rules)):
        file = tmp_path / name
        for text, told in (("rubbish", "Expected "), ("dayly = 77007", "dayly: Extra inputs are not permitted")):
            file.write_text(text, encoding="utf-8")
            with pytest.raises(InputError) as refused:
                read(tmp_path)
            message = str(refused.value)
            assert str(file) in message and told in message
            assert "\n" not in message and "77007" not in message and "http" not in message
