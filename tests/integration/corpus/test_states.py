"""Index states: kept by name, the newest ten, and cleaned up behind them."""

from datetime import timedelta
from pathlib import Path

import pytest

from casewright.corpus.corpus import Corpus
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.state import ActiveState, read_state
from casewright.corpus.table import KEPT_STATES, ClauseTable
from tests.integration.corpus.indexed import APPROVED, WriteDocument, filters

pytestmark = pytest.mark.timeout(180)


@pytest.mark.thorough
def test_clean_up_never_reaches_the_states_that_are_kept(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    names: list[str] = []
    for number in range(KEPT_STATES + 2):
        names.append(
            corpus.ingest(
                [write_document(f"**1.1** Limit {number}.")], tenant="harborline", submission=APPROVED
            ).index_version
        )
    state = read_state(tmp_path / "index")
    assert state is not None
    table = ClauseTable.for_writing(tmp_path / "index", dimensions=256, version=state.table_version)
    assert set(table.tags()) == set(names[-KEPT_STATES:])
    table.finish(margin=timedelta(seconds=1))
    kept = table.tags()
    assert set(kept) == set(names[-(KEPT_STATES - 1) :])
    for name, version in kept.items():
        earlier = ActiveState(table_version=version, index_version=name, embedder=state.embedder)
        assert Snapshot.open(tmp_path / "index", earlier).catalogue.versions[0].clause_count == 1
    found = corpus.search("limit", filters("harborline", "2026-01-01"))
    assert [hit.text for hit in found.hits] == [f"Limit {KEPT_STATES + 1}."]
    assert corpus.ingest([write_document("**1.1** Limit now.")], tenant="harborline", submission=APPROVED).ingested == 1
    assert corpus.search("limit", filters("harborline", "2026-01-01")).hits[0].text == "Limit now."


def test_an_answer_names_the_state_it_came_from(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    reports = [
        corpus.ingest([write_document(f"**1.1** Limit {n}.")], tenant="harborline", submission=APPROVED)
        for n in range(2)
    ]
    given = filters("harborline", "2026-01-01")
    assert corpus.search("limit", given).index_version == reports[1].index_version != reports[0].index_version
    read = corpus.clause(given, document_id="hl-limits", label="1.1")
    assert read.index_version == corpus.index_version() == reports[1].index_version
