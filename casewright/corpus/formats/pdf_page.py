"""One page of a PDF as lines of characters and the ruled cells on it.

Turns the layout objects of the parser into our own values, so that nothing else knows the parser.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from casewright.corpus.front_matter import UnreadableDocumentError

_BOLD = re.compile(r"bold|black|heavy|semib|demi", re.I)
_THIN = 3.0
"""A filled rectangle up to so many points wide is a rule."""
_NEAR = 2.5


@dataclass(frozen=True)
class Letter:
    """One character, or a space that the layout implies."""

    text: str
    x: float
    y: float
    """Its middle."""
    size: float
    base: float
    """Its lower edge."""
    bold: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    """One printed line."""

    page: int
    letters: tuple[Letter, ...]
    x0: float
    x1: float
    top: float
    bottom: float

    @property
    def text(self) -> str:
        return "".join(letter.text for letter in self.letters)

    @property
    def size(self) -> float:
        """The size most of its letters have."""
        sizes: dict[float, int] = {}
        for letter in self.letters:
            if letter.text.strip():
                sizes[round(letter.size, 1)] = sizes.get(round(letter.size, 1), 0) + 1
        return max(sizes, key=lambda size: (sizes[size], size)) if sizes else 0.0

    @property
    def bold(self) -> bool:
        """Whether all of it is."""
        return all(letter.bold for letter in self.letters if letter.text.strip())


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A ruled table: the edges of its columns from the left and of its rows from the top."""

    columns: tuple[float, ...]
    rows: tuple[float, ...]

    def cell(self, letter: Letter) -> tuple[int, int] | None:
        """Row and column of the letter; None outside."""
        row = sum(letter.y < edge for edge in self.rows) - 1
        column = sum(letter.x > edge for edge in self.columns) - 1
        inside = 0 <= row < len(self.rows) - 1 and 0 <= column < len(self.columns) - 1
        return (row, column) if inside else None


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is on one page."""

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    """In reading order."""
    grids: tuple[Grid, ...]
    """From the top."""
    pictures: int

    @property
    def characters(self) -> int:
        return sum(len(line.text.strip()) for line in self.lines)


def page_of(layout: Any, number: int) -> Page:
    """Our page from the parser's."""
    lines = [line for box in _of_kind(layout, "LTTextBox") for line in _lines(box, number)]
    return Page(
        number=number,
        width=float(layout.width),
        height=float(layout.height),
        lines=tuple(line for line in lines if line.text.strip()),
        grids=tuple(_grids(layout)),
        pictures=sum(1 for _ in _of_kind(layout, "LTImage")),
    )


def _of_kind(container: Any, kind: str) -> Iterator[Any]:
    """The objects of a kind at any depth; a text box's own lines are left to it."""
    for each in container:
        names = {base.__name__ for base in type(each).__mro__}
        if kind in names:
            yield each
        elif "LTFigure" in names:
            yield from _of_kind(each, kind)


def _lines(box: Any, number: int) -> Iterator[Line]:
    for line in box:
        letters: list[Letter] = []
        for each in line:
            text = _letter(each.get_text())
            if hasattr(each, "size"):
                middle = (each.x0 + each.x1) / 2, (each.y0 + each.y1) / 2
                bold = _BOLD.search(each.fontname) is not None
                letters.append(Letter(text, *middle, float(each.size), float(each.y0), bold))
            elif letters:
                last = letters[-1]
                letters.append(Letter(" ", last.x, last.y, last.size, last.base, last.bold))
        yield Line(page=number, letters=tuple(letters), x0=line.x0, x1=line.x1, top=line.y1, bottom=line.y0)


def _letter(text: str) -> str:
    """The text of a glyph; the code that fonts of the Windows encoding leave unused prints a bullet.

    Raises:
        UnreadableDocumentError: the font does not say which letter the glyph is.
    """
    if not text.startswith("(cid:"):
        return text
    if text == "(cid:127)":
        return "•"
    raise UnreadableDocumentError(
        "its fonts do not say which letters they print; save it again with text, or convert it to another format"
    )


def _grids(layout: Any) -> Iterator[Grid]:
    """Tables that are ruled all round: rules that touch, with at least two columns and two rows."""
    across: list[tuple[float, float, float]] = []
    down: list[tuple[float, float, float]] = []
    for shape in (*_of_kind(layout, "LTLine"), *_of_kind(layout, "LTRect")):
        x0, x1, y0, y1 = float(shape.x0), float(shape.x1), float(shape.y0), float(shape.y1)
        if y1 - y0 <= _THIN < x1 - x0:
            across.append(((y0 + y1) / 2, x0, x1))
        elif x1 - x0 <= _THIN < y1 - y0:
            down.append(((x0 + x1) / 2, y0, y1))
        elif x1 - x0 > _THIN and y1 - y0 > _THIN:
            across += [(y0, x0, x1), (y1, x0, x1)]
            down += [(x0, y0, y1), (x1, y0, y1)]
    for band in _bands(down):
        bottom, top = min(each[1] for each in band), max(each[2] for each in band)
        rows = _distinct([y for y, _, _ in across if bottom - _NEAR <= y <= top + _NEAR])
        columns = _distinct([x for x, _, _ in band])
        if len(rows) >= 3 and len(columns) >= 3:
            yield Grid(columns=tuple(columns), rows=tuple(reversed(rows)))


def _bands(down: Sequence[tuple[float, float, float]]) -> Iterator[Sequence[tuple[float, float, float]]]:
    """The upright rules in groups that follow one another without a gap, from the top."""
    group: list[tuple[float, float, float]] = []
    low = 0.0
    for rule in sorted(down, key=lambda each: -each[2]):
        if group and rule[2] < low - _NEAR:
            yield group
            group = []
        low = rule[1] if not group else min(low, rule[1])
        group.append(rule)
    if group:
        yield group


def _distinct(values: Iterable[float]) -> list[float]:
    """The values in order, those that lie together as one."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > _NEAR:
            found.append(value)
    return found
