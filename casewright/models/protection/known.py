"""Values that are known to be personal, such as the names of a case's parties, found wherever they stand.

A name is found whole, as "Last, First", and by each part that is no common word; parts only as they are printed, with a
capital, so that the party Grace Bill leaves a grace period and a bill alone.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from casewright.models.protection.found import Found, PersonalKind

_SHORTEST_PART = 3
_SHORTEST_VALUE = 4
_COMMON_WORDS = (
    "may will mark bill grace rose april june august summer case credit union bank card chase price cash rich frank "
    "best day long short young brown green white black gray grey king law page park pay penny reed west east north "
    "south hill wood woods stone street rule banks fee fees faith hope joy art drew chance major miles dean duke earl "
    "baker cook carter mason miller smith porter post office the and for inc llc ltd company corp group store stores "
    "unknown customer merchant bureau consumer federal national state trust savings first american"
)
_COMMON = frozenset(_COMMON_WORDS.split())
"""Parts of names that are common words: alone they count only where they stand in the whole name."""


@dataclass(frozen=True, kw_only=True)
class KnownValue:
    """One value of a case that is personal."""

    kind: PersonalKind
    text: str


class KnownValues:
    """Finds every given value in texts. Numbered in the order given, so that the order is the placeholder's number."""

    def __init__(self, values: Iterable[KnownValue]) -> None:
        self._kinds: list[PersonalKind] = []
        whole: list[str] = []
        parts: list[str] = []
        self._owners: dict[str, int] = {}
        for value in dict.fromkeys(values):
            text = " ".join(value.text.split())
            if len(text) < _SHORTEST_VALUE and " " not in text:
                continue
            self._kinds.append(value.kind)
            number = len(self._kinds) - 1
            for form in _whole_forms(value.kind, text):
                self._owners.setdefault(form.casefold(), number)
                whole.append(_pattern(form))
            for part in _parts(value.kind, text):
                self._owners.setdefault(part.casefold(), number)
                parts += [re.escape(part[0].upper() + part[1:]), re.escape(part.upper())]
        self._forms = tuple(
            re.compile(rf"(?<!\w)(?:{'|'.join(sorted(set(forms), key=len, reverse=True))})(?!\w)", flags)
            for forms, flags in ((whole, re.IGNORECASE), (parts, 0))
            if forms
        )

    def number(self, text: str) -> int | None:
        """Of the value that is written like this; None: it is none of them."""
        return self._owners.get(" ".join(text.split()).casefold())

    def find(self, text: str) -> Iterator[tuple[Found, int]]:
        """Where they stand in `text`, made plain by `shadow`, each with the number of its value; whole ones first."""
        for form in self._forms:
            for match in form.finditer(text):
                number = self.number(match[0])
                if number is not None:
                    yield Found(self._kinds[number], match.start(), match.end()), number


def _whole_forms(kind: PersonalKind, text: str) -> tuple[str, ...]:
    words = text.split()
    if kind == "PERSON" and len(words) > 1:
        return (text, f"{words[-1]}, {' '.join(words[:-1])}", f"{words[0]} {words[-1]}")
    return (text,)


def _parts(kind: PersonalKind, text: str) -> tuple[str, ...]:
    if kind != "PERSON":
        return ()
    words = [word.strip(".,") for word in text.split()]
    return tuple(word for word in words if len(word) >= _SHORTEST_PART and word.casefold() not in _COMMON)


def _pattern(text: str) -> str:
    """The text with any space between its words."""
    return r"\s+".join(re.escape(word) for word in text.split())
