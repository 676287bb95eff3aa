"""Markdown: blocks by CommonMark and GitHub tables, words as they stand.

A paragraph that begins with its citation label in bold is our own form, and its text is kept
verbatim; in all other text emphasis is dropped, a link leaves its words, an image its description.
Raw HTML is refused, so that no script or remote content hides in it; comments are dropped.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from casewright.corpus.formats.blocks import Block, RawDocument
from casewright.corpus.formats.encoding import decode
from casewright.corpus.front_matter import UnreadableDocumentError, read_fields, split_front_matter
from casewright.corpus.grammar import is_label
from casewright.corpus.spacing import one_line

_STATED = re.compile(r"\*\*([^*]*)\*\*(?:\s+(.*))?", re.DOTALL)
_HEADING = re.compile(r"(#{1,6})[ \t]+([^#\s](?:.*[^#\s])?)[ \t]*")
_FOOTNOTE = re.compile(r"\[\^([^\]\s]{1,40})\]:[ \t]*", re.MULTILINE)
_FOOTNOTE_MARK = re.compile(r"\[\^([^\]\s]{1,40})\]")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MARKUP = re.compile(r"[*_`\[\]\\<&~!]")


class MarkdownReader:
    """Reads Markdown with YAML front matter."""

    name = "markdown"

    def version(self) -> str:
        return f"markdown-it-py {version('markdown-it-py')}"

    def read(self, content: bytes) -> RawDocument:
        """The document; see `Reader.read`."""
        source, body = split_front_matter(decode(content))
        offset = source.count("\n") + 3
        blocks = _own_form(body, offset)
        if blocks is None:
            blocks = tuple(_blocks(_parser().parse(body), offset))
        return RawDocument(fields=read_fields(source), title="", blocks=blocks)


def _own_form(body: str, offset: int) -> tuple[Block, ...] | None:
    """The blocks of a document that holds only headings and labelled paragraphs of one line each; else None.

    CommonMark gives the same blocks for it, at three times the cost.
    """
    found: list[Block] = []
    blank = True
    for place, line in enumerate(body.split("\n"), start=offset + 1):
        if not line.strip():
            blank = True
            continue
        heading, stated = _HEADING.fullmatch(line), _STATED.fullmatch(line)
        if heading:
            found.append(Block(kind="heading", text=_words(heading.group(2)), place=place, level=len(heading.group(1))))
        elif stated and blank and (not stated.group(1).strip() or is_label(stated.group(1))):
            label, text = one_line(stated.group(1)), _verbatim(stated.group(2) or "")
            found.append(Block(kind="paragraph", text=text, place=place, label=label))
        else:
            return None
        blank = heading is not None
    return tuple(found)


@lru_cache(maxsize=1)
def _parser() -> Any:
    """Blocks only: most text holds no markup, and ours is kept verbatim."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.disable(["inline"])
    return parser.disable(["reference"])


@lru_cache(maxsize=1)
def _inline_parser() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("strikethrough")


def _blocks(tokens: Sequence[Any], offset: int) -> Iterator[Block]:
    walk = _Walk(offset)
    for token in tokens:
        yield from walk.step(token)
    yield from walk.flush()


