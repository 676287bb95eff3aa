"""The sample documents are what the rest of the sample rests on."""

import datetime as dt
import re
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from tests.unit.sample.documents import Document

FIELDS = {
    "title", "document_id", "version", "effective_from", "effective_to", "status", "tenant", "labels",
    "issuer", "jurisdiction", "language", "supersedes",
}  # fmt: skip
LABEL = re.compile(r"(Appendix [A-Z]-\d+|\d+\.\d+)(\([a-z]\)(\([ivx]+\))?)?")
PREFIX = {"harborline": "hl-", "millbrook": "mb-"}

pytestmark = pytest.mark.proves("A1")


def test_front_matter_is_whole_and_typed(documents: tuple[Document, ...]) -> None:
    for document in documents:
        matter = document.matter
        assert set(matter) | {"effective_to", "supersedes"} == FIELDS, document.path.name
        assert document.path.name == f"{matter['document_id']}-{matter['version']}.md"
        assert isinstance(matter["version"], str)
        assert document.effective_from <= matter.get("effective_to", dt.date.max)
        assert matter["status"] in {"published", "draft", "withdrawn"}
        assert matter["tenant"] == document.path.parent.parent.name
        assert matter["document_id"].startswith(PREFIX[matter["tenant"]])
        assert isinstance(matter["labels"], list)
        assert matter["jurisdiction"] == "US"
        assert matter["language"] == "en"


def test_every_paragraph_starts_with_a_label_of_its_own(documents: tuple[Document, ...]) -> None:
    for document in documents:
        assert document.stray == (), document.path.name
        labels = [label for label, _ in document.clauses]
        assert len(set(labels)) == len(labels), document.path.name
        assert all(LABEL.fullmatch(label) for label in labels), document.path.name


def test_a_lettered_clause_follows_its_lead_in(documents: tuple[Document, ...]) -> None:
    for document in documents:
        for label in document.text_of:
            if label.endswith(")"):
                assert label[: label.rindex("(")] in document.text_of, f"{document.path.name} {label}"


def test_the_bank_is_large_enough_to_search(documents: tuple[Document, ...]) -> None:
    distinct: dict[str, set[tuple[str, str]]] = defaultdict(set)
    ids: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        tenant = document.matter["tenant"]
        ids[tenant].add(document.document_id)
        distinct[tenant] |= {(document.document_id, label) for label, _ in document.clauses}
    assert len(ids["harborline"]) >= 14
    assert len(distinct["harborline"]) >= 320
    assert len(ids["millbrook"]) >= 3


def test_no_two_clauses_of_the_newest_texts_say_the_same(documents: tuple[Document, ...]) -> None:
    newest = {document.document_id: document for document in documents}
    texts = Counter(text for document in newest.values() for _, text in document.clauses)
    assert [text for text, count in texts.items() if count > 1] == []


def test_versions_follow_one_another_and_differ(documents: tuple[Document, ...]) -> None:
    versions: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        versions[document.document_id].append(document)
    for found in versions.values():
        found.sort(key=lambda document: document.effective_from)
        assert "supersedes" not in found[0].matter
        for earlier, later in pairwise(found):
            assert later.matter["supersedes"] == earlier.matter["version"]
            assert earlier.effective_from < later.effective_from
            assert earlier.matter.get("effective_to", dt.date.min) < later.effective_from
            changed = [label for label, text in earlier.clauses if later.text_of.get(label) != text]
            assert changed, later.path.name
    assert sum(len(found) > 1 for found in versions.values()) >= 8
    assert max(len(found) for found in versions.values()) >= 3


def test_the_sample_holds_text_that_must_not_be_found(documents: tuple[Document, ...]) -> None:
    assert {document.matter["status"] for document in documents} == {"published", "draft", "withdrawn"}
    assert [document.path.name for document in documents if document.effective_from == dt.date(2027, 3, 1)] == [
        "hl-unauthorized-transfers-2027.1.md"
    ]
    restricted = {document.document_id for document in documents if document.matter["labels"] == ["fraud-ops"]}
    assert restricted == {"hl-fraud-operations"}
