"""From the printed lines of a PDF to its blocks: headings by size and weight, paragraphs by gaps.

Lines that come back on most pages, and page numbers, are left out. Ruled tables become rows. A
paragraph goes on over the page end. Pure; called by `pdf`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from casewright.corpus.formats.blocks import Block, run_of_text
from casewright.corpus.formats.pdf_page import Grid, Line, Page
from casewright.corpus.formats.pdf_tables import rows_of
from casewright.corpus.formats.pdf_words import joined
from casewright.corpus.grammar import begins_paragraph, leading_marker

_MARGIN = 0.1
"""Share of the page's height at top and bottom where running lines are looked for."""
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(r"(?:page\s+)?[-–—]?\s*\d{1,5}\s*[-–—]?(?:\s*(?:of|/)\s*\d{1,5})?", re.I)
_FOOTNOTE = re.compile(r"\[?(\d{1,3})\]?\s+(?=\S)")
_ENDS = (".", ";", ":", ",", "?", "!")
_CLOSES = (".", "?", "!", ";", ":")
_BULLETS = "•‣◦▪●○–*-"
_LARGER, _SMALLER = 1.12, 0.93
_GAP = 0.45
"""Of the line height: more white than this above a line begins a paragraph."""


@dataclass(kw_only=True)
class _Paragraph:
    lines: list[Line]

    @property
    def last(self) -> Line:
        return self.lines[-1]


@dataclass(frozen=True, kw_only=True)
class _Style:
    """What is usual in this document."""

    body: float
    headings: tuple[float, ...]
    """Sizes above the body's, the largest first."""
    vocabulary: frozenset[str]
    right: float
    """Where full lines end."""
    left: float


def blocks_of(pages: Sequence[Page]) -> Iterator[Block]:
    """The blocks of all pages in order."""
    running = _running_lines(pages)
    kept = [[line for line in page.lines if line not in running[page.number]] for page in pages]
    style = _style([line for lines in kept for line in lines])
    assembly = _Assembly(style=style)
    for page, lines in zip(pages, kept, strict=True):
        yield from assembly.page(page, lines)
    yield from assembly.close()


def _style(lines: Sequence[Line]) -> _Style:
    sizes: Counter[float] = Counter()
    words: Counter[str] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
        words.update(word.strip(".,;:()“”\"'").casefold() for word in line.text.split())
    body = max(sizes, key=lambda size: sizes[size], default=10.0)
    full = sorted(line.x1 for line in lines if line.size == body)
    return _Style(
        body=body,
        headings=tuple(sorted((size for size in sizes if size >= body * _LARGER), reverse=True)),
        vocabulary=frozenset(words),
        right=full[int(len(full) * 0.9)] if full else 0.0,
        left=min((line.x0 for line in lines), default=0.0),
    )


