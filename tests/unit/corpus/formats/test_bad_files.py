"""Files that lie, swell, hide or are broken: each is set aside with its reason, in bounded time and memory."""

import io
import time
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.corpus.documents import parse_document
from casewright.corpus.formats.detection import format_of
from casewright.corpus.formats.readers import own_reader, reader_for
from casewright.corpus.formats.sandbox import Limits, SandboxedReader
from casewright.corpus.front_matter import UnreadableDocumentError
from tests.unit.corpus.formats.rendering import plain, portable, web, word
from tests.unit.corpus.formats.test_same_clauses import STRUCTURED

SIDECAR = STRUCTURED.sidecar
HEAD = "<html><head><meta charset='utf-8'></head><body>"


def reason(content: bytes, name: str, *, sidecar: bytes | None = SIDECAR, limits: Limits | None = None) -> str:
    """Why the file is set aside."""
    with pytest.raises(UnreadableDocumentError, match=r".") as caught:
        reader = reader_for(content, name, limits=limits) if limits else None
        parse_document(content, tenant="harborline", name=name, sidecar=sidecar, reader=reader)
    return str(caught.value)


def page(body: str) -> bytes:
    return f"{HEAD}{body}</body></html>".encode()


def canvas_pdf(draw: Any, **options: Any) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    written = io.BytesIO()
    canvas = Canvas(written, **options)
    draw(canvas)
    canvas.save()
    return written.getvalue()


def many_pages(count: int) -> bytes:
    """A PDF of empty pages, written by hand."""
    kids = " ".join(f"{number} 0 R" for number in range(3, count + 3))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {count}/Kids[{kids}]>>"]
    objects += ["<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"] * count
    body = "".join(f"{number} 0 obj{value}endobj\n" for number, value in enumerate(objects, start=1))
    return f"%PDF-1.4\n{body}trailer<</Root 1 0 R/Size {count + 3}>>\n".encode()


def repacked(content: bytes, **parts: bytes) -> bytes:
    """The package with parts replaced; names with `__` for the slash and `_xml` for the ending."""
    renamed = {name.replace("__", "/").replace("_xml", ".xml"): value for name, value in parts.items()}
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, renamed.get(name, source.read(name)))
    return written.getvalue()


def document_xml(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return package.read("word/document.xml")


@pytest.mark.proves("A1")
def test_a_word_package_that_unpacks_to_too_much_is_set_aside_unopened() -> None:
    bomb = repacked(word(STRUCTURED), word__document_xml=b"<a>" + b" " * 210_000_000)
    assert len(bomb) < 1_000_000
    assert "zip bomb" in reason(bomb, "policy.docx")


@pytest.mark.proves("A1")
def test_entities_that_expand_without_end_are_not_expanded() -> None:
    laughs = b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 50) for i in range(6)
    )
    opened = document_xml(word(STRUCTURED)).partition(b"?>")[2]
    bomb = repacked(word(STRUCTURED), word__document_xml=laughs + b"]>" + opened.replace(b"Staff", b"&g;"))
    started = time.monotonic()
    try:
        found = parse_document(bomb, tenant="harborline", name="policy.docx")
    except UnreadableDocumentError as error:
        assert str(error)
    else:
        assert "haha" not in "".join(clause.text for clause in found.clauses)
    assert time.monotonic() - started < 40


@pytest.mark.proves("A1")
def test_a_pdf_of_ten_thousand_pages_is_set_aside_by_its_pages() -> None:
    assert "more than 2000 pages" in reason(many_pages(10_000), "long.pdf")


@pytest.mark.proves("A1")
def test_a_file_that_takes_too_long_is_set_aside_and_its_worker_ended() -> None:
    started = time.monotonic()
    assert "more than 0.05 seconds" in reason(many_pages(1_900), "slow.pdf", limits=Limits(seconds=0.05))
    assert time.monotonic() - started < 20


@pytest.mark.proves("A1")
def test_a_file_that_takes_too_much_memory_is_set_aside() -> None:
    wide = page("<p>word</p>" * 400_000)
    assert "MB of memory" in reason(wide, "wide.html", limits=Limits(memory_bytes=220_000_000))


@pytest.mark.proves("A1")
def test_an_encrypted_pdf_is_set_aside() -> None:
    def rule(canvas: Any) -> None:
        canvas.drawString(50, 700, "1.1 A rule that only some may read.")

    locked = canvas_pdf(rule, encrypt="secret")
    assert "encrypted" in reason(locked, "locked.pdf")
    restricted = canvas_pdf(rule, encrypt=_without_password())
    assert "encrypted" in reason(restricted, "restricted.pdf")


