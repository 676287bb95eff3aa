"""Which format a file is, by its content; the name only parts text formats from one another.

A name that promises another format than the content holds is no reason to believe the name: a PDF
called `.md` is read as PDF, a text called `.pdf` is refused. Called by `documents`.
"""

import zipfile
from io import BytesIO
from pathlib import PurePath
from typing import Literal

from casewright.corpus.front_matter import UnreadableDocumentError

FormatName = Literal["markdown", "text", "html", "docx", "pdf"]
SUFFIXES = (".md", ".markdown", ".txt", ".text", ".html", ".htm", ".xhtml", ".docx", ".pdf")
"""Endings that a folder is searched for in watch mode; a folder named for ingest is read whole."""
MAX_FILE_BYTES = 50_000_000
_BY_SUFFIX: dict[str, FormatName] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".text": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
_HTML_STARTS = (b"<!doctype html", b"<html", b"<?xml")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def format_of(content: bytes, name: str) -> FormatName:
    """The format of the file.

    Raises:
        UnreadableDocumentError: one that is not read, or not what its name says.
    """
    suffix = PurePath(name).suffix.lower()
    if b"%PDF-" in content[:1_024]:
        return "pdf"
    if content.startswith(_ZIP):
        return _packaged(content)
    if content.startswith(_OLE):
        raise UnreadableDocumentError("it is an old or encrypted Office file; save it as .docx without a password")
    if suffix in (".pdf", ".docx"):
        raise UnreadableDocumentError(f"its name ends in {suffix!r} but its content is something else; name it rightly")
    if content.lstrip()[:20].lower().startswith(_HTML_STARTS[:2]):
        return "html"
    if suffix not in _BY_SUFFIX:
        raise UnreadableDocumentError(
            f"{suffix or 'a file without an ending'!r} is not a format that is read; convert it to Markdown, HTML, "
            "DOCX, PDF or plain text"
        )
    if (
        _BY_SUFFIX[suffix] == "html"
        and b"<" not in content[:10_000]
        and not content.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        raise UnreadableDocumentError(f"its name ends in {suffix!r} but it holds no HTML; name it .txt or .md")
    return _BY_SUFFIX[suffix]


def _packaged(content: bytes) -> FormatName:
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            names = set(package.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableDocumentError(f"it is not a whole DOCX file ({error}); save it again") from error
    if "word/document.xml" in names:
        return "docx"
    raise UnreadableDocumentError("it is an archive or another Office format; unpack it, or save it as .docx")
