"""Read one file, whatever its format, into a document: who, from when, and its clauses.

The content decides the format, not the name. What cannot be read raises `UnreadableDocumentError`;
nothing is guessed and nothing dropped. Called by ingest; knows nothing of the index.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from casewright.corpus.clauses import ParsedClause, clauses_of
from casewright.corpus.formats.blocks import MAX_BLOCKS, RawDocument, Reader
from casewright.corpus.formats.detection import MAX_FILE_BYTES
from casewright.corpus.formats.readers import reader_for
from casewright.corpus.front_matter import FrontMatter, UnreadableDocumentError, merged, read_fields, typed_matter
from casewright.corpus.links import linked
from casewright.corpus.spacing import refuse_hidden

SIDECAR_SUFFIX = ".meta.yaml"
"""`fees.pdf.meta.yaml` beside `fees.pdf` says what the PDF cannot."""
MAX_SIDECAR_BYTES = 100_000
REVISION = 3
"""Of how blocks become clauses; part of the parser's version in the manifest."""


@dataclass(frozen=True, kw_only=True)
class ParsedDocument:
    """A document that was read whole."""

    matter: FrontMatter
    file_sha256: str
    """Of the file, and of its sidecar where there is one."""
    clauses: tuple[ParsedClause, ...]
    parser: str
    """The format's parser with its version and our revision."""


def source_hash(content: bytes, sidecar: bytes | None) -> str:
    """What tells a changed source: SHA-256 of the file, or of file and sidecar together."""
    own = hashlib.sha256(content).hexdigest()
    return (
        own if sidecar is None else hashlib.sha256(f"{own} {hashlib.sha256(sidecar).hexdigest()}".encode()).hexdigest()
    )


def parse_document(
    content: bytes,
    *,
    tenant: str,
    name: str = "document.md",
    sidecar: bytes | None = None,
    reader: Reader | None = None,
) -> ParsedDocument:
    """The document in `content`, as ingested by `tenant`; `reader` is found by the content where absent.

    Raises:
        UnreadableDocumentError: with a reason that says what is wrong and how to mend it.
    """
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableDocumentError(f"it has {len(content)} bytes; split it into files of at most {MAX_FILE_BYTES}")
    chosen = reader or reader_for(content, name)
    raw = chosen.read(content)
    matter = typed_matter(_fields(raw, sidecar), tenant=tenant)
    if len(raw.blocks) > MAX_BLOCKS:
        raise UnreadableDocumentError(
            f"it has {len(raw.blocks)} paragraphs; split it into files of at most {MAX_BLOCKS}"
        )
    refuse_hidden((matter.title, matter.issuer, matter.document_id, matter.version, *matter.labels))
    refuse_hidden(text for block in raw.blocks for text in (block.text, block.label or "", block.marker, *block.cells))
    return ParsedDocument(
        matter=matter,
        file_sha256=source_hash(content, sidecar),
        clauses=linked(clauses_of(raw.blocks, title=matter.title)),
        parser=_parser(chosen),
    )


def parser_of(content: bytes, name: str) -> str:
    """The parser that would read the file today, as the manifest names it.

    Raises:
        UnreadableDocumentError: its format is not read.
    """
    return _parser(reader_for(content, name))


def _parser(reader: Reader) -> str:
    return f"{reader.version()}, clauses {REVISION}"


def _fields(raw: RawDocument, sidecar: bytes | None) -> Mapping[str, object]:
    """What the document and its sidecar say; the format's own title is the last resort."""
    fields = {"title": raw.title, **raw.fields} if raw.title else dict(raw.fields)
    if sidecar is None:
        return fields
    if len(sidecar) > MAX_SIDECAR_BYTES:
        raise UnreadableDocumentError(f"its sidecar has {len(sidecar)} bytes; give it at most {MAX_SIDECAR_BYTES}")
    try:
        beside = read_fields(sidecar.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableDocumentError("its sidecar is not UTF-8; save it as UTF-8") from error
    return merged(fields, beside)
