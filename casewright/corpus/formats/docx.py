"""DOCX: paragraphs by their styles, automatic numbers as Word prints them, tables and footnotes.

The package is held against limits before it is opened. Macros, pictures and linked content are left
alone; hidden text and undecided tracked changes set the document aside. Runs in a worker process.
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import version
from io import BytesIO
from typing import Any

from casewright.corpus.formats.blocks import Block, RawDocument, property_fields, run_of_text, table_blocks
from casewright.corpus.formats.docx_numbering import DocxNumbering
from casewright.corpus.front_matter import UnreadableDocumentError
from casewright.corpus.grammar import leading_label
from casewright.corpus.spacing import one_line

MAX_UNPACKED_BYTES = 200_000_000
MAX_PARTS = 5_000
MAX_RATIO = 200
_MAX_DEPTH = 100
_NOTES = (("footnotes", "footnoteReference", "footnote", ""), ("endnotes", "endnoteReference", "endnote", "e"))
"""Part, element that refers to it, its element, prefix of its marks."""


class DocxReader:
    """Reads one Word document."""

    name = "docx"

    def version(self) -> str:
        return f"python-docx {version('python-docx')}"

    def read(self, content: bytes) -> RawDocument:
        """The document; see `Reader.read`."""
        custom = _unpacked(content)
        try:
            document = import_module("docx").Document(BytesIO(content))
        except Exception as error:
            raise UnreadableDocumentError(
                f"it is not a readable DOCX file ({str(error)[:120]}); save it again"
            ) from error
        walk = _Walk(document)
        return RawDocument(
            fields=property_fields(_custom_properties(custom)),
            title=one_line(document.core_properties.title or ""),
            blocks=tuple(walk.blocks()),
        )


def _unpacked(content: bytes) -> bytes:
    """The custom properties, after the package was held against its limits.

    Raises:
        UnreadableDocumentError: not a package, or one that unpacks to too much.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            entries = package.infolist()
            total = sum(entry.file_size for entry in entries)
            swollen = any(
                entry.file_size > 1_000_000 and entry.file_size > MAX_RATIO * max(1, entry.compress_size)
                for entry in entries
            )
            if len(entries) > MAX_PARTS or total > MAX_UNPACKED_BYTES or swollen:
                raise UnreadableDocumentError(
                    f"it unpacks to {total} bytes in {len(entries)} parts, as a zip bomb does; save it without pictures"
                )
            if any(entry.flag_bits & 1 for entry in entries):
                raise UnreadableDocumentError("it is encrypted; save it without a password")
            return package.read("docProps/custom.xml") if "docProps/custom.xml" in package.namelist() else b""
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise UnreadableDocumentError(f"it is not a whole DOCX file ({error}); save it again") from error


def _custom_properties(xml: bytes) -> Iterator[tuple[str, str]]:
    if not xml:
        return
    for element in _parse(xml):
        yield element.get("name") or "", "".join(element.itertext())


def _parse(xml: bytes) -> Any:
    etree = import_module("lxml.etree")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableDocumentError(f"a part of it is not XML ({str(error)[:120]}); save it again") from error


