"""Reading a clause: its defined terms and its references come along, under the reader's own filters."""

from pathlib import Path

import pytest

from casewright.corpus.corpus import Corpus
from tests.integration.corpus.indexed import APPROVED, WriteDocument, filters

TODAY = filters("harborline", "2026-01-01")
TEXT = """**1.1** “Business day” means a day on which the bank is open.

**1.2** A refund is paid within two business days under clause 1.3.

**1.3** The records of clause 4.2 of the Evidence Standards are kept; see § 1026.13."""


def ingest(corpus: Corpus, *paths: Path, tenant: str = "harborline"):
    return corpus.ingest(paths, tenant=tenant, submission=APPROVED)


@pytest.mark.proves("A8")
def test_a_clause_is_read_with_the_definitions_of_its_terms_and_the_clauses_it_names(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    ingest(corpus, write_document(TEXT))
    found = corpus.clause(TODAY, document_id="hl-limits", label="1.2")
    assert [(each.term, each.definition.label) for each in found.definitions] == [("Business day", "1.1")]
    assert found.definitions[0].definition.text == "“Business day” means a day on which the bank is open."
    assert [(each.text, each.clause_id) for each in found.references] == [("1.3", "hl-limits@1#1.3")]


@pytest.mark.proves("A8", "A4", "A3")
def test_a_reference_into_another_document_leads_only_to_what_is_in_force_and_visible(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    evidence = {"document_id": "hl-evidence", "title": "Evidence Standards", "labels": "[fraud-ops]"}
    ingest(
        corpus,
        write_document(TEXT),
        write_document("**4.2** Old.", **evidence),
        write_document("**4.2** New.", version="'2'", effective_from="2024-01-01", **evidence),
    )

    def leads_to(as_of: str, *labels: str) -> list[str]:
        asked = filters("harborline", as_of, labels=labels)
        references = corpus.clause(asked, document_id="hl-limits", label="1.3").references
        assert [(each.text, each.document) for each in references] == [("4.2", "Evidence Standards"), ("§ 1026.13", "")]
        return [each.clause_id for each in references]

    assert leads_to("2026-01-01") == ["", ""]
    assert leads_to("2026-01-01", "fraud-ops") == ["hl-evidence@2#4.2", ""]
    assert leads_to("2023-01-01", "fraud-ops") == ["hl-evidence@1#4.2", ""]
    section = write_document("**§ 1026.13(a)** Billing.", document_id="us-1026", title="Regulation Z")
    ingest(corpus, section, tenant="millbrook")
    assert leads_to("2026-01-01") == ["", ""]
    ingest(corpus, section)
    assert leads_to("2026-01-01") == ["", "us-1026@1#§ 1026.13(a)"]


@pytest.mark.proves("A1")
def test_an_ingest_warns_of_references_that_lead_nowhere_until_their_document_is_there(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    document = write_document(TEXT)
    first = ingest(corpus, document)
    assert (first.ingested, first.unresolved_references, first.quarantined) == (1, 2, ())
    assert [(each.label, each.text, each.document) for each in first.unresolved] == [
        ("1.3", "4.2", "Evidence Standards"),
        ("1.3", "§ 1026.13", ""),
    ]
    evidence = write_document("**4.2** Kept.", document_id="hl-evidence", title="Evidence Standards")
    assert ingest(corpus, evidence).unresolved_references == 0
    document.write_text(document.read_text(encoding="utf-8").replace("are kept", "stay"), encoding="utf-8")
    assert [each.text for each in ingest(corpus, document).unresolved] == ["§ 1026.13"]
