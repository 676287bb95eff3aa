"""National identifiers: how each is written, and the check digits that tell it from another number.

The check digits are python-stdnum's. A form that no other number has counts without them; one that many numbers have
counts only behind a word that says what it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from casewright.models.protection.found import Found


class _Number(Protocol):
    def is_valid(self, number: str) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Identifier:
    """One kind of identifier."""

    form: re.Pattern[str]
    checked_by: tuple[str, ...] = ()
    """Modules of `stdnum` of which one has to find it valid; none: the form says enough."""


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-])(?:{pattern})(?![\w-])")


FORMS: tuple[Identifier, ...] = (
    Identifier(form=_form(r"\d{3}-\d{2}-\d{4}")),
    Identifier(form=_form(r"\d{3} \d{2} \d{4}"), checked_by=("us.ssn", "us.itin")),
    Identifier(form=_form(r"\d{3}[ -]\d{3}[ -]\d{3}"), checked_by=("ca.sin",)),
    Identifier(form=_form(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), checked_by=("br.cpf",)),
    Identifier(form=_form(r"\d{4} \d{4} \d{4}"), checked_by=("in_.aadhaar",)),
    Identifier(form=_form(r"\d{2} \d{3} \d{3} \d{3}|\d{11}"), checked_by=("de.idnr", "pl.pesel", "no.fodselsnummer")),
    Identifier(form=_form(r"756\.\d{4}\.\d{4}\.\d{2}"), checked_by=("ch.ssn",)),
    Identifier(form=_form(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"), checked_by=("be.nn",)),
    Identifier(form=_form(r"(?:\d{2})?\d{6}[-+]\d{4}"), checked_by=("se.personnummer", "dk.cpr")),
    Identifier(form=_form(r"[12] ?\d{2} ?[0-3]\d ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"), checked_by=("fr.nir",)),
    Identifier(form=_form(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]")),
    Identifier(form=_form(r"\d{8}-?[A-Z]|[XYZ]-?\d{7}-?[A-Z]"), checked_by=("es.dni", "es.nie")),
    Identifier(form=_form(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"), checked_by=("it.codicefiscale",)),
    Identifier(form=_form(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d"), checked_by=("mx.curp",)),
    Identifier(form=_form(r"\d{6}[-+A]\d{3}[0-9A-Y]"), checked_by=("fi.hetu",)),
)
_MARKED = re.compile(
    r"\b(?:ssn|social security|itin|tin|ein|tax(?:payer)? id|passport|driver'?s? licen[cs]e|licen[cs]e|"
    r"national id|id card|identity card|sin|bsn|tfn|nhs|pesel|nif|personal id)\b"
    r"(?:[ \n]+(?:number|numbers|no|nr|num|card|is|was))*[ \n.:#\"=-]{0,6}"
    r"(?P<value>(?:[A-Z]{0,3}\d[A-Z\d -]{3,15}[A-Z\d])(?![\w-]))",
    re.IGNORECASE,
)
_TRAILING_WORD = re.compile(r"(?:[ -]+[A-Za-z]+)+$")
_FEWEST_DIGITS = 5


def identifiers(text: str, start: int, end: int) -> Iterator[Found]:
    """National identifiers in a part of `text`, as recognisers read it."""
    for one in FORMS:
        for match in one.form.finditer(text, start, end):
            if not one.checked_by or any(_valid(name, match[0]) for name in one.checked_by):
                yield Found("NATIONAL_ID", match.start(), match.end())
    for match in _MARKED.finditer(text, start, end):
        value = _TRAILING_WORD.sub("", match["value"])
        if sum(character.isdigit() for character in value) >= _FEWEST_DIGITS:
            yield Found("NATIONAL_ID", match.start("value"), match.start("value") + len(value))


def valid_card(digits: str) -> bool:
    """Whether digits have the length, the beginning and the check digit (Luhn, ISO/IEC 7812-1) of a payment card."""
    return 13 <= len(digits) <= 19 and digits[0] in "23456" and _number("luhn").is_valid(digits)


def valid_iban(text: str) -> bool:
    """Whether letters and digits are an IBAN: the length of its country and the check digits (ISO 13616)."""
    return _number("iban").is_valid(text)


def _valid(name: str, text: str) -> bool:
    return _number(name).is_valid(text.replace(" ", ""))


@cache
def _number(name: str) -> _Number:
    # Imported when the first number of its form is met: most texts need none of them.
    return cast(_Number, import_module(f"stdnum.{name}"))
