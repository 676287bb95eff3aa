"""HTML: headings, paragraphs, lists, tables and footnotes of a page; nothing of it is run or fetched.

Scripts, styles, frames, media, forms and navigation are left out. Text that a page hides sets it
aside: people would not see what is then quoted. Runs in a worker process (`sandbox`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Any

from casewright.corpus.formats.blocks import Block, RawDocument, property_fields, run_of_text, table_blocks
from casewright.corpus.formats.encoding import decode
from casewright.corpus.formats.ordinals import ordinal
from casewright.corpus.front_matter import UnreadableDocumentError, read_fields
from casewright.corpus.spacing import one_line

MAX_DEPTH = 200
_DROPPED = (
    frozenset({"script", "style", "template", "noscript", "link", "meta", "base", "head"})
    | frozenset({"iframe", "frame", "object", "embed", "applet", "svg", "math", "canvas", "map"})
    | frozenset({"audio", "video", "picture", "source", "nav", "form"})
    | frozenset({"input", "button", "select", "textarea", "dialog"})
)
_BLOCKS = (
    frozenset({"html", "body", "main", "article", "section", "div", "header", "footer", "aside", "center"})
    | frozenset({"p", "blockquote", "pre", "address", "details", "summary", "hr", "figure", "figcaption"})
    | frozenset({"ul", "ol", "li", "dl", "dt", "dd", "table", "h1", "h2", "h3", "h4", "h5", "h6"})
)
_BOLD = frozenset({"b", "strong"})
_DECLARED = re.compile(
    rb"""(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.I
)
_XML_HEAD = re.compile(r"^\s*<\?xml[^>]*\?>")
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])", re.I
)
_FRONT_MATTER = re.compile(r"^\s*---\s*\n(.*?)\n\s*---\s*$", re.DOTALL)
Pieces = list[tuple[str, bool]]


class HtmlReader:
    """Reads one HTML page."""

    name = "html"

    def version(self) -> str:
        return f"lxml {version('lxml')}"

    def read(self, content: bytes) -> RawDocument:
        """The document; see `Reader.read`."""
        declared = _DECLARED.search(content[:4_096])
        text = decode(content, declared=declared.group(1).decode("ascii") if declared else "")
        html = import_module("lxml.html")
        try:
            parser = html.HTMLParser(no_network=True, remove_pis=True, huge_tree=False)
            root = html.document_fromstring(_XML_HEAD.sub("", text), parser=parser)
        except Exception as error:
            raise UnreadableDocumentError(f"it is not readable HTML ({str(error)[:120]}); save it again") from error
        title = root.find(".//head/title")
        blocks = tuple(_Walk(root).blocks())
        return RawDocument(
            fields=_fields(root), title=one_line(title.text or "") if title is not None else "", blocks=blocks
        )


def _fields(root: Any) -> Mapping[str, object]:
    """From `<meta name="casewright:...">` and a comment that holds front matter."""
    properties = [(each.get("name") or "", each.get("content") or "") for each in root.iter("meta")]
    fields = dict(property_fields(properties))
    for comment in root.iter(import_module("lxml.etree").Comment):
        if match := _FRONT_MATTER.match(comment.text or ""):
            fields = {**read_fields(match.group(1)), **fields}
    return fields


