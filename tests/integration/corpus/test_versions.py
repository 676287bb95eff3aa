"""States of the index: built beside the live one, compared, made active, gone back from."""

from pathlib import Path

import pytest

from casewright.corpus.corpus import Corpus
from casewright.corpus.states import AskedQuestion
from casewright.errors import InputError
from tests.integration.corpus.indexed import APPROVED, WriteDocument, filters

TODAY = filters("harborline", "2026-01-01")


def said(corpus: Corpus) -> set[str]:
    return {hit.text for hit in corpus.search("limit", TODAY).hits}


@pytest.mark.proves("A5")
def test_a_staged_state_answers_only_once_it_is_promoted_and_going_back_takes_effect_in_open_readers(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus, server = Corpus(tmp_path / "index"), Corpus(tmp_path / "index")
    first = corpus.ingest([write_document()], tenant="harborline", submission=APPROVED).index_version
    assert said(server) == {"The limit is 50 USD."}
    changed = write_document("**1.1** The limit is 75 USD.")
    staged = corpus.ingest([changed], tenant="harborline", submission=APPROVED, stage=True).index_version
    assert staged != first
    assert said(server) == {"The limit is 50 USD."}
    assert corpus.promote(staged, tenant="harborline") == staged
    assert said(server) == {"The limit is 75 USD."}
    assert server.search("limit", TODAY).index_version == staged
    assert corpus.roll_back(tenant="harborline") == first
    assert said(server) == {"The limit is 50 USD."}
    assert {state.index_version: state.active for state in corpus.states()} == {staged: False, first: True}


@pytest.mark.proves("A5")
def test_an_ingest_after_going_back_builds_on_the_active_state(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    corpus.ingest([write_document()], tenant="harborline", submission=APPROVED)
    corpus.ingest([write_document("**1.1** The limit is 75 USD.")], tenant="harborline", submission=APPROVED)
    corpus.roll_back(tenant="harborline")
    other = write_document("**2.1** Another limit.", document_id="hl-other")
    corpus.ingest([other], tenant="harborline", submission=APPROVED)
    assert said(corpus) == {"The limit is 50 USD.", "Another limit."}


@pytest.mark.proves("A5")
def test_a_shadow_comparison_names_the_questions_that_lost_their_answer(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    kept = write_document("**1.1** The daily withdrawal limit for debit cards is 50 USD.")
    gone = write_document("**2.1** A lobster dinner is reimbursed within ten days.", document_id="hl-dinner")
    before = corpus.ingest([kept, gone], tenant="harborline", submission=APPROVED).index_version
    questions = [
        "What is the daily withdrawal limit for debit cards?",
        "Within how many days is a lobster dinner reimbursed?",
    ]
    asked = [AskedQuestion(name=text, text=text, filters=TODAY) for text in questions]
    same = corpus.shadow(before, asked)
    assert (same.overlap_at_10, same.lost, same.shifts) == (1.0, (), ())
    gone.unlink()
    staged = corpus.ingest(
        [kept.parent], tenant="harborline", submission=APPROVED, prune=True, stage=True
    ).index_version
    found = corpus.shadow(staged, asked)
    assert (found.before, found.after, found.questions) == (before, staged, 2)
    assert found.lost == (questions[1],)
    assert found.overlap_at_10 < 1
    assert said(corpus) != set()


@pytest.mark.proves("A5")
def test_a_switch_that_another_tenant_would_see_is_refused(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    first = corpus.ingest([write_document()], tenant="harborline", submission=APPROVED).index_version
    foreign = write_document("**1.1** Theirs.", document_id="mb-limits")
    second = corpus.ingest([foreign], tenant="millbrook", submission=APPROVED).index_version
    for call in (lambda: corpus.promote(first, tenant="harborline"), lambda: corpus.roll_back(tenant="harborline")):
        with pytest.raises(InputError, match="other tenants"):
            call()
    assert corpus.roll_back(tenant="millbrook") == first
    assert corpus.promote(second, tenant="millbrook") == second


@pytest.mark.proves("A5")
def test_a_state_that_is_not_kept_or_not_there_is_refused(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    document = write_document()
    with pytest.raises(InputError, match="without --stage"):
        corpus.ingest([document], tenant="harborline", submission=APPROVED, stage=True)
    active = corpus.ingest([document], tenant="harborline", submission=APPROVED).index_version
    with pytest.raises(InputError, match="no index state 'x'"):
        corpus.promote("x", tenant="harborline")
    with pytest.raises(InputError, match="active already"):
        corpus.promote(active, tenant="harborline")
    with pytest.raises(InputError, match="no state before"):
        corpus.roll_back(tenant="harborline")
    with pytest.raises(InputError, match="no questions"):
        corpus.shadow(active, [])
