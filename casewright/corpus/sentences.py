"""Split a clause into its sentences, as verbatim slices.

When in doubt it does not split: a part of a sentence that passed for a whole one would let
a condition be dropped from a quote. It is deliberately *not* a general splitter.
"""

import re
from functools import lru_cache
from pathlib import Path

_BOUNDARY = re.compile(r"(?P<mark>[.?!])(?P<close>[\"'”’)\]]*)\s+(?=[\"'“‘(\[]*[A-Z§•])")
_ABBREVIATIONS = Path(__file__).parent / "data" / "abbreviations.txt"
_INITIAL = re.compile(r"[A-Z]|(?:[A-Za-z]\.)+[A-Za-z]")
_ENUMERATOR = re.compile(r"\(?(?:\d{1,3}|[ivxlc]{1,5}|[A-Za-z])\)?")


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of the text in order; joined with the spaces between, they are the text."""
    found: list[str] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        before = text[start : match.start()]
        if match.group("mark") == "." and not match.group("close") and _no_end(before):
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    rest = text[start:].strip()
    return (*found, rest) if rest else tuple(found)


def _no_end(before: str) -> bool:
    """Whether the full stop after `before` belongs to an abbreviation, an initial or a list number."""
    word = before.split()[-1] if before.split() else ""
    bare = word.lstrip("(['\"“‘")
    if bare.casefold() in _abbreviations() or _INITIAL.fullmatch(bare):
        return True
    return word == before.strip() and _ENUMERATOR.fullmatch(word) is not None


@lru_cache(maxsize=1)
def _abbreviations() -> frozenset[str]:
    return frozenset(_ABBREVIATIONS.read_text(encoding="utf-8").split())
