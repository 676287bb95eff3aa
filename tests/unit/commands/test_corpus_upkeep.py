"""`casewright corpus`: what waits for approval, what is in quarantine, what changed between versions."""

from pathlib import Path

import pytest

from tests.unit.commands.conftest import Casewright, Outcome

RULE = """---
title: 'Lobster Rule'
document_id: hl-lobster
version: '{version}'
effective_from: {start}
status: published
---

# Lobster Rule

**1.1** A lobster refund is paid within {days} days of the request.
"""


def write(folder: Path, version: str, days: int) -> Path:
    path = folder / f"lobster-{version}.md"
    unfinished = folder / f".lobster-{version}.tmp"  # whoever watches the folder finds the whole file or none
    unfinished.write_text(RULE.format(version=version, start=f"{version}-01-01", days=days), encoding="utf-8")
    return unfinished.replace(path)


@pytest.mark.proves("A1")
def test_what_an_author_ingests_is_found_only_after_a_supervisor_approved_it(
    casewright: Casewright, tmp_path: Path
) -> None:
    ingested = casewright("corpus", "ingest", str(write(tmp_path, "2024", 10)), "--propose", "--json").document
    assert (ingested["ingested"], ingested["pending"]) == (1, 1)

    def found() -> bool:
        hits = casewright("corpus", "search", "lobster refund", "--json").document["hits"]
        return any(hit["document_id"] == "hl-lobster" for hit in hits)

    def approve(person: str, reason: str) -> Outcome:
        return casewright("corpus", "approve", "hl-lobster", "2024", "--reason", reason, "--as", person, "--json")

    assert not found()
    waiting = casewright("corpus", "manifest", "--pending", "--json").document["entries"]
    assert [entry["document"]["document_id"] for entry in waiting] == ["hl-lobster"]
    assert approve("petra", "mine").code != 0
    assert approve("rosa", "seems fine").code != 0
    assert approve("selma", " ").code != 0
    assert not found()
    approved = approve("selma", "Signed by the board on 3 May.")
    assert (approved.code, approved.document["approved_by"], approved.document["ingested_by"]) == (0, "selma", "petra")
    assert found()
    assert casewright("corpus", "manifest", "--pending", "--json").document["entries"] == []
    exported = tmp_path / "audit.json"
    assert casewright("audit", "export", str(exported)).code == 0
    assert "Signed by the board on 3 May." in exported.read_text(encoding="utf-8")


@pytest.mark.proves("A8")
def test_compare_shows_the_words_that_changed(casewright: Casewright, tmp_path: Path) -> None:
    paths = [str(write(tmp_path, "2024", 10)), str(write(tmp_path, "2025", 15))]
    assert casewright("corpus", "ingest", *paths, "--as", "selma").code == 0
    line = ("corpus", "compare", "hl-lobster", "1.1", "2024", "2025")
    document = casewright(*line, "--json").document
    assert document["changes"] == [{"kind": "replaced", "removed": "10", "added": "15"}]
    shown = " ".join(casewright(*line).out.split())
    assert "A lobster refund is paid within [-10-] {+15+} days of the request." in shown


@pytest.mark.proves("A1")
def test_quarantined_files_are_listed_and_read_again_once_mended(casewright: Casewright, tmp_path: Path) -> None:
    path = write(tmp_path, "2024", 10)
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("published", "final"), encoding="utf-8")
    assert casewright("corpus", "ingest", str(path), "--as", "selma").code != 0
    (listed,) = casewright("corpus", "quarantine", "--json").document["files"]
    assert Path(listed["path"]) == path
    assert "published, draft or withdrawn" in listed["reason"]
    path.write_text(good, encoding="utf-8")
    assert casewright("corpus", "ingest", "--retry", "--as", "selma", "--json").document["ingested"] == 1
    assert casewright("corpus", "quarantine", "--json").document["files"] == []
    assert casewright("corpus", "ingest", "--retry", "--as", "selma").code != 0
    assert casewright("corpus", "ingest").code != 0
    assert casewright("corpus", "manifest", "--as", "rosa").code != 0


