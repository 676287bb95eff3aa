"""Postal addresses: streets with their number, boxes, and places with a postcode.

A street is looked for from its last word (`Street`, `Ave`, ...) backwards, so that a text without one costs a look.
"""

import re
from collections.abc import Iterator

from casewright.models.protection.found import Found

_WAY = re.compile(
    r"\b(?:Street|Avenue|Road|Boulevard|Lane|Drive|Court|Way|Place|Terrace|Circle|Highway|Parkway|Square|Trail|Loop|"
    r"Crescent|Close|St|Ave|Av|Rd|Blvd|Ln|Dr|Ct|Pl|Ter|Cir|Hwy|Pkwy|Sq|Trl|street|avenue|road|boulevard|STREET|AVENUE|"
    r"ROAD|DRIVE|LANE|ST|AVE|RD|DR|LN|BLVD)\b\.?"
)
_HOUSE = re.compile(
    r"(?<![\w.,$€£/-])\d{1,6}[A-Za-z]?,? "
    r"(?:(?:[NSEW]|NE|NW|SE|SW)\.? )?(?:(?:[A-Z][\w'.-]*|\d{1,3}(?:st|nd|rd|th)) ){1,4}$"
)
_HOUSE_IN_SMALL = re.compile(
    r"(?<![\w.,$€£/-])\d{1,6}[a-z]? "
    r"(?:(?!the |a |an |my |our |your |its |on |of |in |at |to |for |from |and |or |down |along |minutes? |miles? |"
    r"blocks? |hours? |days? |feet |years? )[\w'-]+ ){1,3}$"
)
_FURTHEST = 60
_REST = re.compile(
    r"(?: (?:NW|NE|SW|SE|N|S|E|W)\b\.?)?(?:,? ?(?:Apt|Apartment|Unit|Suite|Ste|Floor|Fl|Rm|Room|#)\.? ?#?[\w-]{1,6})?"
    r"(?:[, \n]{1,3}[A-Z][A-Za-z.'-]+(?: [A-Z][A-Za-z.'-]+){0,2}[, \n]{1,3}[A-Z]{2}\b(?:[ \n]\d{5}(?:-\d{4})?)?)?"
)
_PLACE = re.compile(
    r"(?<!\w)[A-Z][A-Za-z.'-]+(?: [A-Z][A-Za-z.'-]+){0,2},? "
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|"
    r"W[AIVY]) \d{5}(?:-\d{4})?(?!\w)"
)
_BOX = re.compile(r"\bP\.? ?O\.? ?Box \d{1,7}\b", re.IGNORECASE)
_ZIP = re.compile(
    r"\b(?:zip(?: code)?|postcode|postal code)\b(?: (?:is|was))?[ :]{1,3}(?P<value>\d{5}(?:-\d{4})?)(?!\w)", re.I
)
_UK_POSTCODE = re.compile(r"(?<!\w)(?:[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2})(?!\w)")
_GERMAN = re.compile(
    r"\b[A-ZÄÖÜ][\wäöüß-]*(?:straße|strasse|str\.|weg|platz|allee|gasse) \d{1,4}[a-z]?\b"
    r"(?:,? \d{5} [A-ZÄÖÜ][\wäöüß-]+)?"
)
_GERMAN_HINTS = ("stra", "str.", "weg", "platz", "allee", "gasse")
_FIVE_DIGITS = re.compile(r"\d{5}")


def addresses(text: str) -> Iterator[Found]:
    """Postal addresses in `text`, whole ones first."""
    for match in _WAY.finditer(text):
        began = _house(text, match)
        if began is not None:
            rest = _REST.match(text, match.end())
            yield Found("ADDRESS", began, rest.end() if rest else match.end())
    if any(hint in text for hint in _GERMAN_HINTS):
        yield from _all(_GERMAN, text)
    if _FIVE_DIGITS.search(text):
        yield from _all(_PLACE, text)
        for match in _ZIP.finditer(text):
            yield Found("ADDRESS", *match.span("value"))
    if "ox " in text or "OX " in text:
        yield from _all(_BOX, text)
    yield from _all(_UK_POSTCODE, text)


def _house(text: str, way: re.Match[str]) -> int | None:
    """Where the house number before a street's last word begins; None: there is none."""
    at = max(0, way.start() - _FURTHEST)
    before = text[at : way.start()].replace("\n", " ")
    match = _HOUSE.search(before) or (_HOUSE_IN_SMALL.search(before) if way[0].islower() else None)
    return at + match.start() if match else None


def _all(form: re.Pattern[str], text: str) -> Iterator[Found]:
    return (Found("ADDRESS", match.start(), match.end()) for match in form.finditer(text))
