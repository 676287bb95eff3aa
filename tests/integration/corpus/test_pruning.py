"""Old index states go, their room comes back, and what is active, before it or needed by a run stays."""

from datetime import timedelta
from pathlib import Path

import pytest

from casewright.corpus.corpus import Corpus
from casewright.corpus.pruning import prune
from casewright.corpus.snapshot import Snapshot
from casewright.corpus.states import state_named
from casewright.errors import InputError, StorageError
from tests.integration.corpus.indexed import APPROVED, WriteDocument, filters

TODAY = filters("harborline", "2026-01-01")
AT_ONCE = timedelta(milliseconds=300)
"""More than passes between looking at the clock here and in the engine."""
pytestmark = [pytest.mark.timeout(180), pytest.mark.thorough]


@pytest.fixture
def states(tmp_path: Path, write_document: WriteDocument) -> list[str]:
    """Six states of one index, the oldest first."""
    corpus = Corpus(tmp_path / "index")
    texts = [f"**1.1** Limit {number}." for number in range(6)]
    ingested = [corpus.ingest([write_document(text)], tenant="harborline", submission=APPROVED) for text in texts]
    return [report.index_version for report in ingested]


@pytest.mark.proves("A5")
def test_pruning_keeps_what_answers_what_came_before_and_what_a_run_needs(tmp_path: Path, states: list[str]) -> None:
    folder = tmp_path / "index"
    corpus = Corpus(folder)
    corpus.promote(states[1], tenant="harborline")
    server = Corpus(folder)
    assert server.search("limit", TODAY).hits[0].text == "Limit 1."
    report = prune(folder, keep=1, pinned={states[3], "no such state"}, margin=AT_ONCE)
    assert report.dropped == (states[4], states[2], states[0])
    assert [(each.index_version, each.because) for each in report.kept] == [
        (states[5], "previous"),
        (states[3], "pinned"),
        (states[1], "active"),
    ]
    assert server.search("limit", TODAY).hits[0].text == "Limit 1."
    for name in (states[1], states[3], states[5]):
        assert len(Snapshot.open(folder, state_named(folder, name)).catalogue.versions) == 1
    with pytest.raises(InputError, match="no index state"):
        corpus.promote(states[0], tenant="harborline")
    assert corpus.roll_back(tenant="harborline") == states[5]
    assert server.search("limit", TODAY).hits[0].text == "Limit 5."


@pytest.mark.proves("A5")
def test_an_index_goes_on_after_pruning_as_before(
    tmp_path: Path, states: list[str], write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    report = prune(tmp_path / "index", keep=1, pinned=(), margin=AT_ONCE)
    assert [each.because for each in report.kept] == ["active", "previous"]
    assert report.bytes_after < report.bytes_before
    assert corpus.prune(keep=1, pinned=()).dropped == ()
    assert corpus.ingest([write_document("**1.1** Limit now.")], tenant="harborline", submission=APPROVED).ingested == 1
    assert [hit.text for hit in corpus.search("limit", TODAY).hits] == ["Limit now."]
    assert corpus.roll_back(tenant="harborline") == states[-1]


def test_pruning_to_nothing_or_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no state at all"):
        prune(tmp_path, keep=0, pinned=())
    with pytest.raises(StorageError, match="no index"):
        prune(tmp_path, keep=1, pinned=())
