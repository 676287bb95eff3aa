"""Turn the blocks of a document into its labelled clauses, the same for every format.

A stated label is taken as it is; a paragraph that begins with a complete label carries it; an item
takes the label of the paragraph above it and its marker; a table row repeats the heads of its
columns; a footnote follows the clause that points to it; the rest is numbered under its heading.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from casewright.canonical import sha256_text
from casewright.corpus.formats.blocks import Block
from casewright.corpus.front_matter import UnreadableDocumentError
from casewright.corpus.grammar import heading_label, leading_label, leading_marker
from casewright.corpus.labels import MAX_LABEL_CHARACTERS, ancestors, fold_label, introduction_label
from casewright.corpus.links import NO_LINKS, ClauseLinks
from casewright.corpus.numbering import Numbering
from casewright.corpus.splitting import split_long

MAX_CLAUSE_CHARACTERS = 200_000
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
    links: ClauseLinks = NO_LINKS
    """Where it leads; known once the whole document is."""


def clauses_of(blocks: Iterable[Block], *, title: str) -> tuple[ParsedClause, ...]:
    """The clauses in order.

    Raises:
        UnreadableDocumentError: no text at all, a label twice, or a text beyond the limits.
    """
    builder = _Builder(title=title)
    for block in blocks:
        builder.add(block)
    return builder.finish()


@dataclass(frozen=True, kw_only=True)
class _Passage:
    label: str
    text: str
    heading: str
    led: bool = False
    """An item of a list: what leads into the list is part of its meaning."""


@dataclass(kw_only=True)
class _Builder:
    title: str
    _headings: dict[int, str] = field(default_factory=dict[int, str])
    _path: tuple[str, ...] = ()
    _passages: dict[str, _Passage] = field(default_factory=dict[str, _Passage])
    _folded: set[str] = field(default_factory=set[str])
    _footnotes: dict[str, list[_Passage]] = field(default_factory=dict[str, list[_Passage]])
    _counts: dict[str, int] = field(default_factory=dict[str, int])
    _anchor: str = ""
    """The label of the paragraph that a list or table would belong to."""
    _numbering: Numbering = field(default_factory=Numbering)

    def add(self, block: Block) -> None:
        match block.kind:
            case "heading":
                self._heading(block)
            case "paragraph":
                self._paragraph(block)
            case "item":
                self._item(block.marker, block.text, block.level)
            case "row":
                self._row(block)
            case "footnote":
                self._footnote(block)

    def finish(self) -> tuple[ParsedClause, ...]:
        if not self._passages:
            raise UnreadableDocumentError("it has no text; give it paragraphs, each best with its label in bold")
        ordered: dict[str, _Passage] = {}
        for label, passage in self._passages.items():
            ordered[label] = passage
            ordered |= {note.label: note for note in self._footnotes.get(label, ())}
        return tuple(_placed(passage, position, ordered) for position, passage in enumerate(ordered.values()))

    def _heading(self, block: Block) -> None:
        above = {level: text for level, text in self._headings.items() if level < block.level}
        self._headings = above | {block.level: block.text}
        self._path = tuple(self._headings[level] for level in sorted(self._headings) if self._headings[level])
        self._begin("")

    def _begin(self, label: str) -> None:
        self._anchor = label
        self._numbering = Numbering()

    @property
    def _base(self) -> str:
        path = self._path
        return heading_label(path[1:] if path and path[0].casefold() == self.title.casefold() else path)

    def _paragraph(self, block: Block) -> None:
        if block.label is not None:
            last = self._path[-1] if self._path else ""
            self._stated(block.label or introduction_label(last, self._folded), block.text)
        elif (begun := leading_label(block.text)) and not self._refers(begun.mark, begun.rest):
            self._stated(begun.mark, begun.rest)
        elif marked := leading_marker(block.text):
            self._item(marked.mark, marked.rest, 0)
        else:
            label = self._counted(f"{self._base}-p")
            self._keep(label, block.text)
            self._begin(label)

    def _refers(self, label: str, rest: str) -> bool:
        """Whether a label that begins a paragraph in plain print points back at a clause instead of naming one."""
        return fold_label(label) in self._folded and rest[:1].islower()

    def _stated(self, label: str, text: str) -> None:
        if len(label) > MAX_LABEL_CHARACTERS:
            raise UnreadableDocumentError(
                f"the label {label[:60]!r}... is longer than {MAX_LABEL_CHARACTERS} characters; shorten it"
            )
        if fold_label(label) in self._folded:
            raise UnreadableDocumentError(f"the label {label!r} occurs twice; give every paragraph a label of its own")
        self._keep(label, text)
        self._begin(label)

    def _item(self, marker: str, text: str, depth: int) -> None:
        if (begun := leading_label(text)) and fold_label(begun.mark) not in self._folded:
            self._stated(begun.mark, begun.rest)
            return
        self._keep(self._free((self._anchor or self._base) + self._numbering.place(marker, depth)), text, led=True)

    def _row(self, block: Block) -> None:
        pairs = [
            f"{head}: {cell}" if head else cell for head, cell in zip(block.header, block.cells, strict=True) if cell
        ]
        if pairs:
            self._keep(self._counted(f"{self._anchor or self._base}-r"), "; ".join(pairs))

    def _footnote(self, block: Block) -> None:
        mark = f"[{block.marker}]"
        pointing = next((label for label in reversed(self._passages) if mark in self._passages[label].text), None)
        owner = pointing or next(reversed(self._passages), None)
        if owner is None:
            raise UnreadableDocumentError(f"footnote {block.marker!r} stands before any text; move it behind its mark")
        label = self._free(f"{owner}-fn{block.marker}")
        self._check(label, block.text)
        self._folded.add(fold_label(label))
        note = _Passage(label=label, text=block.text, heading=self._passages[owner].heading)
        self._footnotes.setdefault(owner, []).append(note)

    def _keep(self, label: str, text: str, *, led: bool = False) -> None:
        self._check(label, text)
        parts = split_long(text)
        names = [label, *(f"{label} part {number}" for number in range(2, len(parts) + 1))]
        for name, part in zip(names, parts, strict=True):
            self._folded.add(fold_label(name))
            self._passages[name] = _Passage(label=name, text=part, heading=" > ".join(self._path), led=led)

    def _check(self, label: str, text: str) -> None:
        if not text or len(text) > MAX_CLAUSE_CHARACTERS:
            raise UnreadableDocumentError(
                f"the paragraph labelled {label!r} has {len(text)} characters; give it text of 1 to "
                f"{MAX_CLAUSE_CHARACTERS}"
            )

    def _counted(self, stem: str) -> str:
        """The stem with the next number that is free."""
        while True:
            self._counts[stem] = self._counts.get(stem, 0) + 1
            label = f"{stem}{self._counts[stem]}"
            if fold_label(label) not in self._folded:
                return label

    def _free(self, label: str) -> str:
        """The label, or with the number of its repetition."""
        return self._counted(f"{label} repeat ") if fold_label(label) in self._folded else label


def _placed(passage: _Passage, position: int, known: Mapping[str, _Passage]) -> ParsedClause:
    parents = ancestors(passage.label, known)
    texts = [known[parent].text for parent in parents]
    led = max(_led_by(passage.text, texts), 1 if passage.led and texts else 0)
    return ParsedClause(
        label=passage.label,
        text=passage.text,
        sha256=sha256_text(passage.text),
        heading=passage.heading,
        parents=parents,
        position=position,
        lead_in=tuple(texts[len(texts) - led :]),
        titles=tuple(_title(text) for text in texts[: len(texts) - led]),
    )


def _led_by(text: str, parents: Sequence[str]) -> int:
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
