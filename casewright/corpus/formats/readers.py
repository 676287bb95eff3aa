"""The reader for a file: in this process for text, in a worker process for formats that can do harm."""

from casewright.corpus.formats.blocks import Reader
from casewright.corpus.formats.detection import FormatName, format_of
from casewright.corpus.formats.sandbox import DEFAULT_LIMITS, Limits, SandboxedReader


def reader_for(content: bytes, name: str, *, limits: Limits = DEFAULT_LIMITS) -> Reader:
    """The reader for this content.

    Raises:
        UnreadableDocumentError: a format that is not read.
    """
    found = format_of(content, name)
    return SandboxedReader(found, limits) if found in ("html", "docx", "pdf") else own_reader(found)


def own_reader(name: FormatName) -> Reader:
    """The reader itself, run where it is called."""
    match name:
        case "markdown":
            from casewright.corpus.formats.markdown import MarkdownReader

            return MarkdownReader()
        case "text":
            from casewright.corpus.formats.plain import PlainTextReader

            return PlainTextReader()
        case "html":
            from casewright.corpus.formats.html import HtmlReader

            return HtmlReader()
        case "docx":
            from casewright.corpus.formats.docx import DocxReader

            return DocxReader()
        case "pdf":
            from casewright.corpus.formats.pdf import PdfReader

            return PdfReader()
