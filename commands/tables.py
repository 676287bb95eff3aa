"""Tables that stay readable in 80 columns: an id is folded at worst, never cut short."""

from collections.abc import Iterable

from rich import box
from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

WIDEST_KEPT = 28
"""Ids up to this width keep their line; longer ones fold."""


def new_table(title: str, *columns: str) -> Table:
    """An empty table; in every cell long words go on in the next line."""
    table = Table(title=Text(title, style="italic"), title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    table.padding = (0, 1, 0, 0)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def keep_whole(table: Table, column: int, values: Iterable[str]) -> None:
    """Give a column of ids the room its longest id needs, as far as that leaves room for others."""
    widest = max((cell_len(value) for value in values), default=0)
    table.columns[column].min_width = min(widest, WIDEST_KEPT)


def stacked(first: str, *more: str, style: str = "") -> Text:
    """A cell of several lines, the first one standing out."""
    text = Text(first, style=style)
    for line in more:
        if line:
            text.append("\n" + line, style="dim")
    return text


def listing(
    title: str, columns: tuple[str, ...], rows: Iterable[tuple[RenderableType, ...]], *, ids: Iterable[str]
) -> Table:
    """A table of rows whose first column holds the ids."""
    table = new_table(title, *columns)
    keep_whole(table, 0, ids)
    for row in rows:
        table.add_row(*row)
    return table


def money(amount_minor: int, currency: str) -> str:
    """An amount in minor units for people: `1,234.50 USD`."""
    return f"{amount_minor / 100:,.2f} {currency}".rstrip()


def minute(instant: str) -> str:
    """An RFC 3339 instant to the minute: `2026-11-21 04:31 UTC`."""
    return f"{instant[:10]} {instant[11:16]} UTC"