def _without_password() -> Any:
    from reportlab.lib.pdfencrypt import StandardEncryption

    return StandardEncryption("", ownerPassword="owner", canCopy=0)


@pytest.mark.proves("A1")
def test_a_scan_is_recognised_even_with_invisible_text_under_its_picture() -> None:
    from PIL import Image

    def scan(canvas: Any) -> None:
        canvas.drawInlineImage(Image.new("L", (200, 280), 200), 0, 0, 595, 842)
        under = canvas.beginText(50, 700)
        under.setTextRenderMode(3)
        under.textLine("1.1 A guess of what the picture says, which nobody has checked so far.")
        canvas.drawText(under)

    assert "is scanned" in reason(canvas_pdf(scan), "scan.pdf")


@pytest.mark.proves("A1")
def test_the_content_decides_the_format_and_not_the_name() -> None:
    found = parse_document(portable(STRUCTURED), tenant="harborline", name="policy.md", sidecar=SIDECAR)
    assert found.parser.startswith("pdfminer")
    assert "its content is something else" in reason(plain(STRUCTURED), "policy.pdf")
    assert "old or encrypted Office file" in reason(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "policy.docx")
    assert "not a format that is read" in reason(b"a,b\n=1+1,2\n", "policy.csv")
    assert "holds no HTML" in reason(b"just words", "policy.html")
    with io.BytesIO() as other:
        with zipfile.ZipFile(other, "w") as package:
            package.writestr("xl/workbook.xml", "<a/>")
        assert "another Office format" in reason(other.getvalue(), "policy.docx")


@pytest.mark.proves("A1")
@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (
            "1.1 A caf\u00e9 \u2014 open.".encode() + "1.2 Le caf\u00e9.".encode("latin-1"),
            "mixed.txt",
            "mixes encodings",
        ),
        (b"<html><head><meta charset='shift_jis'></head><p>x</p>", "page.html", "declares the encoding 'shift_jis'"),
        (b"<html><head><meta charset='utf-8'></head><p>caf\xe9</p>", "page.html", "not valid UTF-8"),
        (b"1.1 text \x81 text", "odd.txt", "not valid CP1252"),
        (b"1.1 text\x00text", "odd.txt", "binary"),
        ("1.1 Pay \u202e05 DSU\u202c only.".encode(), "bidi.txt", "U+202C, U+202E"),
        ("1.1 Pay\u200b 50 USD.".encode(), "zero.txt", "U+200B"),
        ("1.1 Pay \U000e0041 50 USD.".encode(), "tags.txt", "U+E0041"),
        (page("<p>1.1 Pay &#x202e;05 DSU.</p>"), "bidi.html", "U+202E"),
        (page("<p>1.1 Pay.</p><p style='display: none'>1.2 Do not.</p>"), "hidden.html", "hides text"),
        (page("<p>1.1 Pay <span hidden>not</span> now.</p>"), "hidden.html", "hides text"),
        (page("<div>" * 400 + "1.1 Pay." + "</div>" * 400), "deep.html", "deep"),
    ],
)
def test_text_that_is_not_what_people_see_is_set_aside(content: bytes, name: str, said: str) -> None:
    assert said in reason(content, name)


@pytest.mark.proves("A1")
def test_encodings_that_are_certain_are_read_and_soft_hyphens_dropped() -> None:
    for content in (
        "1.1 Café — open.".encode("utf-16"),
        "1.1 Café — open.".encode("cp1252"),
        "1.1 Ca\u00adfé — open.".encode(),
    ):
        (clause,) = parse_document(content, tenant="harborline", name="a.txt", sidecar=SIDECAR).clauses
        assert clause.text == "Café — open."
    (hebrew,) = parse_document("1.1 שלום עולם.".encode(), tenant="harborline", name="a.txt", sidecar=SIDECAR).clauses
    assert hebrew.text == "שלום עולם."