class _Walk:
    """Goes through the tree once, in order."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._number = 0
        self._notes = _footnote_targets(root)

    def blocks(self) -> Iterator[Block]:
        """All blocks of the body, or of everything where there is none."""
        body = self._root.find("body")
        yield from self._children(self._root if body is None else body, 0)

    def _children(self, element: Any, depth: int, *, lists: int = 0, marker: str = "") -> Iterator[Block]:
        """The blocks in an element; text that stands between them makes paragraphs of its own."""
        if depth > MAX_DEPTH:
            raise UnreadableDocumentError(f"it is nested more than {MAX_DEPTH} deep; save it in a plainer form")
        pieces: Pieces = [(element.text or "", False)]
        for child in element:
            if _is_block(child):
                yield from self._run(pieces, lists, marker)
                if pieces and any(text.strip() for text, _ in pieces):
                    marker = ""
                pieces = []
                yield from self._block(child, depth + 1, lists, marker)
            else:
                pieces += self._inline(child, depth + 1, bold=False)
            pieces.append((child.tail or "", False))
        yield from self._run(pieces, lists, marker)

    def _run(self, pieces: Pieces, lists: int, marker: str) -> Iterator[Block]:
        self._number += 1
        block = run_of_text(pieces, place=self._number)
        if block is None:
            return
        if marker and block.label is None:
            block = Block(kind="item", text=block.text, place=block.place, level=lists, marker=marker)
        yield block

    def _block(self, element: Any, depth: int, lists: int, marker: str) -> Iterator[Block]:
        tag: str = element.tag
        _refuse_hidden(element)
        if note := self._notes.get(element.get("id") or ""):
            text = one_line("".join(text for text, _ in self._inline(element, depth, bold=False, backlinks=False)))
            yield Block(kind="footnote", text=text, place=self._number, marker=note)
        elif len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            text = one_line("".join(text for text, _ in self._inline(element, depth, bold=False)))
            if text:
                yield Block(kind="heading", text=text, place=self._number, level=int(tag[1]))
        elif tag == "table":
            yield from self._table(element, depth)
        elif tag in ("ul", "ol"):
            yield from self._list(element, depth, lists + 1)
        else:
            yield from self._children(element, depth, lists=lists, marker=marker)

    def _list(self, element: Any, depth: int, lists: int) -> Iterator[Block]:
        count = _integer(element.get("start"), 1)
        for child in element:
            if not isinstance(child.tag, str) or child.tag in _DROPPED:
                continue
            if child.tag != "li":
                yield from self._block(child, depth + 1, lists, "")
                continue
            count = _integer(child.get("value"), count)
            mark = "•" if element.tag == "ul" else f"{ordinal(count, element.get('type') or '1')}."
            count += 1
            _refuse_hidden(child)
            yield from self._block(child, depth + 1, lists, mark)

    def _table(self, element: Any, depth: int) -> Iterator[Block]:
        rows: list[list[str]] = []
        spans: dict[int, tuple[int, str]] = {}
        for row in element.iter("tr"):
            _refuse_hidden(row)
            cells: list[str] = []
            for cell in row:
                if cell.tag not in ("td", "th"):
                    continue
                _refuse_hidden(cell)
                _carry(cells, spans)
                text = one_line("".join(text for text, _ in self._inline(cell, depth, bold=False)))
                if (height := _integer(cell.get("rowspan"), 1)) > 1:
                    spans[len(cells)] = (min(height, 1_000) - 1, text)
                cells += [text, *[""] * (min(_integer(cell.get("colspan"), 1), 100) - 1)]
            _carry(cells, spans)
            rows.append(cells)
        caption = element.find("caption")
        if caption is not None:
            yield from self._run(self._inline(caption, depth, bold=False), 0, "")
        yield from table_blocks(rows, place=self._number)

    def _inline(self, element: Any, depth: int, *, bold: bool, backlinks: bool = True) -> Pieces:
        """The text in an element, all in one run."""
        if depth > MAX_DEPTH:
            raise UnreadableDocumentError(f"it is nested more than {MAX_DEPTH} deep; save it in a plainer form")
        if not isinstance(element.tag, str) or element.tag in _DROPPED:
            return []
        _refuse_hidden(element)
        target = (element.get("href") or "").removeprefix("#") if element.tag == "a" else ""
        if target in self._notes:
            return [(f"[{self._notes[target]}]", bold)]
        if target and not backlinks and (element.get("href") or "").startswith("#"):
            return []
        bold = bold or element.tag in _BOLD
        space = " " if element.tag == "br" or element.tag in _BLOCKS else ""
        pieces: Pieces = [(space + (element.text or ""), bold)]
        for child in element:
            pieces += self._inline(child, depth + 1, bold=bold, backlinks=backlinks)
            pieces.append((child.tail or "", bold))
        return [*pieces, (space, bold)] if space else pieces


def _is_block(element: Any) -> bool:
    """Whether the element is a block or holds one, as `<a><div>…` does."""
    if not isinstance(element.tag, str) or element.tag in _DROPPED:
        return False
    return element.tag in _BLOCKS or any(isinstance(each.tag, str) and each.tag in _BLOCKS for each in element.iter())


def _footnote_targets(root: Any) -> Mapping[str, str]:
    """The id of every footnote with its mark: what a raised link leads to."""
    found: dict[str, str] = {}
    for link in _raised_links(root):
        target, mark = (link.get("href") or "")[1:], one_line("".join(link.itertext())).strip("[]()*")
        if mark and len(mark) <= 10 and not mark.isspace():
            found.setdefault(target, mark)
    return found


def _raised_links(root: Any) -> Iterable[Any]:
    links = [each for each in root.iter("a") if (each.get("href") or "").startswith("#") and len(each.get("href")) > 1]
    for link in links:
        parent = link.getparent()
        raised = (parent is not None and parent.tag == "sup") or any(child.tag == "sup" for child in link)
        if raised or link.get("role") == "doc-noteref" or link.get("epub:type") == "noteref":
            yield link


def _refuse_hidden(element: Any) -> None:
    hidden = element.get("hidden") is not None or _HIDING.search(element.get("style") or "")
    if hidden and "".join(element.itertext()).strip():
        raise UnreadableDocumentError(
            f"it hides text from its readers (in <{element.tag}>); show the text or remove it"
        )


def _carry(cells: list[str], spans: dict[int, tuple[int, str]]) -> None:
    """Repeat the cells that reach down from rows above."""
    while len(cells) in spans:
        rows, text = spans.pop(len(cells))
        if rows > 1:
            spans[len(cells)] = (rows - 1, text)
        cells.append(text)


def _integer(value: str | None, default: int) -> int:
    text = (value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else default
