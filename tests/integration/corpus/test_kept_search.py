"""A search in a kept state finds what was there, and shows nothing that the active state does not hold as it was."""

from pathlib import Path

import pytest

from casewright.contracts.clause import SearchResult
from casewright.corpus.corpus import Corpus
from tests.integration.corpus.indexed import APPROVED, WriteDocument, filters

TODAY = filters("harborline", "2026-01-01")
LIMIT = "**1.1** The daily withdrawal limit for debit cards is 50 USD."
DINNER = "**2.1** A lobster dinner is reimbursed within ten days."


def texts(result: SearchResult) -> set[str]:
    return {hit.text for hit in result.hits}


@pytest.mark.proves("A5")
def test_a_kept_state_answers_as_it_was_whatever_came_in_since(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    first = corpus.ingest([write_document(LIMIT)], tenant="harborline", submission=APPROVED).index_version
    added = write_document("**3.1** The limit for cards abroad is 20 USD.", document_id="hl-abroad")
    second = corpus.ingest([added], tenant="harborline", submission=APPROVED).index_version
    now, then = corpus.search("limit", TODAY), corpus.search_kept(first, "limit", TODAY)
    assert (now.index_version, then.index_version) == (second, first)
    assert texts(then) == {"The daily withdrawal limit for debit cards is 50 USD."} < texts(now)
    assert corpus.search_kept(second, "limit", TODAY) == now


@pytest.mark.proves("A5", "A4")
def test_what_was_changed_or_withdrawn_since_is_not_shown_from_a_kept_state(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    limit, dinner = write_document(LIMIT), write_document(DINNER, document_id="hl-dinner")
    first = corpus.ingest([limit, dinner], tenant="harborline", submission=APPROVED).index_version
    question = "Within how many days is a lobster dinner reimbursed?"
    before = corpus.search_kept(first, question, TODAY)
    assert before.sufficient
    assert "A lobster dinner is reimbursed within ten days." in texts(before)

    changed = write_document(LIMIT.replace("50", "75"))
    corpus.ingest([changed], tenant="harborline", submission=APPROVED)
    assert texts(corpus.search_kept(first, "daily withdrawal limit", TODAY)) == {
        "A lobster dinner is reimbursed within ten days."
    }
    dinner.unlink()
    corpus.ingest([changed.parent], tenant="harborline", submission=APPROVED, prune=True)
    after = corpus.search_kept(first, question, TODAY)
    assert (after.hits, after.sufficient, after.index_version) == ((), False, first)
    assert "changed or withdrawn since" in after.missing


@pytest.mark.proves("A5")
def test_a_state_that_is_not_kept_is_answered_by_the_active_one_which_is_named(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    active = corpus.ingest([write_document(LIMIT)], tenant="harborline", submission=APPROVED).index_version
    found = corpus.search_kept("i-gone", "daily withdrawal limit", TODAY)
    assert found.index_version == active
    assert found == corpus.search("daily withdrawal limit", TODAY)


@pytest.mark.proves("A4")
def test_a_kept_state_is_filtered_by_tenant_as_the_active_one_is(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    first = corpus.ingest([write_document(LIMIT)], tenant="harborline", submission=APPROVED).index_version
    corpus.ingest([write_document(DINNER, document_id="hl-dinner")], tenant="harborline", submission=APPROVED)
    assert corpus.search_kept(first, "limit", filters("millbrook", "2026-01-01")).hits == ()
    assert corpus.search_kept(first, "limit", TODAY).hits
