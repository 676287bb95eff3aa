"""The rows of a ruled table in a PDF; one that goes on from the page before keeps its heads. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import groupby

from casewright.corpus.formats.blocks import Block, table_blocks
from casewright.corpus.formats.pdf_page import Grid, Line
from casewright.corpus.formats.pdf_words import joined


def rows_of(
    grid: Grid, lines: Sequence[Line], *, page: int, vocabulary: Collection[str], carried: tuple[str, ...] | None
) -> tuple[tuple[str, ...], Sequence[Block]]:
    """The heads of the columns and the rows; `carried` are the heads of the table this one may go on from."""
    rows = _cells(grid, lines, vocabulary)
    if carried is not None and rows:
        rows = [list(carried), *(rows[1:] if tuple(rows[0]) == carried else rows)]
    header = tuple(rows[0]) if rows else ()
    return header, tuple(table_blocks(rows, place=page))


def _cells(grid: Grid, lines: Sequence[Line], vocabulary: Collection[str]) -> list[list[str]]:
    """The text of every cell, line by line as it is printed in it."""
    found: dict[tuple[int, int], list[Line]] = {}
    for line in lines:
        for cell, letters in groupby(line.letters, key=grid.cell):
            if cell is not None:
                found.setdefault(cell, []).append(replace(line, letters=tuple(letters)))
    width = len(grid.columns) - 1
    rows = [
        [
            " ".join("".join(text for text, _ in joined(found.get((row, column), ()), vocabulary)).split())
            for column in range(width)
        ]
        for row in range(len(grid.rows) - 1)
    ]
    return [row for row in rows if any(row)]
