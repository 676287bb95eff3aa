"""Numbers, dates, amounts, durations, references and identifiers that a text states.

A value is a kind and one canonical spelling, so `$1,000.00`, `1000 USD` and `one thousand
dollars` are equal while `45 days` and `45 business days` are not. Text that is no value is
handed back for the check of the words. It judges nothing.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from casewright.drafts.folding import folded
from casewright.drafts.number_words import digits_for_words


class Value(NamedTuple):
    """A kind and one canonical spelling."""

    kind: str
    text: str


_N = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_START = r"(?<![\w.])"
_SIGN = r"(?:(?<![\w)])-)?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|(?-i:May|MAY)|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_SYMBOLS = {"$": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_NAMES = {"dollar": "USD", "euro": "EUR", "pound": "GBP", "cent": "USD"}
_CODES = "usd|eur|gbp|jpy|chf|cad|aud|nzd|cny|inr|mxn|brl|krw|sek|nok|dkk|pln|czk|sgd|hkd|zar|aed|kwd|bhd"
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_SCALE = r"(?:\s?(thousand|million|billion))?"
_QUALIFIERS = {"business": "business ", "banking": "business ", "working": "business "}


def values_in(text: str) -> frozenset[Value]:
    """The values that `text` states."""
    return split(text)[0]


def supported_by(text: str) -> frozenset[Value]:
    """The values a claim may state on the strength of `text`: its own and what they contain."""
    stated = values_in(text)
    return stated | {weaker for value in stated for weaker in _contained(value)}


@lru_cache(maxsize=4_096)
def split(text: str) -> tuple[frozenset[Value], str]:
    """The values of `text`, and the rest in lower case with a mark where each value was."""
    rest = _TWICE.sub(r"\1", digits_for_words(folded(text)))
    found: set[Value] = set()
    for pattern, read in _READERS:

        def take(match: re.Match[str], read: Callable[[re.Match[str]], Iterable[Value]] = read) -> str:
            found.update(read(match))
            return " ¤ "

        rest = pattern.sub(take, rest)
    return frozenset(found), rest.casefold()


_TWICE = re.compile(rf"{_START}({_N})\s\(\1\)")
"""`10 (10) days`, once the word before the parenthesis is a number, too."""


def _reference(match: re.Match[str]) -> Iterable[Value]:
    yield Value("reference", match[1].casefold())


def _iso_date(match: re.Match[str]) -> Iterable[Value]:
    yield Value("date", f"{match[1]}-{match[2]}-{match[3]}")
    if match[4]:
        yield Value("time", match[4].casefold())


def _month_first(match: re.Match[str]) -> Iterable[Value]:
    yield _date(match[3], match[1], match[2])


def _day_first(match: re.Match[str]) -> Iterable[Value]:
    yield _date(match[3], match[2], match[1])


def _month_year(match: re.Match[str]) -> Iterable[Value]:
    yield Value("month", f"{match[2]}-{_month_number(match[1])}")


def _date(year: str | None, month: str, day: str) -> Value:
    if year is None:
        return Value("day", f"{_month_number(month)}-{int(day):02d}")
    return Value("date", f"{year}-{_month_number(month)}-{int(day):02d}")


def _month_number(name: str) -> str:
    return f"{_MONTHS.index(name[:3].casefold()) + 1:02d}"


def _slashed(match: re.Match[str]) -> Iterable[Value]:
    yield Value("slashed date", match[0])


def _percent(match: re.Match[str]) -> Iterable[Value]:
    yield Value("percentage", _plain(match[1]))


def _symbol_first(match: re.Match[str]) -> Iterable[Value]:
    unit = match[2].casefold()
    yield _money(_SYMBOLS.get(unit, unit.upper()), match[1] + match[3], match[4])


def _symbol_last(match: re.Match[str]) -> Iterable[Value]:
    unit = match[3].casefold()
    name = unit.removesuffix("s")
    if name == "cent":
        dollars = Decimal(match[1].replace(",", "")) / 100
        yield Value("amount", f"USD {_plain(f'{dollars:f}')}")
        return
    yield _money(_NAMES.get(name) or _SYMBOLS.get(unit, unit.upper()), match[1], match[2])


def _money(currency: str, number: str, scale: str | None) -> Value:
    return Value("amount", f"{currency} {_scaled(number, scale)}")


def _duration(match: re.Match[str]) -> Iterable[Value]:
    qualifier = _QUALIFIERS.get((match[3] or "").casefold(), "")
    for number in (match[1], match[2]):
        if number:
            yield Value("duration", f"{_plain(number)} {qualifier}{match[4].casefold()}")


def _clock(match: re.Match[str]) -> Iterable[Value]:
    yield Value("time", re.sub(r"[\s.]", "", match[0].casefold()))


def _ordinal(match: re.Match[str]) -> Iterable[Value]:
    yield Value("ordinal", match[1])


def _identifier(match: re.Match[str]) -> Iterable[Value]:
    yield Value("identifier", match[0].casefold().rstrip(".:/-_"))


def _quantity(match: re.Match[str]) -> Iterable[Value]:
    yield Value("quantity", match[1].casefold())


def _number(match: re.Match[str]) -> Iterable[Value]:
    yield Value("number", _scaled(match[1], match[2]))


def _scaled(number: str, scale: str | None) -> str:
    if not scale:
        return _plain(number)
    return _plain(f"{Decimal(number.replace(',', '')) * _SCALES[scale.casefold()]:f}")


def _plain(number: str) -> str:
    """Without separators and needless zeros; no arithmetic, so no digit is ever rounded away."""
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    whole, _, fraction = digits.replace(",", "").partition(".")
    fraction = fraction.rstrip("0")
    return sign + (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")


def _contained(value: Value) -> Iterable[Value]:
    """Weaker statements that a value carries: a full date its month, 45 days the number 45."""
    match value.kind:
        case "date":
            yield Value("month", value.text[:7])
            yield Value("day", value.text[5:])
            yield Value("number", _plain(value.text[:4]))
        case "month":
            yield Value("number", _plain(value.text[:4]))
        case "duration":
            yield Value("number", value.text.partition(" ")[0])
        case "amount":
            yield Value("number", value.text.partition(" ")[2])
        case "reference":
            parts = re.findall(r"^[^(]+|\([^)]*\)", value.text)
            for end in range(2, len(parts)):
                yield Value("reference", "".join(parts[:end]))
            if re.fullmatch(r"\d+(?:\.\d+)?", parts[0]):
                yield Value("number", _plain(parts[0]))
        case _:
            return


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterable[Value]]], ...] = (
    (_pattern(r"(?<![\w.])(?:§{1,2}\s?)?(\d+(?:\.\d+)*(?:\([a-z0-9]{1,6}\))+(?:-\d+)?)"), _reference),
    (_pattern(r"(?<![\w-])(\d{4})-(\d{2})-(\d{2})(?:t([\d:.]+(?:z|[+-]\d{2}:?\d{2})?))?(?![\w-])"), _iso_date),
    (_pattern(rf"\b{_MONTH}\s{_DAY},?\s(\d{{4}})\b"), _month_first),
    (_pattern(rf"\b{_DAY}\s(?:(?:day\s)?of\s)?{_MONTH},?\s(\d{{4}})\b"), _day_first),
    (_pattern(rf"\b{_MONTH},?\s(\d{{4}})\b"), _month_year),
    (_pattern(rf"\b{_MONTH}\s{_DAY}()\b"), lambda match: (_date(None, match[1], match[2]),)),
    (_pattern(rf"\b{_DAY}\s(?:(?:day\s)?of\s)?{_MONTH}(?!\w)"), lambda match: (_date(None, match[2], match[1]),)),
    (_pattern(r"(?<![\w/])\d{1,2}/\d{1,2}/\d{2,4}(?![\w/])"), _slashed),
    (_pattern(rf"{_START}({_SIGN}{_N})\s?(?:%|percent\b|per\scent\b|percentage\spoints?\b)"), _percent),
    (_pattern(rf"({_SIGN})(us\$|[$€£¥]|\b(?:{_CODES})\b)\s?(-?{_N}){_SCALE}(?![\d])"), _symbol_first),
    (_pattern(rf"{_START}({_SIGN}{_N}){_SCALE}\s?(€|£|\b(?:{_CODES}|dollars?|euros?|pounds?|cents?)\b)"), _symbol_last),
    (
        _pattern(
            rf"{_START}({_N})(?:\s?(?:-|to|or|and)\s?({_N}))?"
            r"(?:\s(?:or|and)\s(?:more|fewer|less|greater|later))?[\s-]*"
            r"(business|banking|working|calendar|consecutive)?[\s-]*(day|week|month|year|hour|minute)s?\b"
        ),
        _duration,
    ),
    (_pattern(r"(?<![\w:])\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b\.?)?"), _clock),
    (_pattern(rf"{_START}(\d+)(?:st|nd|rd|th)\b"), _ordinal),
    (_pattern(r"(?<![\w])(?=[\w.:/@-]*[a-z])(?=[\w.:/@-]*\d)[a-z0-9][\w.:/@-]*"), _identifier),
    (_pattern(rf"({_SIGN}(?<!\d){_N}){_SCALE}\b"), _number),
    (_pattern(r"\b(half|twice|double|triple|dozens?|quarter)\b"), _quantity),
)
"""Tried in this order; each takes what it reads out of the text."""
