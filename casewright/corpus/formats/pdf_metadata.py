"""What a PDF says about itself: its document information, and its XMP metadata (ISO 16684-1).

    /casewright:document_id (hl-fees)                      document information, as most tools write it
    <pdfx:casewright.document_id>hl-fees</...>             the same custom property as Acrobat mirrors it in XMP
    <casewright:document_id>hl-fees</...>                  XMP with a namespace of that prefix

Both may be there; where they differ the file is set aside, since nobody can tell which is meant. Called by
`pdf` alone, in its worker process.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, cast

from casewright.corpus.formats.blocks import property_fields
from casewright.corpus.front_matter import UnreadableDocumentError
from casewright.corpus.spacing import one_line

MAX_XMP_BYTES = 1_000_000
_PDFX = "http://ns.adobe.com/pdfx/1.3/"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PREFIX = "casewright"


def metadata_of(document: Any) -> tuple[Mapping[str, object], str]:
    """The fields under our names, and the title, of an open PDF.

    Raises:
        UnreadableDocumentError: the metadata cannot be read, or contradict each other.
    """
    information = dict(_information(document.info))
    fields = dict(property_fields(information.items()))
    properties = dict(_properties(_xmp(document)))
    for name, value in property_fields(properties.items()).items():
        if fields.setdefault(name, value) != value:
            raise UnreadableDocumentError(
                f"its document information says {name!r} is {fields[name]!r} and its XMP metadata {value!r}; make "
                "them agree"
            )
    title = information.get("Title", "").strip() or properties.get("title", "")
    return fields, one_line(title)


def _information(infos: Iterable[Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    """The information entries as text; keys as in the file without the slash."""
    from pdfminer.pdftypes import resolve1
    from pdfminer.utils import decode_text

    for info in infos:
        for key, value in info.items():
            resolved = cast("object", resolve1(value))
            if isinstance(resolved, bytes):
                yield key, decode_text(resolved)


def _xmp(document: Any) -> bytes:
    """The XMP packet of the document itself; empty where it has none."""
    from pdfminer.pdftypes import PDFStream, resolve1

    stream = cast("object", resolve1(document.catalog.get("Metadata")))
    if not isinstance(stream, PDFStream):
        return b""
    content = stream.get_data()
    if len(content) > MAX_XMP_BYTES:
        raise UnreadableDocumentError(f"its XMP metadata have {len(content)} bytes; save it again without them")
    return content.strip(b" \t\r\n\x00")


def _properties(packet: bytes) -> Iterator[tuple[str, str]]:
    """Named texts of a packet: ours as `casewright:NAME`, and the title as `title`."""
    if not packet:
        return
    etree = import_module("lxml.etree")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(packet, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableDocumentError(f"its XMP metadata are not XML ({error}); save it again") from error
    if root.getroottree().docinfo.doctype:
        raise UnreadableDocumentError("its XMP metadata declare a document type; save it again without them")
    for description in root.iter(f"{{{_RDF}}}Description"):
        namespaces = {address: prefix for prefix, address in description.nsmap.items()}
        for name, value in description.attrib.items():
            yield from _named(etree.QName(name), namespaces, str(value))
        for element in description.iterchildren(etree.Element):
            own = {address: prefix for prefix, address in element.nsmap.items()}
            yield from _named(etree.QName(element), own, _text(element))


def _text(element: Any) -> str:
    """The text of a property; the items of a list with commas between them."""
    items = [item.text or "" for item in element.iter(f"{{{_RDF}}}li")]
    return ", ".join(items) if items else "".join(element.itertext())


def _named(name: Any, prefixes: Mapping[str, str | None], value: str) -> Iterator[tuple[str, str]]:
    if prefixes.get(name.namespace) == _PREFIX:
        yield f"{_PREFIX}:{name.localname}", value
    elif name.namespace == _PDFX:
        yield name.localname, value
    elif (name.namespace, name.localname) == (_DUBLIN_CORE, "title"):
        yield "title", value
