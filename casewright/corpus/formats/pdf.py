"""PDF: text with its place, size and weight from every page, made into blocks by `pdf_layout`.

Encrypted files, files without a text layer (scans) and files beyond the page limit are set aside with
the reason. Invisible text, such as the guesses under a scan, is not read. Runs in a worker process.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from io import BytesIO
from typing import Any

from casewright.corpus.formats.blocks import RawDocument
from casewright.corpus.formats.pdf_layout import blocks_of
from casewright.corpus.formats.pdf_metadata import metadata_of
from casewright.corpus.formats.pdf_page import Page, page_of
from casewright.corpus.front_matter import UnreadableDocumentError

MAX_PAGES = 2_000
_SCANNED_CHARACTERS = 25
"""Fewer visible characters per page on average mean that the text is in pictures."""
_INVISIBLE = 3
"""The rendering mode of text that is not painted."""


class PdfReader:
    """Reads one PDF."""

    name = "pdf"

    def version(self) -> str:
        return f"pdfminer.six {version('pdfminer.six')}"

    def read(self, content: bytes) -> RawDocument:
        """The document; see `Reader.read`."""
        try:
            document = _open(content)
            fields, title = metadata_of(document)
            pages = tuple(_pages(document))
        except (UnreadableDocumentError, MemoryError, RecursionError):
            raise
        except Exception as error:
            raise UnreadableDocumentError(
                f"it is not a readable PDF ({type(error).__name__}: {str(error)[:100]}); save it again"
            ) from error
        _refuse_scan(pages)
        return RawDocument(fields=fields, title=title, blocks=tuple(blocks_of(pages)))


def _open(content: bytes) -> Any:
    from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect
    from pdfminer.pdfparser import PDFParser

    try:
        document = PDFDocument(PDFParser(BytesIO(content)))
    except (PDFPasswordIncorrect, PDFEncryptionError) as error:
        raise UnreadableDocumentError("it is encrypted; save it without a password") from error
    if document.encryption is not None:
        raise UnreadableDocumentError("it is encrypted; save it without a password")
    return document


def _pages(document: Any) -> Iterator[Page]:
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage

    manager = PDFResourceManager()
    device = _device_type()(manager)
    interpreter = PDFPageInterpreter(manager, device)
    for number, page in enumerate(PDFPage.create_pages(document), start=1):
        if number > MAX_PAGES:
            raise UnreadableDocumentError(f"it has more than {MAX_PAGES} pages; split it")
        interpreter.process_page(page)
        yield page_of(device.get_result(), number)


@lru_cache(maxsize=1)
def _device_type() -> Any:
    """The layout device without the text that is not painted."""
    converter = import_module("pdfminer.converter")
    layout = import_module("pdfminer.layout")

    def start(self: Any, manager: Any) -> None:
        converter.PDFPageAggregator.__init__(self, manager, laparams=layout.LAParams(all_texts=True))

    def render_string(self: Any, textstate: Any, seq: Any, ncs: Any, graphicstate: Any) -> None:
        if textstate.render != _INVISIBLE:
            converter.PDFPageAggregator.render_string(self, textstate, seq, ncs, graphicstate)

    return type("_VisibleText", (converter.PDFPageAggregator,), {"__init__": start, "render_string": render_string})


def _refuse_scan(pages: Iterable[Page]) -> None:
    counted = [(page.characters, page.pictures) for page in pages]
    if not counted:
        raise UnreadableDocumentError("it has no pages; save it again")
    characters = sum(each for each, _ in counted)
    if characters < _SCANNED_CHARACTERS * len(counted):
        what = (
            "is scanned: its pages are pictures" if any(pictures for _, pictures in counted) else "has hardly any text"
        )
        raise UnreadableDocumentError(
            f"it {what} ({characters} visible characters on {len(counted)} pages); run text recognition, check the "
            "result and save it as a text document"
        )