@pytest.mark.proves("A5")
def test_a_state_is_built_beside_the_live_one_compared_promoted_and_gone_back_from(
    casewright: Casewright, tmp_path: Path
) -> None:
    path = write(tmp_path, "2024", 10)
    before = casewright("corpus", "ingest", str(path), "--as", "selma", "--json").document["index_version"]
    path.write_text(path.read_text(encoding="utf-8").replace("10 days", "30 days"), encoding="utf-8")
    staged = casewright("corpus", "ingest", str(path), "--stage", "--as", "selma", "--json").document["index_version"]

    def answer() -> tuple[str, str]:
        found = casewright("corpus", "search", "lobster refund", "--json").document
        return found["hits"][0]["text"].split()[6], found["index_version"]

    assert answer() == ("10", before)
    questions = tmp_path / "questions.txt"
    questions.write_text("When is a lobster refund paid?\n\nlobster refund\n", encoding="utf-8")
    compared = casewright("corpus", "shadow", staged, str(questions), "--json").document
    assert (compared["questions"], compared["after"], compared["skipped"]) == (2, staged, 0)
    assert casewright("corpus", "promote", staged, "--as", "petra").code != 0
    promoted = casewright("corpus", "promote", staged, "--as", "selma", "--json")
    assert promoted.document == {"before": before, "after": staged}
    assert answer() == ("30", staged)
    states = casewright("corpus", "versions", "--json").document["versions"]
    assert {state["index_version"] for state in states if state["active"] or state["previous"]} == {before, staged}
    assert casewright("corpus", "rollback", "--as", "petra").code != 0
    assert before in casewright("corpus", "rollback", "--as", "selma").out
    assert answer() == ("10", before)
    assert casewright("audit", "verify", "--json").document["ok"] is True


@pytest.mark.thorough
@pytest.mark.proves("A5")
def test_states_are_compared_over_what_was_really_asked_without_showing_it(
    casewright: Casewright, tmp_path: Path
) -> None:
    path = write(tmp_path, "2024", 10)
    casewright("corpus", "ingest", str(path), "--as", "selma", "--json")
    question = "Within how many days is a lobster refund paid?"
    for _ in range(2):
        casewright("corpus", "search", question, "--as", "rosa")
    casewright("corpus", "search", "lobster " * 2_000, "--as", "rosa")
    path.unlink()
    staged = casewright(
        "corpus",
        "ingest",
        str(tmp_path),
        str(write(tmp_path, "2023", 7)),
        "--prune",
        "--stage",
        "--as",
        "selma",
        "--json",
    ).document["index_version"]
    line = ("corpus", "shadow", staged, "--recorded", "--as", "petra")
    found = casewright(*line, "--json")
    assert (found.document["questions"], found.document["skipped"]) == (1, 1)
    assert question not in found.out
    (shift,) = found.document["shifts"]
    assert shift["overlap"] < 1
    opened = tmp_path / "opened.jsonl"
    export = ("policy", "replay", "--tool", "search_policies", "--with-personal-data", "--export", str(opened))
    assert casewright(*export, "--as", "selma").code == 0
    (named,) = [line for line in opened.read_text(encoding="utf-8").splitlines() if shift["question"] in line]
    assert question in named
    assert casewright(*line, "--since", "2099-01-01").code == 2
    assert casewright("corpus", "shadow", staged, "--recorded", "--as", "rosa").code == 3
    assert casewright("corpus", "shadow", staged).code == 2


@pytest.mark.proves("A5", "D1")
def test_pruning_states_is_for_supervisors_and_in_the_audit(casewright: Casewright, tmp_path: Path) -> None:
    for days in (10, 11, 12, 13):
        casewright("corpus", "ingest", str(write(tmp_path, "2024", days)), "--as", "selma")
    before = casewright("corpus", "versions", "--json").document["versions"]
    assert casewright("corpus", "prune", "--keep", "1", "--as", "petra").code == 3
    assert casewright("corpus", "versions", "--json").document["versions"] == before
    done = casewright("corpus", "prune", "--keep", "1", "--as", "selma", "--json").document
    assert {"active", "previous"} == {state["because"] for state in done["kept"]}
    assert len(done["dropped"]) == len(before) - 2
    left = casewright("corpus", "versions", "--json").document["versions"]
    assert [state["index_version"] for state in left] == [state["index_version"] for state in done["kept"]]
    exported = tmp_path / "audit.json"
    casewright("audit", "export", str(exported))
    assert "corpus.pruned" in exported.read_text(encoding="utf-8")


@pytest.mark.proves("A8")
def test_a_clause_is_read_with_its_terms_and_where_it_leads(casewright: Casewright) -> None:
    def read(label: str) -> tuple[list[str], list[str], str]:
        line = ("corpus", "read", "hl-error-resolution", label, "--as", "rosa")
        found = casewright(*line, "--json").document
        terms, references = found["definitions"], found["references"]
        shown = " ".join(casewright(*line).out.split())
        return [each["term"] for each in terms], [each["label"] for each in references], shown

    terms, _, shown = read("3.1")
    assert terms == ["error"]
    assert "error 1.2: An error, for this policy" in shown
    _, references, shown = read("3.2")
    assert references == ["3.1"]
    assert "3.1 hl-error-resolution, 3.1" in shown
    assert casewright("corpus", "read", "hl-error-resolution", "99.9").code == 2
    older = casewright("corpus", "read", "hl-error-resolution", "3.2", "--as-of", "2019-01-01", "--json").document
    assert older["clause"]["version"] == "2018.1"
