"""Placeholders that were numbered in another order: the same texts all the same, and how to tell one from the other.

What stands for a person is numbered as it is met, so a run that is replayed after its case has grown may number anew.
Two texts are the same when their placeholders stand in the same places and each one of the first always stands for the
same one of the second, and the other way round.
"""

import re
from collections.abc import Mapping, Sequence

from casewright.models.protection.placeholders import PLACEHOLDER

_NUMBER = re.compile(r"[\d.]+")


def renumbering(before: Sequence[str], after: Sequence[str]) -> Mapping[str, str]:
    """For each placeholder of the first texts the one of the second that stands in its places; empty: there is none."""
    were, are = _placeholders(before), _placeholders(after)
    there: dict[str, str] = {}
    back: dict[str, str] = {}
    for was, now in zip(were, are, strict=False):
        alike = _NUMBER.sub("", was) == _NUMBER.sub("", now)
        if not alike or there.setdefault(was, now) != now or back.setdefault(now, was) != was:
            return {}
    return there if len(were) == len(are) else {}


def renumbered(text: str, numbers: Mapping[str, str]) -> str:
    """A text with every placeholder by its other number; one that has none stays."""
    return PLACEHOLDER.sub(lambda match: numbers.get(match[0], match[0]), text) if numbers else text


def _placeholders(texts: Sequence[str]) -> list[str]:
    return [match[0] for text in texts for match in PLACEHOLDER.finditer(text)]
