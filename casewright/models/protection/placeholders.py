"""Placeholders for personal values, and the way back.

One `Placeholders` serves one run: the same value has the same placeholder in every text of it. A value keeps one number
however it is written, and each way of writing it a suffix (`[PERSON_1]`, `[PERSON_1.2]`), so that a restored text is
the text that was given, character for character. What already looks like a placeholder is replaced like a value.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from threading import Lock
from typing import cast

from casewright.models.protection.found import KINDS, Found, PersonalKind, without_overlaps
from casewright.models.protection.known import KnownValue, KnownValues
from casewright.models.protection.recognisers import recognise
from casewright.models.protection.shadow import shadow

_LITERAL = "TEXT"
"""Of text that only looked like a placeholder."""
PLACEHOLDER = re.compile(rf"\[(?:{'|'.join((*KINDS, _LITERAL))})_[1-9]\d{{0,5}}(?:\.[1-9]\d{{0,3}})?\]")
LONGEST_PLACEHOLDER = max(map(len, (*KINDS, _LITERAL))) + len("[_999999.9999]")
_KEPT_TEXTS = 512
_LONGEST_KEPT = 20_000
_FEWEST_DIGITS = 6
_MOST_TOLD = 500
"""Values that are looked for in every text; a case has a few."""
_BLOCK = re.compile(r"^(\[\[[^\n]*\n?)", re.MULTILINE)
"""The lines that delimit the blocks of a prompt; no value reaches across one."""
_DELIMITER = re.compile(r"\[\[[0-9a-f]{24} [a-z_ ]{1,80}\]\]")
"""Of our own making, so that there is nothing to look for in it: a marker and the name of a field."""
_UNPRINTED = re.compile(r"[^0-9a-z\u00df-\uffff]+")


class Placeholders:
    """What stands for what, in both directions. Safe to use from several threads."""

    def __init__(self, known: Iterable[KnownValue] = (), texts: Iterable[str] = ()) -> None:
        """See `learn`."""
        self._values: tuple[KnownValue, ...] = ()
        self._known = KnownValues(())
        self._told: dict[str, PersonalKind] = {}
        self._told_form: re.Pattern[str] | None = None
        self._numbers: dict[tuple[str, str], int] = {}
        self._last: dict[str, int] = {}
        self._ways: dict[tuple[str, int], int] = {}
        self._by_surface: dict[tuple[str, str], str] = {}
        self._surfaces: dict[str, str] = {}
        self._lock = Lock()
        self._redacted: dict[str, str] = {}
        self.learn(known, texts)

    def learn(self, known: Iterable[KnownValue], texts: Iterable[str]) -> None:
        """Number the known values, then what is recognised in `texts`, in their order: so a run that goes on in
        another process has the same placeholders. What is learnt later comes after it. A value that the words beside
        it gave away in one of the texts is found in every text from then on, also where it stands alone.
        """
        values = tuple(dict.fromkeys((*self._values, *known)))
        with self._lock:
            self._values, self._known = values, KnownValues(values)
            self._redacted.clear()
            for value in values:
                number = self._known.number(value.text)
                if number is not None:
                    self._placeholder(value.kind, value.text, number)
        for text in texts:
            self.redact(text)
        with self._lock:
            told = [one for one in self._by_surface if self._needs_words(*one)][:_MOST_TOLD]
            self._told = {_canonical(surface): cast(PersonalKind, kind) for kind, surface in told}
            forms = "|".join(sorted({_spaced(surface) for _, surface in told}, key=lambda form: (-len(form), form)))
            self._told_form = re.compile(rf"(?<!\w)(?:{forms})(?!\w)", re.IGNORECASE) if forms else None
            self._redacted.clear()

    def redact(self, text: str) -> str:
        """`text` with a placeholder for every personal value that is known or recognised."""
        with self._lock:
            # A run sends the same narrative and the same clauses again and again.
            known = self._redacted.get(text)
            if known is None:
                known = self._redact(text)
                if len(self._redacted) < _KEPT_TEXTS and len(text) < _LONGEST_KEPT:
                    self._redacted[text] = known
            return known

    def _redact_block(self, piece: str) -> str:
        body = piece.rstrip("\n")
        return piece if not body or _DELIMITER.fullmatch(body) else f"{self.redact(body)}{piece[len(body) :]}"

    def _redact(self, text: str) -> str:
        plain = shadow(text)
        found = dict(self._known.find(plain))
        literal = [(match.start(), match.end()) for match in PLACEHOLDER.finditer(text)] if "[" in text else []
        pieces: list[str] = []
        at = 0
        for start, end, one in _merged(without_overlaps(chain(found, recognise(plain), self._alone(plain))), literal):
            kind = one.kind if one else _LITERAL
            number = found.get(one) if one else None
            pieces += (text[at:start], self._placeholder(kind, text[start:end], number))
            at = end
        return "".join((*pieces, text[at:])) if pieces else text

    def _needs_words(self, kind: str, surface: str) -> bool:
        """Whether a value tells something by itself, and would not be found without the words that gave it away."""
        return _tells_alone(kind, surface) and self._known.number(surface) is None and not _is_recognised(surface)

    def _alone(self, plain: str) -> Iterator[Found]:
        for match in self._told_form.finditer(plain) if self._told_form else ():
            if kind := self._told.get(_canonical(match[0])):
                yield Found(kind, match.start(), match.end())

    def redact_blocks(self, text: str) -> str:
        """The same for a prompt, block by block: a block that is a text of the case was redacted with the case."""
        return "".join(map(self._redact_block, _BLOCK.split(text)))

    def restore(self, text: str) -> str:
        """`text` with every placeholder that was given out replaced by what it stands for."""
        return PLACEHOLDER.sub(lambda match: self._surfaces.get(match[0], match[0]), text) if "[" in text else text

    def restore_json(self, text: str) -> str:
        """The same for the text of a JSON document: values are escaped, so that it stays one."""
        if "[" not in text:
            return text
        return PLACEHOLDER.sub(lambda match: _escaped(self._surfaces.get(match[0], match[0])), text)

    def _placeholder(self, kind: str, surface: str, known: int | None) -> str:
        value = f"#{known}" if known is not None else _canonical(surface)
        made = self._by_surface.get((kind, surface))
        if made is None:
            number = self._number(kind, value)
            way = self._ways[kind, number] = self._ways.get((kind, number), 0) + 1
            made = f"[{kind}_{number}]" if way == 1 else f"[{kind}_{number}.{way}]"
            self._by_surface[kind, surface] = made
            self._surfaces[made] = surface
        return made

    def _number(self, kind: str, value: str) -> int:
        number = self._numbers.get((kind, value))
        if number is None:
            number = self._numbers[kind, value] = self._last[kind] = self._last.get(kind, 0) + 1
        return number


def _merged(places: list[Found], literal: list[tuple[int, int]]) -> Iterator[tuple[int, int, Found | None]]:
    """Both in order of place; a value that overlaps what looks like a placeholder gives way to it."""
    kept: list[tuple[int, int, Found | None]] = [(start, end, None) for start, end in literal]
    for one in places:
        if not any(start < one.end and one.start < end for start, end in literal):
            kept.append((one.start, one.end, one))
    return iter(sorted(kept, key=lambda item: item[0]))


def _canonical(surface: str) -> str:
    """What a value is, however it is written: letters in small, digits, nothing else; itself where nothing remains."""
    return _UNPRINTED.sub("", surface.casefold()) or surface


def _is_recognised(surface: str) -> bool:
    return any(one.start == 0 and one.end == len(surface) for one in recognise(shadow(surface)))


def _tells_alone(kind: str, surface: str) -> bool:
    """Whether a value is itself wherever it stands; a first name or the last four digits may be anything."""
    if kind == "PERSON":
        return " " in surface
    return kind != _LITERAL and sum(character.isdigit() for character in surface) >= _FEWEST_DIGITS


def _spaced(surface: str) -> str:
    """A pattern for a value as `shadow` shows it, whatever stands between its words."""
    return r"\s+".join(map(re.escape, shadow(surface).split()))


def _escaped(surface: str) -> str:
    """A value as it stands inside a string of JSON; one that was found in JSON is escaped there already."""
    if "\\" in surface:
        try:
            read: object = json.loads(f'"{surface}"')
        except ValueError:
            read = surface
        surface = read if isinstance(read, str) else surface
    return json.dumps(surface, ensure_ascii=False)[1:-1]
