"""Effective chains against the plain reading of the rule."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.contracts.clause import DocumentStatus
from casewright.corpus.effective import VersionRange, chain_ends
from casewright.corpus.filters import OPEN_END, day_number

DAY = st.dates(dt.date(2010, 1, 1), dt.date(2012, 12, 31))
STATUS: st.SearchStrategy[DocumentStatus] = st.sampled_from(("published", "draft", "withdrawn"))


@st.composite
def versions(draw: st.DrawFn) -> tuple[VersionRange, ...]:
    starts = draw(st.lists(DAY, min_size=1, max_size=6, unique=True))
    made: list[VersionRange] = []
    for number, start in enumerate(starts):
        end = draw(st.none() | st.integers(0, 400))
        own = OPEN_END if end is None else day_number(start + dt.timedelta(days=end))
        made.append(
            VersionRange(
                version=f"v{number}", status=draw(STATUS), effective_from=day_number(start), own_effective_to=own
            )
        )
    return tuple(made)


def in_force(everything: tuple[VersionRange, ...], day: int) -> str | None:
    """The rule as written: the newest published version begun by then, if it has not ended itself."""
    begun = [item for item in everything if item.status == "published" and item.effective_from <= day]
    newest = max(begun, key=lambda item: item.effective_from, default=None)
    return newest.version if newest is not None and day <= newest.own_effective_to else None


@pytest.mark.proves("A3")
@settings(deadline=None)
@given(versions(), DAY)
def test_stored_ends_give_the_version_that_the_rule_gives(everything: tuple[VersionRange, ...], day: dt.date) -> None:
    ends = chain_ends(everything)
    number = day_number(day)
    found = [
        item.version
        for item in everything
        if item.status == "published" and item.effective_from <= number <= ends[item.version]
    ]
    expected = in_force(everything, number)
    assert found == ([] if expected is None else [expected])


@pytest.mark.proves("A3")
@settings(deadline=None)
@given(versions())
def test_the_order_of_ingestion_does_not_matter(everything: tuple[VersionRange, ...]) -> None:
    assert chain_ends(everything) == chain_ends(tuple(reversed(everything)))