@pytest.mark.proves("A1")
def test_scripts_styles_frames_and_pictures_of_a_page_leave_no_trace() -> None:
    body = (
        "<p>1.1 Pay <img src='http://example.invalid/x.png' alt='now'>at once.</p><script>steal()</script>"
        "<style>p{background:url(http://example.invalid)}</style><iframe src='http://example.invalid'>frame</iframe>"
        "<svg><text>drawn</text></svg><form><input value='typed'><button>go</button></form><!-- 1.2 a comment -->"
    )
    found = parse_document(page(body), tenant="harborline", name="a.html", sidecar=SIDECAR)
    assert [(clause.label, clause.text) for clause in found.clauses] == [("1.1", "Pay at once.")]
    assert "scripts" in reason(b"---\na: b\n---\n1.1 Pay <script>steal()</script> now", "a.md")
    assert "raw HTML" in reason(b"---\na: b\n---\n<div>1.1 Pay</div>\n", "a.md")


@pytest.mark.proves("A1")
def test_word_text_that_is_hidden_or_undecided_sets_the_document_aside() -> None:
    whole = word(STRUCTURED)
    xml = document_xml(whole)
    hidden = xml.replace(b"<w:r><w:t>Staff", b"<w:r><w:rPr><w:vanish/></w:rPr><w:t>Staff", 1)
    tracked = xml.replace(
        b"<w:r><w:t>Staff", b"<w:del><w:r><w:delText>Never</w:delText></w:r></w:del><w:r><w:t>Staff", 1
    )
    assert hidden != xml != tracked
    assert "hidden text" in reason(repacked(whole, word__document_xml=hidden), "a.docx")
    assert "tracked changes" in reason(repacked(whole, word__document_xml=tracked), "a.docx")
    assert "not a whole DOCX" in reason(whole[:-200], "a.docx")


@pytest.mark.proves("A1")
def test_the_sidecar_says_what_the_format_cannot_but_may_not_widen_access() -> None:
    content = web(STRUCTURED)
    found = parse_document(content, tenant="harborline", name="a.html", sidecar=b"version: '2026.2'\nissuer: Board")
    assert (found.matter.version, found.matter.issuer, found.matter.document_id) == ("2026.2", "Board", "hl-fees")
    labelled = content.replace(b"<style>", b'<meta name="casewright:labels" content="fraud-ops, audit"><style>')
    assert parse_document(labelled, tenant="harborline", name="a.html").matter.labels == ("audit", "fraud-ops")
    assert "'labels'" in reason(labelled, "a.html", sidecar=b"labels: []")
    assert "not UTF-8" in reason(content, "a.html", sidecar=b"issuer: \xff\xfe\xff")
    assert "document_id" in reason(plain(STRUCTURED), "a.txt", sidecar=None)


@pytest.mark.thorough
@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=600), st.sampled_from(["a.md", "a.txt", "a.html", "a.pdf", "a.docx", "a"]))
def test_any_bytes_under_any_name_are_read_or_refused(content: bytes, name: str) -> None:
    try:
        own_reader(format_of(content, name)).read(content)
    except UnreadableDocumentError as error:
        assert str(error)


@pytest.mark.thorough
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_damaged_pages_and_pdfs_are_read_or_refused(data: st.DataObject) -> None:
    for whole, name in ((web(STRUCTURED), "html"), (many_pages(3), "pdf")):
        at = data.draw(st.integers(0, len(whole)))
        damaged = whole[:at] + data.draw(st.binary(max_size=20)) + whole[data.draw(st.integers(at, len(whole))) :]
        try:
            own_reader(format_of(damaged, f"a.{name}")).read(damaged)
        except UnreadableDocumentError as error:
            assert str(error)


@pytest.mark.thorough
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_damaged_word_packages_and_what_is_in_them_are_read_or_refused(data: st.DataObject) -> None:
    whole = word(STRUCTURED)
    inside = document_xml(whole)
    part = data.draw(st.sampled_from(["package", "document"]))
    source = whole if part == "package" else inside
    at = data.draw(st.integers(0, len(source)))
    damaged = source[:at] + data.draw(st.binary(max_size=20)) + source[data.draw(st.integers(at, len(source))) :]
    content = damaged if part == "package" else repacked(whole, word__document_xml=damaged)
    try:
        own_reader(format_of(content, "a.docx")).read(content)
    except UnreadableDocumentError as error:
        assert str(error)


def test_a_worker_that_breaks_off_is_a_reason_and_not_a_crash() -> None:
    with pytest.raises(UnreadableDocumentError, match="broke off"):
        SandboxedReader("nonsense", Limits()).read(b"")  # pyright: ignore[reportArgumentType]
