"""The entries of a list, read while the document is being written."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.models.streaming import ListReader

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
OTHERS = st.dictionaries(st.text(max_size=5).filter(lambda name: name != "sentences"), VALUES, max_size=3)


def heard(document: str, cuts: Sequence[int] = ()) -> tuple[list[Any], ListReader]:
    reader = ListReader("sentences")
    edges = [0, *sorted(cut % (len(document) + 1) for cut in cuts), len(document)]
    pieces = [document[start:end] for start, end in itertools.pairwise(edges)]
    return [entry for piece in pieces for entry in reader.feed(piece)], reader


@pytest.mark.proves("F9")
@settings(max_examples=40)
@given(OTHERS, st.lists(VALUES, max_size=4), OTHERS, st.lists(st.integers(0, 400), max_size=8), st.booleans())
def test_however_a_document_is_cut_every_entry_is_read_once_as_it_is(
    before: dict[str, Any], entries: list[Any], after: dict[str, Any], cuts: list[int], plain: bool
) -> None:
    document = {**before, "sentences": entries, **{name: after[name] for name in after if name not in before}}
    written = json.dumps(document, ensure_ascii=plain, indent=None if plain else 1)
    found, reader = heard(written, cuts)
    assert found == entries
    assert reader.ended


@pytest.mark.proves("F9")
@settings(max_examples=40)
@given(st.lists(VALUES.filter(lambda value: isinstance(value, dict | list | str)), min_size=1, max_size=4))
def test_an_entry_is_there_with_its_last_character_and_not_before(entries: list[Any]) -> None:
    reader = ListReader("sentences")
    reader.feed('{"sentences": [')
    for number, entry in enumerate(entries):
        written = ("," if number else "") + json.dumps(entry)
        assert [one for character in written[:-1] for one in reader.feed(character)] == []
        assert reader.feed(written[-1]) == (entry,)


@given(st.text(alphabet='{}[]",:\\ a1sentences', max_size=60))
def test_what_is_no_document_ends_the_reading_without_an_error(text: str) -> None:
    found, _ = heard(text, (3, 7, 20))
    assert isinstance(found, list)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ('```json\n{"sentences": ["a"]}\n```', ["a"]),
        ('Sure: {"sentences": ["a"]} {"sentences": ["b"]}', ["a"]),
        ('{"other": {"sentences": ["no"]}, "sentences": ["a"]}', ["a"]),
        ('{"key": "sentences", "list": ["no"]}', []),
        ('{"sentences": [1, 2', [1]),
        ('{"sentences": ["a", }', ["a"]),
        ('["sentences", ["no"]]', []),
        ('{"sentences": {"0": "no"}}', []),
    ],
    ids=["fence", "two", "nested", "value", "number", "mismatch", "list", "object"],
)
def test_only_entries_of_the_named_list_of_the_first_object_are_read(text: str, entries: list[Any]) -> None:
    assert heard(text)[0] == entries


def test_a_document_without_end_is_not_read_along_for_ever() -> None:
    reader = ListReader("sentences")
    reader.feed('{"sentences": ["')
    for _ in range(50):
        assert reader.feed("x" * 10_000) == ()
    assert reader.ended
