"""The files that searches map: made with a state, shared, mended, and never a reason not to answer."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from casewright.corpus.catalogue import Catalogue
from casewright.corpus.corpus import Corpus
from casewright.corpus.manifest import Approver
from casewright.corpus.state import read_state
from casewright.corpus.state_files import open_memory
from casewright.corpus.table import ClauseTable
from casewright.errors import StorageError
from tests.integration.corpus.indexed import APPROVED, PENDING, WriteDocument, filters

TODAY = filters("harborline", "2026-01-01")
LIMITS = "**1.1** The limit is 50 USD.\n\n**1.2** A higher limit needs a second signature."


def folders(index: Path) -> list[Path]:
    return sorted((index / "search").iterdir())


def found(index: Path, question: str = "higher limit signature") -> Sequence[tuple[str, float]]:
    """What a process that starts now finds."""
    return [(hit.label, hit.score) for hit in Corpus(index).search(question, TODAY).hits]


@pytest.mark.proves("A2")
@pytest.mark.parametrize(
    ("name", "damage"), [("clauses.arrow", "removed"), ("matrix.npy", "cut"), ("references.npy", "overwritten")]
)
def test_a_damaged_file_is_made_anew_and_the_answer_is_the_same(
    tmp_path: Path, write_document: WriteDocument, name: str, damage: str
) -> None:
    index = tmp_path / "index"
    Corpus(index).ingest([write_document(LIMITS)], tenant="harborline", submission=APPROVED)
    before = found(index)
    assert [label for label, _ in before][:1] == ["1.2"]
    (folder,) = folders(index)
    file = folder / name
    whole = file.read_bytes()
    if damage == "removed":
        file.unlink()
    else:
        file.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"\x00" * len(whole))
    assert found(index) == before
    assert folders(index) == [folder]
    assert file.read_bytes() == whole


@pytest.mark.proves("A2")
def test_an_index_whose_folder_takes_no_files_answers_all_the_same(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    index = tmp_path / "index"
    Corpus(index).ingest([write_document(LIMITS)], tenant="harborline", submission=APPROVED)
    before = found(index)
    (folder,) = folders(index)
    folder.rename(tmp_path / "elsewhere")
    (index / "search").rmdir()
    (index / "search").write_text("a file where the folder should be", encoding="utf-8")
    assert found(index) == before


@pytest.mark.proves("A1")
def test_an_approval_makes_no_new_files_and_only_the_last_two_states_keep_theirs(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    index = tmp_path / "index"
    corpus = Corpus(index)
    corpus.ingest([write_document(LIMITS)], tenant="harborline", submission=PENDING)
    made = folders(index)
    assert made[0].stat().st_mode == (index / "search").stat().st_mode, "another user's server may read them"
    assert found(index) == []
    approver = Approver(by="selma", at="2026-01-03T00:00:00Z")
    corpus.approve("harborline", document_id="hl-limits", version="1", approver=approver)
    assert folders(index) == made
    assert [label for label, _ in found(index)][:1] == ["1.2"]
    for version in ("2", "3", "4"):
        path = write_document(LIMITS, version=f"'{version}'", effective_from=f"202{version}-01-01")
        corpus.ingest([path], tenant="harborline", submission=APPROVED)
    assert len(folders(index)) == 2
    assert made[0] not in folders(index)


def test_a_table_that_holds_other_clauses_than_its_catalogue_is_refused(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    index = tmp_path / "index"
    Corpus(index).ingest([write_document(LIMITS)], tenant="harborline", submission=APPROVED)
    state = read_state(index)
    assert state is not None
    with pytest.raises(StorageError, match="2 clauses where its documents have 0"):
        open_memory(index, ClauseTable.at_version(index, state.table_version), Catalogue.empty())
