"""Whether the words of a claim are backed by given texts: numbers, dates, amounts, modal verbs.

This is the quick check that lets a model mend its own answer. It is deliberately *not* the
citation gate: that one is in the drafting server and decides alone.
"""

import re
import unicodedata
from collections.abc import Iterable

from casewright.drafts.characters import hidden_characters

_ISO_DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)*%?")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_MODAL_WORDS = "must may might shall should can cannot could will would unless except only not never no nor without"
_MODALS = frozenset(_MODAL_WORDS.split())
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = {word: str(number) for number, word in enumerate(_UNITS.split())} | {
    word: str(number) for number, word in zip(range(30, 100, 10), _TENS.split(), strict=True)
}
_PRONOUN_LIKE = "one"
"""Too common as a pronoun to be held against a claim."""


def unsupported(claim: str, support: Iterable[str]) -> tuple[str, ...]:
    """Numbers, dates and modal words of `claim` that occur in none of `support`, in order."""
    wanted = _tokens(claim)
    held = {token for text in support for token in _tokens(text)}
    return tuple(token for token in wanted if token not in held)


def has_hidden_characters(text: str) -> bool:
    """True when the text holds invisible, bidirectional or control characters."""
    return bool(hidden_characters(text))


def spellings(path: str, value: str) -> tuple[str, ...]:
    """How a fact may be written: as it is, and minor units also in currency."""
    if path.endswith("_minor") and re.fullmatch(r"-?\d{1,15}", value):
        return (value, currency(int(value)))
    return (value,)


def currency(amount_minor: int) -> str:
    """12550 as 125.50."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02d}"


def _tokens(text: str) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    dates = _ISO_DATE.findall(folded)
    rest = _ISO_DATE.sub(" ", folded)
    numbers = [_plain(number) for number in _NUMBER.findall(rest)]
    words: list[str] = []
    for word in _WORD.findall(rest):
        if word.replace("\u2019", "'").endswith("n't"):
            words.append("not")
        elif word in _MODALS:
            words.append(word)
        elif word in _NUMBER_WORDS and word != _PRONOUN_LIKE:
            words.append(_NUMBER_WORDS[word])
    return tuple(dict.fromkeys([*dates, *numbers, *words]))


def _plain(number: str) -> str:
    percent = "%" if number.endswith("%") else ""
    digits = number.rstrip("%").replace(",", "")
    return (digits.rstrip("0").rstrip(".") if digits.count(".") == 1 else digits) + percent
