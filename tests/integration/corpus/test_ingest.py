"""Ingest on real folders: once, again, changed, broken, killed, full."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from casewright.corpus.corpus import Corpus
from casewright.corpus.ingest import IngestProgress
from casewright.errors import InputError, StorageError
from tests.integration.corpus.indexed import APPROVED, WriteDocument, filters

CHECKOUT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.timeout(120)


def today(**more: object):
    return filters("harborline", "2026-01-01", **more)


def run_child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own that runs the code with the arguments in `sys.argv[1:]`."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def texts(corpus: Corpus, **more: object) -> set[str]:
    return {hit.text for hit in corpus.search("limit", today(**more), limit=50).hits}


@pytest.mark.proves("A1")
def test_a_second_ingest_of_the_same_files_changes_nothing(tmp_path: Path, write_document: WriteDocument) -> None:
    corpus = Corpus(tmp_path / "index")
    seen: list[IngestProgress] = []
    first = corpus.ingest([write_document().parent], tenant="harborline", submission=APPROVED, progress=seen.append)
    second = corpus.ingest([write_document().parent], tenant="harborline", submission=APPROVED)
    assert (first.ingested, first.unchanged, first.clauses) == (1, 0, 1)
    assert (second.ingested, second.unchanged, second.clauses) == (0, 1, 0)
    assert first.index_version == second.index_version == corpus.index_version()
    assert [(step.stage, step.done, step.total) for step in seen] == [("read", 1, 1), ("write", 1, 1)]


@pytest.mark.proves("A1")
def test_a_changed_file_replaces_its_version_and_names_a_new_state(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    first = corpus.ingest([write_document()], tenant="harborline", submission=APPROVED)
    corpus.search("limit", today())
    changed = corpus.ingest([write_document("**1.1** The limit is 75 USD.")], tenant="harborline", submission=APPROVED)
    assert changed.index_version != first.index_version
    assert texts(corpus) == {"The limit is 75 USD."}
    assert corpus.stats().clauses == 1


@pytest.mark.proves("A1")
def test_unreadable_documents_are_quarantined_and_the_rest_goes_on(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    folder = write_document().parent
    write_document(document_id="hl-other", status="final")
    write_document(document_id="hl-foreign", tenant="millbrook")
    (folder / "scan.pdf").write_bytes(b"%PDF-1.7\x00")
    (folder / "picture.md").write_bytes(b"\x89PNG\x00\x00")
    (folder / "copy.md").write_text(write_document().read_text() + "\n", encoding="utf-8")
    report = Corpus(tmp_path / "index").ingest([folder], tenant="harborline", submission=APPROVED)
    reasons = {Path(item.path).name: item.reason for item in report.quarantined}
    assert report.ingested == 1
    assert set(reasons) == {"hl-other-1.md", "hl-foreign-1.md", "scan.pdf", "picture.md", "hl-limits-1.md"}
    assert "published, draft or withdrawn" in reasons["hl-other-1.md"]
    assert "millbrook" in reasons["hl-foreign-1.md"]
    assert "keep one of the two files" in reasons["hl-limits-1.md"]


@pytest.mark.proves("A1")
def test_an_empty_folder_or_a_missing_path_is_an_input_error(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "index")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(InputError, match=path.name):
            corpus.ingest([path], tenant="harborline", submission=APPROVED)
    with pytest.raises(InputError):
        corpus.ingest([], tenant="harborline", submission=APPROVED)


@pytest.mark.proves("A3")
def test_an_older_version_ingested_later_takes_its_place_in_the_chain(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    new = write_document("**1.1** The limit is 90 USD.", version="'3'", effective_from="2024-01-01")
    corpus.ingest([new], tenant="harborline", submission=APPROVED)
    old = write_document("**1.1** The limit is 50 USD.", version="'1'", effective_from="2020-01-01")
    corpus.ingest([old], tenant="harborline", submission=APPROVED)
    middle = write_document("**1.1** The limit is 70 USD.", version="'2'", effective_from="2022-01-01")
    corpus.ingest([middle], tenant="harborline", submission=APPROVED)

    def on(day: str) -> set[str]:
        return {hit.text for hit in corpus.search("limit", filters("harborline", day)).hits}

    assert on("2019-12-31") == set()
    assert on("2020-01-01") == on("2021-12-31") == {"The limit is 50 USD."}
    assert on("2022-01-01") == on("2023-12-31") == {"The limit is 70 USD."}
    assert on("2024-01-01") == {"The limit is 90 USD."}
    ends = {item.version: str(item.effective_to) for item in corpus.documents(today(), all_versions=True)}
    assert ends == {"1": "2021-12-31", "2": "2023-12-31", "3": "None"}


@pytest.mark.proves("A3")
def test_draft_withdrawn_future_and_ended_text_comes_only_by_name(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    for version, matter in {
        "draft": {"status": "draft"},
        "gone": {"status": "withdrawn"},
        "future": {"effective_from": "2027-03-01"},
        "ended": {"effective_to": "2020-06-30"},
    }.items():
        text = f"**1.1** The {version} limit."
        corpus.ingest(
            [write_document(text, version=f"'{version}'", **matter)], tenant="harborline", submission=APPROVED
        )
        assert texts(corpus) == set()
        named = texts(corpus, include="named_version", version=version, document_ids=("hl-limits",))
        assert named == {f"The {version} limit."}
    with pytest.raises(InputError):
        corpus.search("limit", today(include="named_version", version="draft"))
    with pytest.raises(InputError):
        corpus.search("limit", today(version="draft"))


@pytest.mark.proves("A1")
def test_a_process_killed_in_the_middle_leaves_the_old_state_working(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    before = corpus.ingest([write_document()], tenant="harborline", submission=APPROVED)
    changed = write_document("**1.1** The limit is 75 USD.")
    other = write_document(document_id="hl-other", text="**9.9** Another limit.")
    child = run_child(
        """
        import os, signal, sys
        from pathlib import Path
        from casewright.corpus.corpus import Corpus
        from tests.integration.corpus.indexed import APPROVED

        def die(step):
            if step.stage == "write":
                os.kill(os.getpid(), signal.SIGKILL)

        paths = [Path(p) for p in sys.argv[2:]]
        Corpus(Path(sys.argv[1])).ingest(paths, tenant="harborline", submission=APPROVED, progress=die)
        """,
        tmp_path / "index",
        changed,
        other,
    )
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert texts(Corpus(tmp_path / "index")) == {"The limit is 50 USD."}
    assert corpus.index_version() == before.index_version
    corpus.ingest([other], tenant="harborline", submission=APPROVED)
    assert texts(corpus) == {"The limit is 50 USD.", "Another limit."}
    assert corpus.ingest([changed.parent], tenant="harborline", submission=APPROVED).ingested == 1
    assert texts(corpus) == {"The limit is 75 USD.", "Another limit."}


@pytest.mark.proves("A1")
@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_disk_that_takes_no_more_is_a_storage_error_and_nothing_is_half_written(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    corpus.ingest([write_document()], tenant="harborline", submission=APPROVED)
    large = "\n\n".join(f"**2.{number}** A limit with the number {number}." for number in range(800))
    child = run_child(
        """
        import resource, sys
        from pathlib import Path
        from casewright.corpus.corpus import Corpus
        from tests.integration.corpus.indexed import APPROVED
        from casewright.errors import StorageError

        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            Corpus(Path(sys.argv[1])).ingest([Path(sys.argv[2])], tenant="harborline", submission=APPROVED)
        except StorageError as error:
            print("refused", error)
        """,
        tmp_path / "index",
        write_document(large, version="'2'", effective_from="2021-01-01"),
    )
    output, problems = child.communicate(timeout=60)
    assert "refused" in output, problems
    assert texts(Corpus(tmp_path / "index")) == {"The limit is 50 USD."}


@pytest.mark.proves("A1")
def test_two_processes_that_ingest_into_one_folder_both_succeed(tmp_path: Path, write_document: WriteDocument) -> None:
    code = """
        import sys
        from pathlib import Path
        from casewright.corpus.corpus import Corpus
        from tests.integration.corpus.indexed import APPROVED

        for path in sys.argv[2:]:
            Corpus(Path(sys.argv[1])).ingest([Path(path)], tenant="harborline", submission=APPROVED)
        """
    files = [write_document(f"**1.1** Limit {name}.", document_id=f"hl-{name}") for name in "abcdef"]
    children = [run_child(code, tmp_path / "index", *files[half::2]) for half in range(2)]
    for child in children:
        _, problems = child.communicate(timeout=100)
        assert child.returncode == 0, problems
    assert texts(Corpus(tmp_path / "index")) == {f"Limit {name}." for name in "abcdef"}


@pytest.mark.proves("A1")
def test_a_missing_index_says_which_command_makes_one(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "index")
    for call in (corpus.index_version, corpus.stats, lambda: corpus.search("limit", today())):
        with pytest.raises(StorageError, match="casewright corpus ingest"):
            call()
    assert not (tmp_path / "index").exists()


@pytest.mark.proves("A1")
def test_a_damaged_index_is_a_storage_error(tmp_path: Path, write_document: WriteDocument) -> None:
    folder = tmp_path / "index"
    Corpus(folder).ingest([write_document()], tenant="harborline", submission=APPROVED)
    for file in (folder / "clauses.lance" / "data").iterdir():
        file.write_bytes(b"garbage")
    with pytest.raises(StorageError, match="cannot be read"):
        Corpus(folder).search("limit", today())
    (folder / "active.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StorageError, match="damaged"):
        Corpus(folder).search("limit", today())


@pytest.mark.proves("A7")
def test_an_index_with_nothing_in_it_answers_that_it_is_not_enough(
    tmp_path: Path, write_document: WriteDocument
) -> None:
    corpus = Corpus(tmp_path / "index")
    report = corpus.ingest([write_document(status="final")], tenant="harborline", submission=APPROVED)
    assert len(report.quarantined) == 1
    result = corpus.search("limit", today())
    assert (result.hits, result.sufficient) == ((), False)
    assert result.missing