class _Walk:
    """The state while going through the tokens: open lists, the table, the item being read."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._markers: list[str] = []
        self._ordered: list[bool] = []
        self._item: Block | None = None
        self._heading = 0
        self._in_table = False
        self._place = 0
        self._row: list[str] = []
        self._header: tuple[str, ...] = ()

    def step(self, token: Any) -> Iterator[Block]:
        kind: str = token.type
        place = self._offset + (token.map[0] + 1 if token.map else 0)
        if kind == "inline":
            yield from self._text(token.content, place)
        elif kind == "heading_open":
            yield from self.flush()
            self._heading = int(token.tag[1:])
        elif kind in ("fence", "code_block"):
            yield from self._plain(one_line(token.content), place)
        elif kind == "html_block":
            if _COMMENT.sub("", token.content).strip():
                raise UnreadableDocumentError(
                    f"line {place} is raw HTML; write it as Markdown or save the file as .html"
                )
        elif kind.startswith(("tr_", "thead_", "table_")):
            yield from self._table(kind, place)
        else:
            yield from self._list(kind, token)

    def _text(self, content: str, place: int) -> Iterator[Block]:
        if self._heading:
            level, self._heading = self._heading, 0
            yield Block(kind="heading", text=_words(content), place=place, level=level)
        elif self._in_table:
            self._row.append(_words(content))
        else:
            yield from self._paragraph(content, place)

    def _table(self, kind: str, place: int) -> Iterator[Block]:
        if kind == "table_open":
            yield from self.flush()
            self._in_table, self._header, self._place = True, (), place
        elif kind == "table_close":
            self._in_table = False
        elif kind == "tr_open":
            self._row, self._place = [], place
        elif kind == "tr_close" and not self._header:
            self._header = tuple(self._row)
        elif kind == "tr_close":
            yield Block(kind="row", text="", place=self._place, cells=tuple(self._row), header=self._header)

    def _list(self, kind: str, token: Any) -> Iterator[Block]:
        if kind in ("bullet_list_open", "ordered_list_open"):
            yield from self.flush()
            self._markers.append("")
            self._ordered.append(kind.startswith("ordered"))
        elif kind in ("bullet_list_close", "ordered_list_close"):
            yield from self.flush()
            self._markers.pop()
            self._ordered.pop()
        elif kind == "list_item_open":
            yield from self.flush()
            self._markers[-1] = f"{token.info}." if self._ordered[-1] else "•"

    def _paragraph(self, content: str, place: int) -> Iterator[Block]:
        stated = _STATED.fullmatch(content)
        if stated and (not stated.group(1).strip() or is_label(stated.group(1))):
            yield from self.flush()
            label, text = one_line(stated.group(1)), _verbatim(stated.group(2) or "")
            yield Block(kind="paragraph", text=text, place=place, label=label)
        elif _FOOTNOTE.match(content):
            yield from self.flush()
            parts = _FOOTNOTE.split(content)[1:]
            for marker, text in zip(parts[::2], parts[1::2], strict=True):
                yield Block(kind="footnote", text=_words(text), place=place, marker=marker)
        else:
            yield from self._plain(_words(content), place)

    def _plain(self, text: str, place: int) -> Iterator[Block]:
        if not text:
            return
        if not self._markers:
            yield Block(kind="paragraph", text=text, place=place)
        elif self._item is None:
            self._item = Block(kind="item", text=text, place=place, level=len(self._markers), marker=self._markers[-1])
        else:
            self._item = replace(self._item, text=f"{self._item.text} {text}")

    def flush(self) -> Iterator[Block]:
        """The list item that was read, once nothing more can belong to it."""
        if self._item is not None:
            yield self._item
            self._item = None


def _verbatim(content: str) -> str:
    """The text as it stands, on one line; marks of footnotes in the form they have in every format."""
    return one_line(_FOOTNOTE_MARK.sub(r"[\1]", content) if "[^" in content else content)


def _words(content: str) -> str:
    """The text without its markup, on one line."""
    if not _MARKUP.search(content):
        return one_line(content)
    marked = _FOOTNOTE_MARK.sub(r"\\[\1\\]", content)
    return one_line("".join(_inline(_inline_parser().parseInline(marked)[0].children or ())))


def _inline(children: Sequence[Any]) -> Iterator[str]:
    for child in children:
        if child.type in ("text", "code_inline"):
            yield child.content
        elif child.type in ("softbreak", "hardbreak"):
            yield " "
        elif child.type == "image":
            yield child.content
        elif child.type == "html_inline" and re.match(
            r"</?(?:script|style|iframe|object|embed)\b", child.content, re.I
        ):
            raise UnreadableDocumentError(f"it holds {child.content[:40]!r}; remove scripts and embedded content")
