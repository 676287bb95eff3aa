"""One document in five formats is the same document: labels, texts, parents, headings and hashes."""

from pathlib import Path

import pytest

from casewright.corpus.documents import ParsedDocument, parse_document
from casewright.corpus.formats.blocks import Block
from casewright.corpus.formats.markdown import MarkdownReader
from casewright.corpus.front_matter import read_fields, split_front_matter
from tests.unit.corpus.formats.rendering import FORMATS, Sample

SAMPLE = Path(__file__).resolve().parents[4] / "casewright" / "sample"
NAMES = (
    "harborline/documents/hl-error-resolution-2018.1",
    "harborline/documents/hl-evidence-standards-2025.1",
    "harborline/documents/hl-card-disputes-2025.1",
    "harborline/documents/hl-unauthorized-transfers-2024.1",
    "millbrook/documents/mb-complaints-2018.1",
    "millbrook/documents/mb-evidence-2018.1",
)
FIELDS = {
    "title": "Fee Refund Policy",
    "document_id": "hl-fees",
    "version": "2026.1",
    "effective_from": "2026-01-01",
    "status": "published",
}


def block(kind: str, text: str, **more: object) -> Block:
    return Block(kind=kind, text=text, place=1, **more)  # pyright: ignore[reportArgumentType]


HEADER = ("Fee", "Refunded within", "Decided by")
STRUCTURED = Sample(
    fields=FIELDS,
    blocks=(
        block("heading", "Fee Refund Policy", level=1),
        block("heading", "1 Scope", level=2),
        block("paragraph", "This policy covers every fee that the bank charges to a consumer account.", label="1.1"),
        block("paragraph", "A fee is refunded when one of these holds:", label="1.2"),
        block("item", "the fee was charged by mistake;", level=1, marker="•"),
        block(
            "item", "the customer was not told of the fee before it was charged, which includes", level=1, marker="•"
        ),
        block("item", "a notice that was sent late;", level=2, marker="•"),
        block("item", "a notice that was never sent.", level=2, marker="•"),
        block("heading", "2 Time", level=2),
        block("paragraph", "The time depends on the kind of fee[1] as follows:", label="2.1"),
        block("row", "", cells=("Overdraft fee", "5 business days", "The branch"), header=HEADER),
        block("row", "", cells=("Wire fee", "10 business days", "The operations team"), header=HEADER),
        block("row", "", cells=("Card fee", "45 calendar days", "The card team"), header=HEADER),
        block("footnote", "A fee that a network charges is a fee of the bank.", marker="1"),
        block("heading", "Good practice", level=2),
        block("paragraph", "Staff explain a refund in plain words and never ask the customer to waive anything."),
        block("paragraph", "A refund that was refused is explained in writing."),
    ),
)


def sample(name: str) -> Sample:
    content = (SAMPLE / f"{name}.md").read_bytes()
    source, _ = split_front_matter(content.decode())
    fields = {key: str(value) for key, value in read_fields(source).items() if value != []}
    return Sample(fields=fields, blocks=MarkdownReader().read(content).blocks)


def parsed(content: bytes, ending: str, given: Sample) -> ParsedDocument:
    sidecar = given.sidecar if ending in ("txt", "pdf") else None
    return parse_document(
        content, tenant=given.fields.get("tenant", "harborline"), name=f"document.{ending}", sidecar=sidecar
    )


@pytest.mark.proves("A1")
@pytest.mark.parametrize("name", NAMES)
def test_a_sample_document_gives_the_same_clauses_in_every_format(name: str) -> None:
    given = sample(name)
    original = parse_document((SAMPLE / f"{name}.md").read_bytes(), tenant=given.fields["tenant"])
    assert len(original.clauses) >= 8
    for ending, render in FORMATS.items():
        found = parsed(render(given), ending, given)
        assert found.clauses == original.clauses, ending
        assert found.matter == original.matter, ending


@pytest.mark.proves("A1")
@pytest.mark.parametrize("ending", FORMATS)
def test_lists_tables_and_footnotes_keep_what_they_mean_in_every_format(ending: str) -> None:
    found = parsed(FORMATS[ending](STRUCTURED), ending, STRUCTURED)
    by_label = {clause.label: clause for clause in found.clauses}
    assert list(by_label) == [
        "1.1",
        "1.2",
        "1.2-b1",
        "1.2-b2",
        "1.2-b2-b1",
        "1.2-b2-b2",
        "2.1",
        "2.1-fn1",
        "2.1-r1",
        "2.1-r2",
        "2.1-r3",
        "Good practice-p1",
        "Good practice-p2",
    ]
    assert (
        by_label["2.1-r2"].text == "Fee: Wire fee; Refunded within: 10 business days; Decided by: The operations team"
    )
    assert by_label["2.1-r2"].lead_in == ("The time depends on the kind of fee[1] as follows:",)
    assert by_label["1.2-b1"].lead_in == ("A fee is refunded when one of these holds:",)
    assert by_label["1.2-b2-b2"].parents == ("1.2", "1.2-b2")
    assert by_label["1.2-b2-b2"].lead_in == (
        "A fee is refunded when one of these holds:",
        "the customer was not told of the fee before it was charged, which includes",
    )
    assert by_label["2.1-fn1"].text == "A fee that a network charges is a fee of the bank."
    assert by_label["Good practice-p2"].heading == "Fee Refund Policy > Good practice"
    assert "alert" not in "".join(clause.text for clause in found.clauses)


@pytest.mark.proves("A1")
def test_the_parser_of_every_format_is_named_with_its_version() -> None:
    parsers = {ending: parsed(render(STRUCTURED), ending, STRUCTURED).parser for ending, render in FORMATS.items()}
    assert [parsers[ending].split()[0] for ending in FORMATS] == [
        "markdown-it-py",
        "own",
        "lxml",
        "python-docx",
        "pdfminer.six",
    ]
    assert len({parser.rpartition(", ")[2] for parser in parsers.values()}) == 1
