"""The options every command understands, wherever they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.errors import InputError
from commands.options import GlobalOptions, split_options

WORDS = st.lists(st.sampled_from(["review", "--new", "HL-1", "--json", "-x", "text"]), max_size=5)


@pytest.mark.parametrize(
    "line",
    [
        ["--home", "h", "--as", "rosa", "--json", "cases", "list"],
        ["cases", "--as=rosa", "list", "--json", "--home=h"],
        ["cases", "list", "--json", "--as", "rosa", "--home", "h"],
    ],
)
def test_global_options_are_found_anywhere_on_the_line(line: list[str]) -> None:
    assert split_options(line) == (GlobalOptions(home="h", identity="rosa", as_json=True), ["cases", "list"])


def test_what_follows_two_dashes_is_left_alone() -> None:
    options, rest = split_options(["ask", "--", "--json", "--home", "x"])
    assert options == GlobalOptions()
    assert rest == ["ask", "--", "--json", "--home", "x"]


def test_an_option_whose_name_only_begins_alike_is_not_taken() -> None:
    options, rest = split_options(["ask", "q", "--as-of", "2017-06-01", "--homely=1"])
    assert options == GlobalOptions()
    assert rest == ["ask", "q", "--as-of", "2017-06-01", "--homely=1"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (["cases", "list", "--as"], "--as"),
        (["--home=", "cases"], "--home"),
        (["--home", "--json", "cases"], "'--json'"),
        (["--as", "rosa", "--as", "selma"], "--as"),
    ],
)
def test_a_missing_or_repeated_value_is_refused_by_name(line: list[str], named: str) -> None:
    with pytest.raises(InputError, match=named):
        split_options(line)


@given(before=WORDS, after=WORDS)
def test_the_rest_keeps_its_order_and_loses_nothing_else(before: list[str], after: list[str]) -> None:
    options, rest = split_options([*before, "--as", "rosa", *after])
    assert rest == [word for word in before + after if word != "--json"]
    assert options.identity == "rosa"
    assert options.as_json == ("--json" in before + after)
