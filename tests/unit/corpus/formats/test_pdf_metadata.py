"""A PDF says by itself who issued it and from when it holds: in its document information or in XMP."""

import zlib
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.corpus.documents import parse_document
from casewright.corpus.formats.readers import own_reader
from casewright.corpus.front_matter import UnreadableDocumentError

FIELDS = {
    "document_id": "hl-fees",
    "version": "2026.1",
    "effective_from": "2026-01-01",
    "status": "published",
    "labels": "fraud-ops, audit",
}
TEXT = "1.1 A fee is refunded within five business days of the request of a customer."


def pdf(*, information: Mapping[str, str] | None = None, xmp: bytes = b"", filtered: bool = False) -> bytes:
    """A PDF of one page, written by hand, with these entries and this packet."""
    entries = "".join(f"/{name.replace(':', '#3A')} ({value})" for name, value in (information or {}).items())
    drawn = f"BT /F1 11 Tf 40 700 Td ({TEXT}) Tj ET".encode()
    packet = zlib.compress(xmp) if filtered else xmp
    coding = b"/Filter/FlateDecode" if filtered else b""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R" + (b"/Metadata 6 0 R" if xmp else b"") + b">>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</Font<</F1 4 0 R>>>>>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Metadata/Subtype/XML%s/Length %d>>\nstream\n%s\nendstream" % (coding, len(packet), packet),
        f"<<{entries}>>".encode("latin-1"),
    ]
    written, places = b"%PDF-1.4\n", list[int]()
    for number, value in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<</Root 1 0 R/Info 7 0 R/Size 8>>\nstartxref\n%d\n%%%%EOF\n" % len(written)
    return written + b"xref\n0 8\n0000000000 65535 f \n" + table + trailer


def packet(inside: str, *, attributes: str = "") -> bytes:
    return (
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:pdfx='http://ns.adobe.com/pdfx/1.3/' xmlns:casewright='urn:casewright'"
        f" xmlns:dc='http://purl.org/dc/elements/1.1/' {attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
        "<?xpacket end='w'?>"
    ).encode()


TITLE = "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Fee Refund Policy</rdf:li></rdf:Alt></dc:title>"
OWN = "".join(f"<casewright:{name}>{value}</casewright:{name}>" for name, value in FIELDS.items() if name != "labels")
BAG = "<casewright:labels><rdf:Bag><rdf:li>fraud-ops</rdf:li><rdf:li>audit</rdf:li></rdf:Bag></casewright:labels>"
MIRRORED = "".join(f"<pdfx:casewright.{name}>{value}</pdfx:casewright.{name}>" for name, value in FIELDS.items())
AS_ATTRIBUTES = " ".join(f"casewright:{name}='{value}'" for name, value in FIELDS.items())
INFORMATION = {f"casewright:{name}": value for name, value in FIELDS.items()} | {"Title": "Fee Refund Policy"}


@pytest.mark.proves("A1")
@pytest.mark.parametrize(
    "content",
    [
        pdf(information=INFORMATION),
        pdf(information={name.replace(":", "."): value for name, value in INFORMATION.items()}),
        pdf(xmp=packet(TITLE + OWN + BAG)),
        pdf(xmp=packet(TITLE + MIRRORED), filtered=True),
        pdf(xmp=packet(TITLE, attributes=AS_ATTRIBUTES)),
        pdf(information=INFORMATION, xmp=packet(TITLE + OWN + BAG)),
        pdf(information={"casewright:version": "2026.1"}, xmp=packet(TITLE + OWN + BAG)),
    ],
    ids=["information", "with dots", "xmp", "mirrored", "attributes", "both", "some in each"],
)
def test_a_pdf_is_ingested_by_what_it_says_of_itself_without_a_sidecar(content: bytes) -> None:
    found = parse_document(content, tenant="harborline", name="fees.pdf", reader=own_reader("pdf"))
    matter = found.matter
    assert (matter.document_id, matter.version, str(matter.effective_from)) == ("hl-fees", "2026.1", "2026-01-01")
    assert (matter.title, matter.status, matter.labels) == ("Fee Refund Policy", "published", ("audit", "fraud-ops"))
    assert [(clause.label, clause.text) for clause in found.clauses] == [("1.1", TEXT.removeprefix("1.1 "))]


def refusal(content: bytes, *, sidecar: bytes | None = None) -> str:
    with pytest.raises(UnreadableDocumentError, match=r".") as caught:
        parse_document(content, tenant="harborline", name="fees.pdf", sidecar=sidecar, reader=own_reader("pdf"))
    return str(caught.value)


@pytest.mark.proves("A1")
def test_metadata_reach_the_document_out_of_the_worker_process_too() -> None:
    found = parse_document(pdf(xmp=packet(TITLE + OWN + BAG)), tenant="harborline", name="fees.pdf")
    assert (found.matter.title, found.matter.labels) == ("Fee Refund Policy", ("audit", "fraud-ops"))


@pytest.mark.proves("A1")
def test_metadata_that_contradict_each_other_set_the_file_aside() -> None:
    later = packet(TITLE + OWN.replace("2026-01-01", "2020-01-01"))
    assert "'effective_from' is '2026-01-01' and its XMP metadata '2020-01-01'" in refusal(
        pdf(information=INFORMATION, xmp=later)
    )
    open_to_all = packet(TITLE + OWN + "<casewright:labels></casewright:labels>")
    assert "'labels'" in refusal(pdf(information=INFORMATION, xmp=open_to_all))
    assert "'labels'" in refusal(pdf(xmp=packet(TITLE + OWN + BAG)), sidecar=b"labels: []")
    assert "'tenant'" in refusal(
        pdf(information=INFORMATION | {"casewright:tenant": "millbrook"}), sidecar=b"tenant: harborline"
    )


@pytest.mark.proves("A1")
def test_hostile_metadata_are_refused_unread() -> None:
    entity = b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + packet(
        "<casewright:issuer>&a;</casewright:issuer>"
    )
    assert "document type" in refusal(
        pdf(xmp=entity.replace(b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>", b""))
    )
    assert "not XML" in refusal(pdf(xmp=packet("<open>")))
    assert "bytes" in refusal(pdf(xmp=packet(" " * 1_100_000), filtered=True))


@pytest.mark.thorough
@settings(deadline=None, max_examples=80)
@given(st.data())
def test_damaged_metadata_are_read_or_refused(data: st.DataObject) -> None:
    whole = packet(TITLE + OWN + BAG)
    at = data.draw(st.integers(0, len(whole)))
    damaged = whole[:at] + data.draw(st.binary(max_size=12)) + whole[data.draw(st.integers(at, len(whole))) :]
    try:
        found = own_reader("pdf").read(pdf(xmp=damaged or b" "))
    except UnreadableDocumentError as error:
        assert str(error)
    else:
        assert set(found.fields) <= set(FIELDS)
