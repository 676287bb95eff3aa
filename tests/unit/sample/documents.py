"""The sample documents, read by a few lines of their own so that the product's parser is not its own judge."""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SAMPLE = Path(__file__).resolve().parents[3] / "casewright" / "sample"
_CLAUSE = re.compile(r"\*\*(.+?)\*\* (\S.*)")


@dataclass(frozen=True, kw_only=True)
class Document:
    """One version of one document."""

    path: Path
    matter: dict[str, Any]
    clauses: tuple[tuple[str, str], ...]
    """Label and text of each paragraph, in order."""
    stray: tuple[str, ...]
    """Lines that are neither a heading nor a labelled paragraph."""

    @property
    def document_id(self) -> str:
        return str(self.matter["document_id"])

    @property
    def effective_from(self) -> dt.date:
        found = self.matter["effective_from"]
        assert type(found) is dt.date
        return found

    @property
    def text_of(self) -> dict[str, str]:
        return dict(self.clauses)


def read_document(path: Path) -> Document:
    """Front matter and clauses of one file."""
    opening, matter, body = path.read_text("utf-8").split("---\n", 2)
    assert opening == ""
    lines = [line for line in body.splitlines() if line and not line.startswith("#")]
    found = [_CLAUSE.fullmatch(line) for line in lines]
    return Document(
        path=path,
        matter=yaml.safe_load(matter),
        clauses=tuple((match[1], match[2]) for match in found if match),
        stray=tuple(line for line, match in zip(lines, found, strict=True) if not match),
    )


def read_documents() -> tuple[Document, ...]:
    """Every version of every sample document."""
    return tuple(read_document(path) for path in sorted(SAMPLE.glob("*/documents/*.md")))


def in_force(documents: tuple[Document, ...], document_id: str, on: dt.date) -> Document:
    """The published version of a document that is in force on a date."""
    versions = [
        document
        for document in documents
        if document.document_id == document_id
        and document.matter["status"] == "published"
        and document.effective_from <= on
    ]
    return max(versions, key=lambda document: document.effective_from)
