"""What keeps a folder and its index together: quarantine, files that go, files that come back."""

from pathlib import Path

import pytest

from casewright.corpus.corpus import Corpus
from tests.integration.corpus.indexed import APPROVED, PENDING, WriteDocument, filters

TODAY = filters("harborline", "2026-01-01")


def ingest(corpus: Corpus, *paths: Path, prune: bool = False):
    return corpus.ingest(paths, tenant="harborline", submission=APPROVED, prune=prune)


@pytest.mark.proves("A1")
def test_the_quarantine_list_keeps_a_file_until_it_is_mended_or_gone(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    bad, worse = write_document(status="final"), write_document(document_id="hl-other", status="final")
    ingest(corpus, bad.parent)
    assert [Path(item.path) for item in corpus.quarantine("harborline")] == [bad, worse]
    assert corpus.quarantine("millbrook") == ()
    mended = write_document()
    assert mended == bad
    ingest(corpus, mended)
    assert [Path(item.path) for item in corpus.quarantine("harborline")] == [worse]
    worse.unlink()
    ingest(corpus, mended)
    assert corpus.quarantine("harborline") == ()


@pytest.mark.proves("A1", "A3")
def test_a_version_whose_file_has_gone_is_withdrawn_only_when_asked_and_comes_back_with_it(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    old = write_document("**1.1** The limit is 50 USD.")
    new = write_document("**1.1** The limit is 70 USD.", version="'2'", effective_from="2022-01-01")
    ingest(corpus, old.parent)
    content = new.read_bytes()
    new.unlink()
    assert ingest(corpus, old.parent).withdrawn == ()
    assert [item.version for item in corpus.documents(TODAY)] == ["2"]
    report = ingest(corpus, old.parent, prune=True)
    assert report.withdrawn == ("hl-limits 2",)
    assert [item.version for item in corpus.documents(TODAY)] == ["1"]
    assert {item.version: item.status for item in corpus.documents(TODAY, all_versions=True)} == {
        "1": "published",
        "2": "withdrawn",
    }
    assert ingest(corpus, old.parent, prune=True).withdrawn == ()
    new.write_bytes(content)
    assert ingest(corpus, old.parent).ingested == 1
    assert [item.version for item in corpus.documents(TODAY)] == ["2"]


@pytest.mark.proves("A1")
def test_a_file_that_only_moved_is_not_withdrawn_nor_one_of_another_folder_or_tenant(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    document = write_document()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = write_document(document_id="hl-other").rename(elsewhere / "other.md")
    foreign = write_document(document_id="mb-limits")
    corpus.ingest([foreign], tenant="millbrook", submission=APPROVED)
    foreign.unlink()
    ingest(corpus, document, other)
    document.rename(document.with_name("renamed.md"))
    other.unlink()
    assert ingest(corpus, document.parent, prune=True).withdrawn == ()
    assert len(corpus.documents(TODAY)) == 2
    assert len(corpus.documents(filters("millbrook", "2026-01-01"))) == 1


@pytest.mark.proves("A1")
def test_a_changed_sidecar_changes_the_document(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    document = write_document()
    sidecar = document.with_name(document.name + ".meta.yaml")
    sidecar.write_text("issuer: The board\n", encoding="utf-8")
    assert ingest(corpus, document.parent).ingested == 1
    assert ingest(corpus, document.parent).unchanged == 1
    sidecar.write_text("issuer: The risk committee\n", encoding="utf-8")
    assert ingest(corpus, document.parent).ingested == 1
    assert [item.issuer for item in corpus.documents(TODAY)] == ["The risk committee"]


@pytest.mark.proves("A1")
def test_a_second_file_with_the_id_of_the_first_never_takes_its_place_while_that_is_there(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    first = write_document()
    twin = first.with_name("twin.md")
    ingest(corpus, first)
    twin.write_text(first.read_text(encoding="utf-8").replace("50 USD", "5,000 USD"), encoding="utf-8")
    for paths in ((twin,), (twin, first), (first.parent,)):
        (item,) = ingest(corpus, *paths).quarantined
        assert Path(item.path) == twin
        assert f"{str(first)!r} is also version '1' of 'hl-limits'" in item.reason
    assert [hit.text for hit in corpus.search("limit", TODAY).hits] == ["The limit is 50 USD."]
    first.unlink()
    assert ingest(corpus, twin).ingested == 1
    assert [hit.text for hit in corpus.search("limit", TODAY).hits] == ["The limit is 5,000 USD."]


@pytest.mark.proves("A1")
def test_an_unchanged_file_is_read_again_by_a_newer_parser_for_those_who_may_approve(
    tmp_path: Path, write_document: WriteDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus(tmp_path / "index")
    document = write_document()
    with monkeypatch.context() as earlier:
        earlier.setattr("casewright.corpus.documents.REVISION", 1)
        ingest(corpus, document)
        assert ingest(corpus, document).unchanged == 1
    (before,) = corpus.manifest("harborline").entries
    assert before.parser.endswith("clauses 1")
    proposed = corpus.ingest([document], tenant="harborline", submission=PENDING)
    assert (proposed.unchanged, proposed.quarantined) == (1, ())
    assert ingest(corpus, document).ingested == 1
    (after,) = corpus.manifest("harborline").entries
    assert after.parser != before.parser
    assert after.document == before.document
    assert ingest(corpus, document).unchanged == 1