def _running_lines(pages: Sequence[Page]) -> dict[int, set[Line]]:
    """Heads, feet and page numbers, by page."""
    seen: Counter[tuple[str, int]] = Counter()
    found: dict[int, set[Line]] = {page.number: set() for page in pages}
    margins = [(page, line) for page in pages for line in page.lines if _in_margin(page, line)]
    for _, line in margins:
        seen[_running_key(line)] += 1
    often = max(2, len(pages) // 2)
    for page, line in margins:
        if seen[_running_key(line)] >= often or _PAGE_NUMBER.fullmatch(line.text.strip()):
            found[page.number].add(line)
    return found


def _running_key(line: Line) -> tuple[str, int]:
    return _DIGITS.sub("#", " ".join(line.text.split())), round(line.top / 4)


def _in_margin(page: Page, line: Line) -> bool:
    return line.bottom > page.height * (1 - _MARGIN) or line.top < page.height * _MARGIN


@dataclass(kw_only=True)
class _Assembly:
    """Goes through the pages once and holds the paragraph that may still go on."""

    style: _Style
    _open: _Paragraph | None = None
    _indents: list[float] = field(default_factory=list[float])
    _notes: list[Block] = field(default_factory=list[Block])
    _table: tuple[int, Grid, tuple[str, ...]] | None = None
    """The table that nothing has followed yet: its page, its edges, its heads."""

    def page(self, page: Page, lines: Sequence[Line]) -> Iterator[Block]:
        """The blocks that are whole once this page is read."""
        tables = {id(grid): [line for line in lines if _inside(grid, line)] for grid in page.grids}
        pending = [grid for grid in page.grids if tables[id(grid)]]
        within = {id(line) for found in tables.values() for line in found}
        for line in [line for line in lines if id(line) not in within]:
            while pending and pending[0].rows[0] > line.top:
                yield from self._rows(page, pending.pop(0), tables)
            self._table = None
            yield from self._line(line)
        for grid in pending:
            yield from self._rows(page, grid, tables)
        yield from self._finish_notes()

    def close(self) -> Iterator[Block]:
        """What is left."""
        yield from self._flush()
        yield from self._notes

    def _rows(self, page: Page, grid: Grid, tables: dict[int, list[Line]]) -> Iterator[Block]:
        yield from self._flush()
        before, carried = self._table, None
        if before and before[0] == page.number - 1 and len(before[1].columns) == len(grid.columns):
            carried = before[2]
        header, blocks = rows_of(
            grid, tables[id(grid)], page=page.number, vocabulary=self.style.vocabulary, carried=carried
        )
        self._table = (page.number, grid, header)
        yield from blocks

    def _line(self, line: Line) -> Iterator[Block]:
        if self._open is not None and self._goes_on(self._open.last, line):
            self._open.lines.append(line)
            return
        yield from self._flush()
        self._open = _Paragraph(lines=[line])

    def _goes_on(self, before: Line, line: Line) -> bool:
        """Whether the line belongs to the paragraph that the line before is of."""
        if before.size != line.size or (before.bold != line.bold and self._is_heading([before])):
            return False
        if begins_paragraph(line.text.strip(), before.text):
            return False
        if before.page != line.page:
            unfinished = not before.text.rstrip().endswith(_CLOSES)
            return unfinished or before.x1 > self.style.right * 0.93
        gap = before.bottom - line.top
        return -2 * line.size < gap <= _GAP * line.size

    def _is_heading(self, lines: Sequence[Line]) -> bool:
        first = lines[0]
        if first.size in self.style.headings:
            return True
        whole = " ".join(line.text.strip() for line in lines)
        return first.bold and all(line.bold for line in lines) and len(whole) <= 200 and not whole.endswith(_ENDS)

    def _flush(self) -> Iterator[Block]:
        if self._open is None:
            return
        lines, self._open = self._open.lines, None
        page = lines[0].page
        pieces = joined(lines, self.style.vocabulary)
        block = run_of_text(pieces, place=page)
        if block is None:
            return
        if block.label is None and self._is_heading(lines):
            sizes = self.style.headings
            level = sizes.index(lines[0].size) + 1 if lines[0].size in sizes else len(sizes) + 1
            yield Block(kind="heading", text=block.text, place=page, level=min(9, level))
        elif lines[0].size <= self.style.body * _SMALLER and (note := _FOOTNOTE.match(block.text)):
            self._notes.append(Block(kind="footnote", text=block.text[note.end() :], place=page, marker=note.group(1)))
        else:
            yield self._bulleted(block, lines[0])

    def _bulleted(self, block: Block, line: Line) -> Block:
        """The block as a list item where it begins with a bullet, its depth by how far it is set in."""
        begun = leading_marker(block.text) if block.label is None else None
        if begun is None or begun.mark not in _BULLETS:
            self._indents.clear()
            return block
        self._indents[:] = [each for each in self._indents if each < line.x0 - 4] + [line.x0]
        return Block(kind="item", text=begun.rest, place=block.place, level=len(self._indents), marker="•")

    def _finish_notes(self) -> Iterator[Block]:
        """Footnotes after the text of their page; the paragraph that goes on is not cut by them."""
        if self._open is not None and self._open.last.size <= self.style.body * _SMALLER:
            yield from self._flush()
        if self._open is None:
            yield from self._notes
            self._notes = []


def _inside(grid: Grid, line: Line) -> bool:
    middle = (line.top + line.bottom) / 2
    return grid.rows[-1] <= middle <= grid.rows[0] and line.x1 > grid.columns[0] and line.x0 < grid.columns[-1]