class _Walk:
    """Goes through the body once, in order."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._numbering = DocxNumbering(document)
        self._number = 0
        self._has_title = False
        self._marks: dict[tuple[str, str], str] = {}
        """Kind and id of every note referred to, with the mark it is printed with."""

    def blocks(self) -> Iterator[Block]:
        """All blocks, the notes at the end."""
        yield from self._container(self._document.element.body, 0)
        yield from self._notes()

    def _container(self, container: Any, depth: int) -> Iterator[Block]:
        if depth > _MAX_DEPTH:
            raise UnreadableDocumentError(f"it is nested more than {_MAX_DEPTH} deep; save it in a plainer form")
        for child in container:
            tag = _tag(child)
            if tag == "p":
                yield from self._paragraph(child)
            elif tag == "tbl":
                self._number += 1
                yield from table_blocks(list(self._rows(child)), place=self._number)
            elif tag in ("sdt", "sdtContent", "ins", "customXml", "smartTag"):
                yield from self._container(child, depth + 1)

    def _paragraph(self, element: Any) -> Iterator[Block]:
        self._number += 1
        style = self._style(element)
        level = self._heading_level(element, style)
        mark = self._numbering.mark(element, style)
        pieces = list(self._pieces(element))
        if level:
            text = one_line(" ".join((mark.text if mark else "", "".join(text for text, _ in pieces))))
            if text:
                yield Block(kind="heading", text=text, place=self._number, level=level)
            return
        block = run_of_text(pieces, place=self._number)
        if block is None:
            return
        if mark is None or block.label is not None:
            yield block
        elif leading_label(f"{mark.text} x"):
            yield Block(kind="paragraph", text=block.text, place=block.place, label=mark.text.rstrip("."))
        else:
            depth = max(mark.depth, _depth_by_name(style))
            yield Block(kind="item", text=block.text, place=block.place, level=depth, marker=mark.text)

    def _style(self, element: Any) -> Any:
        named = element.find(f"{_W}pPr/{_W}pStyle")
        style_id = None if named is None else named.get(f"{_W}val")
        return self._document.styles.get_by_id(style_id, import_module("docx.enum.style").WD_STYLE_TYPE.PARAGRAPH)

    def _heading_level(self, element: Any, style: Any) -> int:
        """1 for the title, else one more than the outline level; 0 for body text."""
        own = element.find(f"{_W}pPr/{_W}outlineLvl")
        found = own
        for each in _with_bases(style):
            if each.name == "Title":
                return 1
            if each.name.startswith("Heading ") and each.name[8:].isdigit():
                return min(9, int(each.name[8:]) + 1)
            if found is None:
                found = each.element.find(f"{_W}pPr/{_W}outlineLvl")
        level = 9 if found is None else int(found.get(f"{_W}val") or 9)
        return 0 if level >= 9 else min(9, level + 2)

    def _rows(self, table: Any) -> Iterator[Sequence[str]]:
        above: list[str] = []
        for row in table.iterchildren(f"{_W}tr"):
            cells: list[str] = []
            for cell in row.iterchildren(f"{_W}tc"):
                text = one_line(" ".join("".join(t for t, _ in self._pieces(p)) for p in cell.iter(f"{_W}p")))
                merge = cell.find(f"{_W}tcPr/{_W}vMerge")
                if merge is not None and merge.get(f"{_W}val") != "restart" and len(cells) < len(above):
                    text = above[len(cells)]
                span = cell.find(f"{_W}tcPr/{_W}gridSpan")
                cells += [text, *[""] * (min(100, int(span.get(f"{_W}val") or 1)) - 1 if span is not None else 0)]
            above = cells
            yield cells

    def _pieces(self, element: Any) -> Iterator[tuple[str, bool]]:
        """The visible text of a paragraph with its weight, marks of notes included."""
        for child in element:
            tag = _tag(child)
            if tag == "r":
                yield from self._run(child)
            elif tag in ("del", "moveFrom", "ins", "moveTo"):
                if any(_tag(each) in ("t", "delText") for each in child.iter()):
                    raise UnreadableDocumentError("it holds tracked changes; accept or reject them and save it again")
            elif tag in ("hyperlink", "sdt", "sdtContent", "smartTag", "fldSimple", "customXml", "bdo", "dir"):
                yield from self._pieces(child)

    def _run(self, run: Any) -> Iterator[tuple[str, bool]]:
        properties = run.find(f"{_W}rPr")
        bold = _on(properties, "b") or _named_strong(properties)
        for child in run:
            tag = _tag(child)
            if tag == "t":
                if (child.text or "").strip() and (_on(properties, "vanish") or _on(properties, "webHidden")):
                    raise UnreadableDocumentError("it holds hidden text; show the text or remove it")
                yield child.text or "", bold
            elif tag in ("tab", "br", "cr", "ptab"):
                yield " ", bold
            elif tag == "noBreakHyphen":
                yield "\u2011", bold
            else:
                for _, reference, kind, prefix in _NOTES:
                    if tag == reference:
                        yield f"[{self._mark(kind, child.get(f'{_W}id') or '', prefix)}]", bold

    def _mark(self, kind: str, note: str, prefix: str) -> str:
        count = sum(known == kind for known, _ in self._marks) + 1
        return self._marks.setdefault((kind, note), f"{prefix}{count}")

    def _notes(self) -> Iterator[Block]:
        for part, _, kind, _ in _NOTES:
            elements = {each.get(f"{_W}id") or "": each for each in self._part(part) if _tag(each) == kind}
            for (known, note), mark in list(self._marks.items()):
                if known == kind and note in elements:
                    paragraphs = elements[note].iter(f"{_W}p")
                    text = one_line(" ".join("".join(t for t, _ in self._pieces(p)) for p in paragraphs))
                    yield Block(kind="footnote", text=text, place=self._number, marker=mark)

    def _part(self, name: str) -> Iterable[Any]:
        for relation in self._document.part.rels.values():
            if relation.reltype.endswith(f"/{name}") and not relation.is_external:
                return _parse(relation.target_part.blob)
        return ()


_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def _tag(element: Any) -> str:
    """The local name of an element of Word's own vocabulary; "" for anything else."""
    tag = element.tag
    return tag[len(_W) :] if isinstance(tag, str) and tag.startswith(_W) else ""


def _on(properties: Any, name: str) -> bool:
    found = None if properties is None else properties.find(f"{_W}{name}")
    return found is not None and found.get(f"{_W}val") not in ("0", "false", "off")


def _named_strong(properties: Any) -> bool:
    style = None if properties is None else properties.find(f"{_W}rStyle")
    return style is not None and style.get(f"{_W}val") == "Strong"


def _depth_by_name(style: Any) -> int:
    """3 for "List Bullet 3": these styles number apart, each at its own first level."""
    name = "" if style is None else str(style.name)
    last = name.rpartition(" ")[2]
    return int(last) if last.isdigit() and name.startswith("List ") else 1


def _with_bases(style: Any) -> Iterator[Any]:
    """The style and what it is based on; a chain that goes round ends."""
    for _ in range(20):
        if style is None:
            return
        yield style
        style = getattr(style, "base_style", None)
