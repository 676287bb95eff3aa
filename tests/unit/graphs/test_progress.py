"""When a run goes in circles: the same delegate, given the same, and nothing new found by anybody, twice in a row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.progress import MOST_FRUITLESS, SHOWN_ROUNDS, found, loop_shown, noted, repeating
from graphs.state import DELEGATES, Delegate, ReviewState, ReviewUpdate
from tests.unit.graphs.states import state


def turn(before: ReviewState, name: Delegate, results: object, **update: object) -> ReviewState:
    """One turn of a delegate that finds `results`."""
    told: ReviewUpdate = {"evidence": found(name, before, results)}
    return {**before, **told, **noted(name, before, told), **update}  # pyright: ignore[reportReturnType]


def round_of(before: ReviewState, results: object) -> ReviewState:
    for name in DELEGATES:
        before = turn(before, name, results)
    return before


@pytest.mark.proves("E6")
def test_two_rounds_in_a_row_that_find_nothing_new_are_a_doubt() -> None:
    first = round_of(state(), "the facts")
    second = round_of(first, "the facts")
    assert not second.get("doubt")
    assert repeating(second) == ("drafter", 1)
    third = turn(second, "facts_analyst", "the facts")
    for name in DELEGATES[1:]:
        third = turn(third, name, "the facts")
    assert third.get("doubt") == "loop"
    assert repeating(third) == ("drafter", MOST_FRUITLESS)


@pytest.mark.proves("E6")
@pytest.mark.parametrize("who", DELEGATES)
def test_what_anybody_finds_anew_is_progress_for_all(who: Delegate) -> None:
    before = round_of(round_of(state(), "the facts"), "the facts")
    for name in DELEGATES:
        before = turn(before, name, "something new" if name == who else "the facts")
    assert not before.get("doubt")


@pytest.mark.proves("E6")
def test_another_input_is_no_repetition() -> None:
    before = round_of(round_of(state(), "the facts"), "the facts")
    again: ReviewState = {**before, "queries": ["provisional credit time limit"]}
    assert turn(again, "policy_researcher", "the facts").get("fruitless", {})["policy_researcher"] == 0
    assert turn(before, "policy_researcher", "the facts").get("fruitless", {})["policy_researcher"] == 1


@pytest.mark.proves("E6")
def test_what_is_shown_is_the_latest_turns_in_words_and_no_more() -> None:
    before = state()
    for _ in range(6):
        before = round_of(before, "the facts")
    shown = loop_shown(before)
    assert len(shown) == SHOWN_ROUNDS
    assert shown[-1].startswith("drafter was given ")
    assert "the facts" not in " ".join(shown)


TURNS = st.lists(st.tuples(st.sampled_from(DELEGATES), st.integers(0, 1)), max_size=30)
READS: dict[Delegate, tuple[Delegate, ...]] = {
    "facts_analyst": (),
    "evidence_checker": ("facts_analyst",),
    "policy_researcher": (),
    "drafter": ("facts_analyst", "evidence_checker"),
}
"""Whose findings a delegate works from here, where nothing else of the state changes."""


@pytest.mark.proves("E6")
@given(TURNS)
def test_a_doubt_comes_with_the_third_like_turn_of_one_delegate(turns: list[tuple[Delegate, int]]) -> None:
    before = state()
    evidence: dict[Delegate, int] = {}
    turns_of: dict[Delegate, list[object]] = {name: [] for name in DELEGATES}
    for name, results in turns:
        given_now = [evidence.get(read) for read in READS[name]]
        before = turn(before, name, results, doubt="")
        evidence[name] = results
        turns_of[name].append((given_now, sorted(evidence.items())))
        latest = turns_of[name][-1 - MOST_FRUITLESS :]
        alike = len(latest) > MOST_FRUITLESS and all(one == latest[0] for one in latest)
        assert (before.get("fruitless", {})[name] >= MOST_FRUITLESS) == alike
