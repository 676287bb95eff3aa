"""Bytes of a text file to text, by stated encoding or proof, never by likelihood.

A byte-order mark decides, then what the document declares, then UTF-8, then Windows-1252 as
long as nothing speaks against it. Called by the readers of Markdown, HTML and plain text.
"""

import codecs
import re

from casewright.corpus.front_matter import UnreadableDocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARABLE = frozenset({"utf-8", "utf-16", "cp1252", "iso8859-1", "iso8859-15", "ascii"})
"""By Python's names. The web reads `iso-8859-1` and `ascii` as Windows-1252, and so do we."""
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_STRAY_MARK = re.compile(rb"\xff\xfe|\xfe\xff|\xef\xbb\xbf")


def decode(content: bytes, *, declared: str = "") -> str:
    """The text with line feeds as line ends; `declared` is the name the document gives its encoding.

    Raises:
        UnreadableDocumentError: binary, of an encoding that is not read, or of two encodings at once.
    """
    text = _decode(content, declared)
    if "\x00" in text:
        raise UnreadableDocumentError("it is a binary file; save it as UTF-8 text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(content: bytes, declared: str) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strictly(content, encoding)
    if b"\x00" in content:
        raise UnreadableDocumentError("it is a binary file; save it as UTF-8 text")
    if declared:
        return _strictly(content, _known(declared))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if _STRAY_MARK.search(content) or _UTF8_SEQUENCE.search(content):
            raise UnreadableDocumentError(
                f"it mixes encodings: it is not valid UTF-8 at byte {error.start}, and not of one other encoding; save "
                "it as UTF-8"
            ) from error
    return _strictly(content, "cp1252")


def _known(declared: str) -> str:
    try:
        name = codecs.lookup(declared.strip()).name
    except LookupError:
        name = ""
    if name not in _DECLARABLE:
        raise UnreadableDocumentError(
            f"it declares the encoding {declared[:40]!r}, which is not read; save it as UTF-8"
        )
    return "cp1252" if name in ("iso8859-1", "ascii") else name


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableDocumentError(
            f"it is not valid {encoding.removesuffix('-sig').upper()} at byte {error.start}; save it as UTF-8"
        ) from error
