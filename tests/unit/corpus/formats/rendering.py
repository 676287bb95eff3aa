"""The same document in five formats, made from its blocks as authors' tools would write it."""

import html
import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import docx
import yaml

from casewright.corpus.formats.blocks import Block


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What is rendered: the fields of the head and the blocks."""

    fields: Mapping[str, str]
    blocks: Sequence[Block]

    @property
    def sidecar(self) -> bytes:
        return yaml.safe_dump(dict(self.fields)).encode()


def markdown(sample: Sample) -> bytes:
    lines = ["---", *(f"{name}: '{value}'" for name, value in sample.fields.items()), "---", ""]
    header: tuple[str, ...] = ()
    for block in sample.blocks:
        match block.kind:
            case "heading":
                lines += ["", f"{'#' * block.level} {block.text}", ""]
            case "paragraph":
                lines += ["", f"**{block.label}** {_marked(block.text)}" if block.label else _marked(block.text), ""]
            case "item":
                lines.append(f"{'  ' * (block.level - 1)}- {block.text}")
            case "footnote":
                lines += ["", f"[^{block.marker}]: {block.text}", ""]
            case "row":
                if block.header != header:
                    lines += ["", f"| {' | '.join(block.header)} |", f"|{'---|' * len(block.header)}"]
                lines.append(f"| {' | '.join(block.cells)} |")
        header = block.header
    return "\n".join(lines).encode()


def _marked(text: str) -> str:
    return text.replace("[1]", "[^1]")


def plain(sample: Sample) -> bytes:
    lines: list[str] = []
    header: tuple[str, ...] = ()
    for block in sample.blocks:
        match block.kind:
            case "heading":
                lines += ["", block.text, ("=" if block.level == 1 else "-") * 20, ""]
            case "paragraph":
                lines += ["", *_wrapped(f"{block.label} {block.text}" if block.label else block.text), ""]
            case "item":
                lines.append(f"{'    ' * (block.level - 1)}• {block.text}")
            case "footnote":
                lines += ["", f"[{block.marker}] {block.text}", ""]
            case "row":
                if block.header != header:
                    lines += ["", " | ".join(block.header)]
                lines.append(" | ".join(block.cells))
        header = block.header
    return "\n".join(lines).encode()


def _wrapped(text: str, width: int = 72) -> Sequence[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += f"{word} "
    return lines


def web(sample: Sample) -> bytes:
    metas = "".join(
        f'<meta name="casewright:{name}" content="{html.escape(value)}">' for name, value in sample.fields.items()
    )
    parts = [
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>Page</title>{metas}<style>p{{}}</style></head><body>"
    ]
    depth, table = 0, False
    for block in sample.blocks:
        level = block.level if block.kind == "item" else 0
        parts += ["<ul>"] * max(0, level - depth) + ["</ul>"] * max(0, depth - level)
        depth = level
        if table and block.kind != "row":
            parts.append("</table>")
            table = False
        text = html.escape(block.text).replace("[1]", '<sup><a href="#note1" id="ref1">1</a></sup>')
        match block.kind:
            case "heading":
                parts.append(f"<h{block.level}>{text}</h{block.level}>")
            case "paragraph":
                parts.append(f"<p>{f'<strong>{block.label}</strong> ' if block.label else ''}{text}</p>")
            case "item":
                parts.append(f"<li>{text}</li>")
            case "footnote":
                parts.append(f'<p id="note{block.marker}">{text} <a href="#ref1">back</a></p>')
            case "row":
                if not table:
                    parts.append(
                        "<table><tr>" + "".join(f"<th>{html.escape(each)}</th>" for each in block.header) + "</tr>"
                    )
                    table = True
                parts.append("<tr>" + "".join(f"<td>{html.escape(each)}</td>" for each in block.cells) + "</tr>")
    parts += ["</ul>"] * depth + ["</table>" if table else "", "<script>alert('no')</script></body></html>"]
    return "\n".join(parts).encode()


def word(sample: Sample) -> bytes:
    document: Any = docx.Document()
    notes: dict[str, str] = {}
    table: Any = None
    for block in sample.blocks:
        if block.kind != "row":
            table = None
        match block.kind:
            case "heading":
                document.add_heading(block.text, level=block.level - 1)
            case "paragraph":
                _add_paragraph(document, block)
            case "item":
                document.add_paragraph(
                    block.text, style="List Bullet" if block.level == 1 else f"List Bullet {block.level}"
                )
            case "footnote":
                notes[block.marker] = block.text
            case "row":
                table = _add_row(document, table, block)
    if notes:
        _add_notes(document, notes)
    _add_properties(document, sample.fields)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _add_paragraph(document: Any, block: Block) -> None:
    paragraph = document.add_paragraph()
    if block.label:
        paragraph.add_run(block.label).bold = True
        paragraph.add_run(" ")
    before, mark, after = block.text.partition("[1]")
    paragraph.add_run(before)
    if mark:
        paragraph.add_run()._r.append(_reference("1"))
        paragraph.add_run(after)


def _add_row(document: Any, table: Any, block: Block) -> Any:
    if table is None:
        table = document.add_table(rows=1, cols=len(block.header))
        for cell, text in zip(table.rows[0].cells, block.header, strict=True):
            cell.text = text
    for cell, text in zip(table.add_row().cells, block.cells, strict=True):
        cell.text = text
    return table


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def _reference(number: str) -> Any:
    from docx.oxml import parse_xml

    return parse_xml(f'<w:footnoteReference xmlns:w="{_W}" w:id="{number}"/>')


def _part(document: Any, name: str, kind: str, relation: str, xml: str) -> None:
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    part = Part(PackURI(name), kind, xml.encode(), document.part.package)
    document.part.relate_to(part, relation)


def _add_notes(document: Any, notes: Mapping[str, str]) -> None:
    inside = "".join(
        f'<w:footnote w:id="{mark}"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t>'
        f"{html.escape(text)}</w:t></w:r></w:p></w:footnote>"
        for mark, text in notes.items()
    )
    _part(
        document,
        "/word/footnotes.xml",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes",
        f'<w:footnotes xmlns:w="{_W}">{inside}</w:footnotes>',
    )


def _add_properties(document: Any, fields: Mapping[str, str]) -> None:
    inside = "".join(
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{number}" name="casewright:{name}">'
        f"<vt:lpwstr>{html.escape(value)}</vt:lpwstr></property>"
        for number, (name, value) in enumerate(fields.items(), start=2)
    )
    space = "http://schemas.openxmlformats.org/officeDocument/2006"
    _part(
        document,
        "/docProps/custom.xml",
        "application/vnd.openxmlformats-officedocument.custom-properties+xml",
        f"{space}/relationships/custom-properties",
        f'<Properties xmlns="{space}/custom-properties" xmlns:vt="{space}/docPropsVTypes">{inside}</Properties>',
    )


def portable(sample: Sample) -> bytes:
    """A PDF of several pages with running heads and page numbers, set by a layout library."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from reportlab.lib.pagesizes import A5
        from reportlab.lib.styles import getSampleStyleSheet
        from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

    styles = getSampleStyleSheet()
    story: list[Any] = []
    rows: list[Sequence[str]] = []

    def end_table() -> None:
        if rows:
            cells = [[Paragraph(html.escape(cell), styles["BodyText"]) for cell in row] for row in rows]
            story.append(Table(cells, style=[("GRID", (0, 0), (-1, -1), 0.5, "black")], repeatRows=1))
            story.append(Spacer(1, 8))
            rows.clear()

    for block in sample.blocks:
        text = html.escape(block.text).replace("[1]", "<super size='6'>1</super>")
        if block.kind == "row":
            rows += [] if rows else [block.header]
            rows.append(block.cells)
            continue
        end_table()
        story.append(Paragraph(*_printed(block, text, styles)))
    end_table()

    def running(canvas: Any, template: Any) -> None:
        if len(sample.blocks) < 25:
            return  # fits one page, where a running head could not be told from text
        canvas.setFont("Helvetica", 8)
        canvas.drawString(40, 575, "Harborline Bank, internal")
        canvas.drawCentredString(210, 20, f"Page {template.page}")

    written = io.BytesIO()
    SimpleDocTemplate(written, pagesize=A5, title="A document").build(story, onFirstPage=running, onLaterPages=running)
    return written.getvalue()


def _printed(block: Block, text: str, styles: Any) -> tuple[str, Any]:
    """The text of a block as the layout library takes it, with its style."""
    body = styles["BodyText"]
    if block.kind == "heading":
        return text, styles["Title" if block.level == 1 else f"Heading{block.level}"]
    if block.kind == "item":
        return f"• {text}", body.clone(f"item{block.level}", leftIndent=18 * block.level)
    if block.kind == "footnote":
        return f"{block.marker} {text}", body.clone("note", fontSize=7, leading=9)
    return (f"<b>{block.label}</b> {text}" if block.label else text), body


FORMATS: Mapping[str, Callable[[Sample], bytes]] = {
    "md": markdown,
    "txt": plain,
    "html": web,
    "docx": word,
    "pdf": portable,
}
