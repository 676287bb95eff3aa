"""Where the marker of a list item stands: `(a)`, `(1)`, `(i)`, bullets, nested to any depth.

"(i)" may be the ninth letter or the first roman numeral; what came before decides, and the depth
where the format states it. Called by `clauses` alone, one list per paragraph that leads into it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Style = Literal["letter", "roman", "number", "capital", "great roman", "bullet"]
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_ROMAN_SHAPE = re.compile(r"(?=.)c{0,3}(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")


@dataclass(frozen=True)
class _Place:
    style: Style
    ordinal: int
    part: str
    """As it stands in the label: `(a)`, `-b2`."""


@dataclass(kw_only=True)
class Numbering:
    """The open levels of the list under one paragraph."""

    _levels: list[_Place] = field(default_factory=list[_Place])
    _bullets: dict[str, int] = field(default_factory=dict[str, int])
    _expected: _Place | None = None
    """The place that the marker at hand follows on."""

    def place(self, marker: str, depth: int = 0) -> str:
        """What the item adds to the label of the paragraph above the list; `depth` from 1, 0 where unknown."""
        readings = _readings(marker)
        self._expected = None
        if depth:
            del self._levels[depth - 1 :]
        elif not self._continue(readings):
            self._open(readings)
        chosen = self._chosen(readings)
        above = "".join(level.part for level in self._levels)
        if chosen.style == "bullet":
            self._bullets[above] = ordinal = self._bullets.get(above, 0) + 1
            chosen = _Place("bullet", ordinal, f"-b{ordinal}")
        self._levels.append(chosen)
        return above + chosen.part

    def _continue(self, readings: Sequence[_Place]) -> bool:
        """Go back to the innermost level that the marker follows on; False where there is none."""
        for index in range(len(self._levels) - 1, -1, -1):
            level = self._levels[index]
            if any(each.style == level.style and _follows(each, level) for each in readings):
                del self._levels[index:]
                self._expected = level
                return True
        return False

    def _open(self, readings: Sequence[_Place]) -> None:
        """Stay below the innermost level if this begins a list; else replace the level of its style."""
        if any(each.ordinal == 1 for each in readings):
            return
        for index in range(len(self._levels) - 1, -1, -1):
            if any(each.style == self._levels[index].style for each in readings):
                del self._levels[index:]
                return

    def _chosen(self, readings: Sequence[_Place]) -> _Place:
        expected = self._expected
        if expected is not None:
            return next(each for each in readings if each.style == expected.style)
        return min(readings, key=lambda each: (each.ordinal != 1, readings.index(each)))


def _follows(each: _Place, level: _Place) -> bool:
    return each.style == "bullet" or each.ordinal == level.ordinal + 1


def _readings(marker: str) -> Sequence[_Place]:
    """What the marker may mean, the likeliest first."""
    core = marker.strip("().").strip()
    if not core or not core.isascii() or not core.isalnum():
        return (_Place("bullet", 0, "-b"),)
    part = f"({core})"
    if core.isdigit():
        return (_Place("number", int(core), part),)
    found: list[_Place] = []
    lower = core.casefold()
    if len(core) <= 2 and len(set(lower)) == 1:
        ordinal = ord(lower[0]) - 96 + 26 * (len(core) - 1)
        found.append(_Place("letter" if core.islower() else "capital", ordinal, part))
    if _ROMAN_SHAPE.fullmatch(lower):
        found.append(_Place("roman" if core.islower() else "great roman", _roman(lower), part))
    return tuple(found) or (_Place("letter", 0, part),)


def _roman(text: str) -> int:
    values = [_ROMAN[letter] for letter in text]
    return sum(
        -value if index + 1 < len(values) and values[index + 1] > value else value for index, value in enumerate(values)
    )
