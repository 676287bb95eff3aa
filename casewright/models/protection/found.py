"""A personal value in a text: where it stands and what kind it is."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

PersonalKind = Literal[
    "PERSON", "ORGANISATION", "EMAIL", "CARD", "IBAN", "NATIONAL_ID", "PHONE", "ACCOUNT", "ADDRESS", "BIRTH_DATE"
]
"""Also the word of its placeholder."""
KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)


class Found(NamedTuple):
    """One value by its place, the end exclusive."""

    kind: PersonalKind
    start: int
    end: int


def without_overlaps(found: Iterable[Found]) -> list[Found]:
    """What remains, in order of place, where of two that overlap the one given first is kept."""
    starts: list[int] = []
    kept: list[Found] = []
    for one in found:
        at = bisect_right(starts, one.start)
        before_ends = at == 0 or kept[at - 1].end <= one.start
        if before_ends and (at == len(kept) or one.end <= kept[at].start):
            starts.insert(at, one.start)
            kept.insert(at, one)
    return kept
