"""Read one Markdown document into its labelled clauses.

Every paragraph begins with its citation label in bold: `**3.2(a)** text`. An empty label
(`****`) marks the introduction of the heading above it and takes that heading's reference.
What cannot be read raises `UnreadableDocumentError`; nothing is guessed and nothing dropped.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from casewright.canonical import sha256_text
from casewright.corpus.front_matter import (
    FrontMatter,
    UnreadableDocumentError,
    read_front_matter,
    split_front_matter,
)
from casewright.corpus.labels import MAX_LABEL_CHARACTERS, ancestors, fold_label, introduction_label

MAX_FILE_BYTES = 50_000_000
MAX_CLAUSE_CHARACTERS = 200_000
_HEADING = re.compile(r"(#{1,6})(?:\s+(.*?))?\s*#*\s*$")
_PARAGRAPH = re.compile(r"\*\*([^*]*)\*\*(?:\s+(.*))?", re.DOTALL)
_BREAK = re.compile(r"\n[ \t]*\n")
_LEADS_ON = (":", "—", "–", ": —")
_ITEM_END = re.compile(r"(;|,|;\s*(and|or)|,\s*(and|or))$")
_SHORT_TITLE = 160


@dataclass(frozen=True, kw_only=True)
class ParsedClause:
    """One labelled paragraph with the structure around it."""

    label: str
    text: str
    sha256: str
    heading: str
    parents: tuple[str, ...]
    position: int
    lead_in: tuple[str, ...]
    """Texts of the nearest parents that this clause completes, outermost first."""
    titles: tuple[str, ...]
    """Short titles of the other parents."""


@dataclass(frozen=True, kw_only=True)
class ParsedDocument:
    """A document that was read whole."""

    matter: FrontMatter
    file_sha256: str
    clauses: tuple[ParsedClause, ...]


def parse_document(content: bytes, *, tenant: str) -> ParsedDocument:
    """The document in `content`, as ingested by `tenant`.

    Raises:
        UnreadableDocumentError: with a reason that says what is wrong and how to mend it.
    """
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableDocumentError(f"it has {len(content)} bytes; split it into files of at most {MAX_FILE_BYTES}")
    if b"\x00" in content:
        raise UnreadableDocumentError("it is a binary file; save it as UTF-8 Markdown text")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableDocumentError(f"it is not valid UTF-8 at byte {error.start}; save it as UTF-8") from error
    source, body = split_front_matter(text.replace("\r\n", "\n"))
    matter = read_front_matter(source, tenant=tenant)
    return ParsedDocument(matter=matter, file_sha256=hashlib.sha256(content).hexdigest(), clauses=_clauses(body))


@dataclass(frozen=True, kw_only=True)
class _Paragraph:
    label: str
    text: str
    heading: str


def _clauses(body: str) -> tuple[ParsedClause, ...]:
    paragraphs: dict[str, _Paragraph] = {}
    folded: set[str] = set()
    for label, text, headings in _labelled(body):
        given = label or introduction_label(headings[-1] if headings else "", folded)
        if fold_label(given) in folded:
            raise UnreadableDocumentError(f"the label {given!r} occurs twice; give every paragraph a label of its own")
        folded.add(fold_label(given))
        paragraphs[given] = _Paragraph(label=given, text=text, heading=" > ".join(headings))
    if not paragraphs:
        raise UnreadableDocumentError(
            "it has no labelled paragraph; begin each with its label in bold, such as '**3.2(a)** text'"
        )
    return tuple(_placed(paragraph, position, paragraphs) for position, paragraph in enumerate(paragraphs.values()))


def _labelled(body: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Label, text and headings of every paragraph, in order."""
    headings: dict[int, str] = {}
    for block in _blocks(body):
        if match := _HEADING.fullmatch(block):
            level = len(match.group(1))
            headings = {depth: title for depth, title in headings.items() if depth < level} | {
                level: _clean(match.group(2) or "")
            }
            continue
        match = _PARAGRAPH.fullmatch(block)
        if match is None:
            raise UnreadableDocumentError(
                f"the paragraph {block[:60]!r} has no label; begin it with its label in bold, such as '**3.2(a)** text'"
            )
        label, text = _clean(match.group(1)), _clean(match.group(2) or "")
        if not text or len(text) > MAX_CLAUSE_CHARACTERS:
            raise UnreadableDocumentError(
                f"the paragraph labelled {label!r} has {len(text)} characters; give it text of 1 to "
                f"{MAX_CLAUSE_CHARACTERS}"
            )
        if len(label) > MAX_LABEL_CHARACTERS:
            raise UnreadableDocumentError(
                f"the label {label[:60]!r}... is longer than {MAX_LABEL_CHARACTERS} characters; shorten it"
            )
        yield label, text, tuple(headings[level] for level in sorted(headings) if headings[level])


def _blocks(body: str) -> Iterator[str]:
    """Paragraphs and single heading lines."""
    for block in _BREAK.split(body):
        lines: list[str] = []
        for line in block.strip().split("\n"):
            if _HEADING.fullmatch(line.strip()):
                if lines:
                    yield "\n".join(lines)
                    lines = []
                yield line.strip()
            elif line.strip():
                lines.append(line.strip())
        if lines:
            yield "\n".join(lines)


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _placed(paragraph: _Paragraph, position: int, known: Mapping[str, _Paragraph]) -> ParsedClause:
    parents = ancestors(paragraph.label, known)
    texts = [known[parent].text for parent in parents]
    led = _led_by(paragraph.text, texts)
    return ParsedClause(
        label=paragraph.label,
        text=paragraph.text,
        sha256=sha256_text(paragraph.text),
        heading=paragraph.heading,
        parents=parents,
        position=position,
        lead_in=tuple(texts[len(texts) - led :]),
        titles=tuple(_title(text) for text in texts[: len(texts) - led]),
    )


def _led_by(text: str, parents: list[str]) -> int:
    """How many of the nearest parents the text completes."""
    count = 0
    below = text
    for parent in reversed(parents):
        open_ended = parent.rstrip().endswith(_LEADS_ON)
        item = below[:1].islower() or _ITEM_END.search(below) is not None
        unfinished = not parent.rstrip().endswith((".", "?", "!", ")", "]"))
        if not (open_ended or (item and unfinished)):
            break
        count += 1
        below = parent
    return count


def _title(text: str) -> str:
    """The run-in title of a parent: its first sentence when that is short."""
    head, mark, _ = text.partition(". ")
    return (head + mark).strip()[:_SHORT_TITLE]
