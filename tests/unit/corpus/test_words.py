"""Cleaning, bounding and widening a question."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.corpus import words
from casewright.corpus.comparison import word_changes
from casewright.corpus.embedding import default_embedder
from casewright.corpus.fusion import fuse
from casewright.corpus.words import MAX_QUERY_WORDS, read_question, stem, stems

GROUPS: list[list[str]] = json.loads((Path(words.__file__).parent / "data" / "synonyms.json").read_text("utf-8"))[
    "groups"
]
PHRASES = [phrase.removeprefix("?") for group in GROUPS for phrase in group]


@pytest.mark.proves("A2")
@settings(deadline=None)
@given(st.text(max_size=500))
def test_any_text_becomes_a_bounded_question(text: str) -> None:
    question = read_question(text, default_embedder())
    assert len(question.words) <= MAX_QUERY_WORDS
    assert all(0.0 <= question.coverage(stems(part)) <= 1.0 for part in ("", text))


@pytest.mark.proves("A2")
def test_a_hundred_thousand_characters_keep_the_words_that_tell() -> None:
    filler = " ".join(f"{number} and" for number in range(200)) + " the of very" * 7_000
    question = read_question(f"{filler} escrow foreclosure", default_embedder())
    assert {"escrow", "foreclosure"} <= set(question.words)


def test_markup_and_control_characters_are_no_words() -> None:
    question = read_question("<script>x</script> <b>credit</b>\x00\u202e &amp; debit", default_embedder())
    assert set(question.words) == {"x", "credit", "debit"}


@pytest.mark.parametrize(
    ("one", "other"),
    [("investigate", "investigation"), ("credits", "credited"), ("kept", "keep"), ("notify", "notified")],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.proves("A2")
def test_other_words_for_the_same_thing_cover_the_question() -> None:
    question = read_question("paid at a store terminal", default_embedder())
    assert "point of sale" in question.expansions
    assert question.coverage(stems("Resulted from a point-of-sale debit card transaction")) > 0.5
    assert question.coverage(stems("Resulted from a telephone order")) < 0.2


@pytest.mark.proves("A2")
def test_what_only_people_say_is_recognised_but_never_searched_for() -> None:
    asked = read_question("Can I get back what the thief took?", default_embedder())
    assert {"refund", "reimburse"} <= set(asked.expansions)
    rule = read_question("The institution must refund the fee", default_embedder())
    assert "reimburse" in rule.expansions
    assert not {"get back", "?get back"} & set(rule.expansions)


@pytest.mark.proves("A7")
@settings(deadline=None)
@given(st.lists(st.sampled_from(PHRASES), max_size=6))
def test_no_word_of_a_question_is_covered_by_a_text_that_says_nothing(said: list[str]) -> None:
    question = read_question(" and ".join(said), default_embedder())
    assert question.covered(frozenset()) == frozenset()
    assert all(every for sets in question.alternatives.values() for every in sets)


@pytest.mark.proves("A2")
def test_a_hit_of_both_rankings_comes_before_a_hit_of_one() -> None:
    assert fuse([1, 2, 3], [2, 4])[0][0] == 2


@pytest.mark.proves("A2")
def test_full_text_counts_twice_as_much_as_vectors() -> None:
    assert [row_id for row_id, _ in fuse([1], [2])] == [1, 2]
    scores = dict(fuse([1], [2]))
    assert scores[1] == pytest.approx(2 * scores[2])


@pytest.mark.proves("A8")
def test_comparison_names_words_removed_added_and_replaced() -> None:
    changes = word_changes("within 45 days of the notice", "within 90 days of the written notice")
    assert [(change.kind, change.removed, change.added) for change in changes] == [
        ("replaced", "45", "90"),
        ("added", "", "written"),
    ]


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_changes_are_empty_exactly_when_the_words_are_the_same(old: list[str], new: list[str]) -> None:
    assert (word_changes(" ".join(old), " ".join(new)) == ()) == (old == new)


def test_a_phrase_belongs_to_one_group_of_at_least_two() -> None:
    assert len(set(PHRASES)) == len(PHRASES)
    assert all(len(group) >= 2 for group in GROUPS)
