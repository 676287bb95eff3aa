"""Comparing texts by their words: enough to choose among sentences that are already relevant.

It is deliberately *not* retrieval; that is the corpus. Same input, same choice, on every machine.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

_TOKEN = re.compile(r"\d[\d.,]*\d|\d|[^\W\d_]+")
_COMMON_WORDS = (
    "a an and are as at be been but by for from had has have he her his i if in into is it its me my of on or our "
    "she so such than that the their them then there these they this to under upon was we were what when where "
    "which who whose will with you your"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "s", "ly", "e")
_SHORTEST_STEM = 3
_WORDS_KEPT = 16_384
"""Rules and cases use the same few thousand words again and again."""


@lru_cache(maxsize=_WORDS_KEPT)
def stem(word: str) -> str:
    """A crude English stem; words of other languages pass nearly unchanged."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def terms(text: str) -> Counter[str]:
    """The stems of `text` that carry meaning, with their counts."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return Counter(stem(token) for token in _TOKEN.findall(folded) if token not in _COMMON)


def overlap(wanted: Counter[str], text: str) -> float:
    """How much of `wanted` the text holds, from 0 to 1; numbers weigh twice."""
    held = terms(text)
    total = sum(_weight(term) for term in wanted)
    return sum(_weight(term) for term in wanted if term in held) / total if total else 0.0


def best(query: str, candidates: Sequence[str]) -> int:
    """Index of the candidate that best matches `query`; of equals the earliest.

    Raises:
        ValueError: there are no candidates.
    """
    wanted = terms(query)
    return max(range(len(candidates)), key=lambda index: (overlap(wanted, candidates[index]), -index))


def _weight(term: str) -> int:
    return 2 if term[0].isdigit() else 1
