"""Pinned definitions: whatever a server shows otherwise than it was reviewed is found and named."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.definitions import DefinitionsLock, Kind, Shown, differences, lock_text, locked, read_lock
from casewright.errors import StorageError

PARTS = ("title", "description", "inputSchema", "outputSchema", "annotations", "_meta")
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-(2**50), 2**50) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KINDS: tuple[Kind, ...] = ("tool", "prompt", "resource", "template")
ENTRIES = st.builds(
    Shown,
    kind=st.sampled_from(KINDS),
    name=st.text(min_size=1, max_size=8),
    parts=st.dictionaries(st.sampled_from(PARTS), VALUES, min_size=1),
)
SETS = st.lists(ENTRIES, min_size=1, max_size=5, unique_by=lambda each: each.entry)


def found(pinned: Sequence[Shown], shown: Sequence[Shown], *, whole: bool = True) -> tuple[str, ...]:
    return differences(locked("any", pinned), shown, whole=whole)


@pytest.mark.proves("I7")
@settings(max_examples=30)
@given(pinned=SETS)
def test_what_is_shown_as_it_was_pinned_has_no_difference(pinned: list[Shown]) -> None:
    assert found(pinned, pinned) == ()
    assert found(pinned, pinned[1:], whole=False) == ()


@pytest.mark.proves("I7")
@settings(max_examples=30)
@given(pinned=SETS, data=st.data())
def test_any_other_part_of_any_entry_is_named(pinned: list[Shown], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(pinned) - 1))
    part = data.draw(st.sampled_from(PARTS))
    value = data.draw(VALUES.filter(lambda value: not _same(value, pinned[at].parts.get(part, ...))))
    shown = [*pinned]
    shown[at] = replace(pinned[at], parts={**pinned[at].parts, part: value})
    assert found(pinned, shown) == (f"{pinned[at].entry!r} has another {part}",)


def _same(value: Any, other: Any) -> bool:
    """Equal and of one type all the way down: to JSON, `True` and `1` are two things."""
    return repr(value) == repr(other)


@pytest.mark.proves("I7")
@settings(max_examples=30)
@given(pinned=SETS, data=st.data())
def test_an_entry_more_one_less_and_another_order_are_named(pinned: list[Shown], data: st.DataObject) -> None:
    more = data.draw(ENTRIES.filter(lambda each: each.entry not in {known.entry for known in pinned}))
    place = data.draw(st.integers(0, len(pinned)))
    assert found(pinned, [*pinned[:place], more, *pinned[place:]]) == (f"{more.entry!r} is not pinned",)
    assert found(pinned, pinned[1:]) == (f"{pinned[0].entry!r} is gone",)
    assert found(pinned, [*pinned, pinned[0]]) == (f"{pinned[0].entry!r} is there more than once",)
    turned = [*pinned[1:], pinned[0]]
    assert bool(found(pinned, turned)) == (len(pinned) > 1)


def test_an_icon_is_no_part_of_a_definition() -> None:
    shown = Shown(kind="tool", name="look", parts={"description": "Look.", "icons": [{"src": "data:,a"}]})
    assert found([shown], [replace(shown, parts={"description": "Look."})]) == ()


def test_a_server_that_nobody_pinned_may_show_nothing() -> None:
    shown = (Shown(kind="tool", name="look", parts={}),)
    assert differences(DefinitionsLock(servers=()).server("new"), shown, whole=True) == ("'tool look' is not pinned",)


def test_a_lock_reads_as_it_was_written_and_a_damaged_one_not_at_all(tmp_path: Path) -> None:
    lock = DefinitionsLock(servers=(locked("any", [Shown(kind="tool", name="ü", parts={"title": "x"})]),))
    path = tmp_path / "lock.json"
    path.write_text(lock_text(lock), encoding="utf-8")
    assert read_lock(path) == lock
    for damaged in ('{"servers": [1]}', "", lock_text(lock).replace("definitions/v1", "definitions/v2")):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(StorageError, match="--write"):
            read_lock(path)
    with pytest.raises(StorageError, match=r"lock\.json"):
        read_lock(tmp_path / "none" / "lock.json")
