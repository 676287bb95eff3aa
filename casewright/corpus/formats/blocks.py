"""What every format is read into: fields about the document, and its blocks in order.

A block is as much as a format knows for sure: a heading, a paragraph, a list item, a table
row with the heads of its columns, a footnote. Which clause it becomes is decided elsewhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from casewright.corpus.grammar import is_label
from casewright.corpus.spacing import one_line

BlockKind = Literal["heading", "paragraph", "item", "row", "footnote"]
MAX_BLOCKS = 200_000


@dataclass(frozen=True, kw_only=True)
class Block:
    """One piece of a document in reading order."""

    kind: BlockKind
    text: str
    """On one line; footnote marks inside are written `[1]`."""
    place: int
    """The line of text formats, the page of a PDF, the running number elsewhere; from 1."""
    level: int = 0
    """Of a heading 1 to 9, of a list item its depth from 1."""
    label: str | None = None
    """The citation label that the document itself sets apart in bold; "" for an introduction, None for no statement."""
    marker: str = ""
    """Of an item as printed ("(a)", "1.", "•"), of a footnote without brackets."""
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    """The heads of the columns, as many as cells."""


@dataclass(frozen=True, kw_only=True)
class RawDocument:
    """A file as its format gave it."""

    fields: Mapping[str, object]
    """What the document says of itself under our names (`document_id`, `effective_from`, …); not yet checked."""
    title: str
    """The title by the format's own means, which is used where `fields` has none."""
    blocks: tuple[Block, ...]


class Reader(Protocol):
    """Reads one format."""

    name: str
    """`markdown`, `html`, …; part of the manifest."""

    def read(self, content: bytes) -> RawDocument:
        """The document in the bytes.

        Raises:
            UnreadableDocumentError: with a reason that says what is wrong and how to mend it.
        """
        ...

    def version(self) -> str:
        """The parser with its version; part of the manifest."""
        ...


def run_of_text(pieces: Iterable[tuple[str, bool]], *, place: int) -> Block | None:
    """The paragraph that pieces of text make, each bold or not; None where there is no text.

    What is bold at the beginning is a stated label where it has the shape of one.
    """
    strong, rest = "", ""
    for text, bold in pieces:
        if bold and not rest.strip():
            strong += rest + text
            rest = ""
        else:
            rest += text
    label, text = one_line(strong), one_line(rest)
    if label and text and is_label(label):
        return Block(kind="paragraph", text=text, place=place, label=label.rstrip(".:"))
    whole = one_line(strong + rest)
    return Block(kind="paragraph", text=whole, place=place) if whole else None


def table_blocks(rows: Sequence[Sequence[str]], *, place: int) -> Iterator[Block]:
    """The rows of a table, the first of which holds the heads; one row alone is no table but paragraphs."""
    filled = [[one_line(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if len(filled) < 2:
        yield from (Block(kind="paragraph", text=cell, place=place) for row in filled for cell in row if cell)
        return
    width = max(len(row) for row in filled)
    header, *body = (tuple(row) + ("",) * (width - len(row)) for row in filled)
    for cells in body:
        yield Block(kind="row", text="", place=place, cells=cells, header=header)


def property_fields(properties: Iterable[tuple[str, str]]) -> Mapping[str, object]:
    """The document fields among named text properties: those called `casewright:NAME`; labels are a comma list."""
    found: dict[str, object] = {}
    for name, value in properties:
        prefix, _, field = name.strip().casefold().replace("casewright.", "casewright:", 1).partition(":")
        if prefix != "casewright" or not field:
            continue
        text = value.strip()
        found[field] = [each.strip() for each in text.split(",") if each.strip()] if field == "labels" else text
    return found
