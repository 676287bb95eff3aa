"""Number words as digits: `forty-five` is 45, `third` is 3rd, `one hundred and twenty` is 120."""

import re
from collections.abc import Mapping

_SMALL: Mapping[str, int] = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS: Mapping[str, int] = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES: Mapping[str, int] = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_ORDINALS: Mapping[str, int] = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "fifteenth": 15, "twentieth": 20, "thirtieth": 30, "fortieth": 40, "fiftieth": 50, "sixtieth": 60,
    "ninetieth": 90,
}  # fmt: skip
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
_WORD = "|".join((*_SMALL, *_TENS, *_SCALES))
_RUN = re.compile(rf"\b(?:{_WORD})(?:(?:\s|-|(?<=hundred)\sand\s)(?:{_WORD}))*\b", re.IGNORECASE)
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b", re.IGNORECASE)
_UNITS = re.compile(
    r"[\s-]+(?:\(1\)\s)?(?:business|banking|working|calendar|day|week|month|year|hour|minute|percent|per\scent|dollar|cent)",
    re.IGNORECASE,
)


def digits_for_words(text: str) -> str:
    """The text with its number words in digits. `one` stays where it is a pronoun."""
    return _ORDINAL.sub(_ordinal, _RUN.sub(_run, text))


def _ordinal(match: re.Match[str]) -> str:
    number = _ORDINALS[match[0].casefold()]
    return f"{number}{_ENDINGS.get(number, 'th')}"


def _run(match: re.Match[str]) -> str:
    if match[0].casefold() == "one" and not _UNITS.match(match.string, match.end()):
        return match[0]
    if match[0].casefold() in _SCALES and match.string[: match.start()].rstrip()[-1:].isdigit():
        return match[0]
    words = [word for word in re.split(r"[\s-]+", match[0].casefold()) if word != "and"]
    return " ".join(str(number) for number in _numbers(words))


def _numbers(words: list[str]) -> list[int]:
    """The numbers that the words spell, a new one where two cannot be one: `two three` is 2 3."""
    done: list[int] = []
    whole, part, last = 0, 0, 10**12
    for word in words:
        if word in _SCALES:
            scale = _SCALES[word]
            part = max(part, 1) * scale
            if scale > 100:
                whole, part = whole + part, 0
            last = scale
            continue
        number = _SMALL.get(word, _TENS.get(word, 0))
        if last <= number or (last < 20 and part) or (last < 100 and number >= 10):
            done.append(whole + part)
            whole, part = 0, 0
        part, last = part + number, number
    return [*done, whole + part]
