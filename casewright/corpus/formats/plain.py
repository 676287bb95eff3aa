"""Plain text: paragraphs between blank lines, with the few signs that people use for structure.

A heading is underlined with `===` or `---`, begins with `#`, or is a short numbered line by itself; a
table has `|` between its cells; a footnote begins with its mark in brackets.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from casewright.corpus.formats.blocks import Block, RawDocument, table_blocks
from casewright.corpus.formats.encoding import decode
from casewright.corpus.front_matter import read_fields, split_front_matter
from casewright.corpus.grammar import begins_paragraph, leading_marker
from casewright.corpus.spacing import one_line

_UNDERLINE = re.compile(r"(={3,}|-{3,})\s*")
_MARKED = re.compile(r"(#{1,6})\s+(.+)")
_NUMBERED = re.compile(r"(?P<number>\d{1,3}(?:\.\d{1,3}){0,4}|§+\s*\d+(?:\.\d+)*)\.?\s+(?P<rest>[A-Z“\"].{0,110})")
_FOOTNOTE = re.compile(r"\[(\w{1,10})\]\s+(?=\S)")
_ENDS = (".", ";", ":", ",", "?", "!")
_BULLETS = "•‣◦▪●○–*-"
_BULLET = re.compile(r"\s*[•‣◦▪●○–*-]\s+\S")
_PAGE_BREAK = "\f"


class PlainTextReader:
    """Reads plain text, with YAML front matter or a sidecar."""

    name = "text"

    def version(self) -> str:
        return "own reader 1"

    def read(self, content: bytes) -> RawDocument:
        """The document; see `Reader.read`."""
        text = decode(content).replace(_PAGE_BREAK, "\n\n")
        fields: Mapping[str, object] = {}
        offset = 0
        if text.removeprefix("\ufeff").startswith("---\n"):
            source, text = split_front_matter(text)
            fields, offset = read_fields(source), source.count("\n") + 3
        return RawDocument(fields=fields, title="", blocks=tuple(_blocks(text, offset)))


def _blocks(text: str, offset: int) -> Iterator[Block]:
    indents: list[int] = []
    for first, lines in _groups(text):
        place = first + offset
        if heading := _heading(lines):
            level, words = heading
            yield Block(kind="heading", text=words, place=place, level=level)
            continue
        if len(lines) > 1 and all("|" in line for line in lines):
            yield from table_blocks([_cells(line) for line in lines if set(line) - set("|-: +=")], place=place)
            continue
        for number, paragraph in _paragraphs(lines):
            yield _paragraph(paragraph, place + number, indents)


def _groups(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Runs of lines without a blank one, with the number of the first; an underlined line is a run of its own."""
    lines: list[str] = []
    start = 1
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            start = start if lines else number
            lines.append(line.rstrip())
            if len(lines) == 2 and _UNDERLINE.fullmatch(lines[1].strip()):
                yield start, lines
                lines = []
        elif lines:
            yield start, lines
            lines = []


def _heading(lines: Sequence[str]) -> tuple[int, str] | None:
    """Level and words of a group that is a heading."""
    first = one_line(lines[0])
    if len(lines) == 2 and (under := _UNDERLINE.fullmatch(lines[1].strip())) and "|" not in first:
        return (1 if under.group(1)[0] == "=" else 2), first
    if len(lines) > 1 or lines[0] != lines[0].lstrip():
        return None
    if marked := _MARKED.fullmatch(first):
        return len(marked.group(1)), marked.group(2).rstrip("# ")
    numbered = _NUMBERED.fullmatch(first)
    if numbered and not first.endswith(_ENDS):
        return min(9, 2 + numbered.group("number").count(".")), first
    return None


def _cells(line: str) -> Sequence[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _paragraphs(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The group, cut where a line begins with a bullet, a marker, a label or a footnote mark after a full line."""
    begun, start = list[str](), 0
    for number, line in enumerate(lines):
        if begun and (_FOOTNOTE.match(line) or _BULLET.match(line) or begins_paragraph(one_line(line), begun[-1])):
            yield start, "\n".join(begun)
            begun = []
        start = start if begun else number
        begun.append(line)
    yield start, "\n".join(begun)


def _paragraph(paragraph: str, place: int, indents: list[int]) -> Block:
    text = one_line(paragraph)
    if note := _FOOTNOTE.match(text):
        return Block(kind="footnote", text=text[note.end() :], place=place, marker=note.group(1))
    begun = leading_marker(text)
    if begun is None or begun.mark not in _BULLETS:
        indents.clear()
        return Block(kind="paragraph", text=text, place=place)
    indent = len(paragraph) - len(paragraph.lstrip())
    indents[:] = [each for each in indents if each < indent] + [indent]
    return Block(kind="item", text=begun.rest, place=place, level=len(indents), marker="•")
