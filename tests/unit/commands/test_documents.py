"""The JSON document of every command over the sample installation: its fields, its exit code, nothing else."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.unit.commands.conftest import Casewright

CASE = "HL-2026-0001"
HOSTILE = "[bold]paid[/bold] \u202e50 USD\u202c \x1b[2J\x9b31m"


@pytest.mark.proves("A2", "A3")
def test_search_gives_clauses_in_force_with_their_index(casewright: Casewright) -> None:
    found = casewright("corpus", "search", "When is provisional credit due?", "--limit", "3", "--json")
    assert found.code == 0
    document = found.document
    assert len(document["hits"]) == 3
    wanted = {"clause_id", "document_id", "version", "label", "text", "score", "effective_from", "effective_to"}
    for hit in document["hits"]:
        assert wanted <= set(hit)
    assert document["index_version"]
    assert document["as_of"]


@pytest.mark.proves("A3")
def test_documents_show_other_versions_only_when_asked(casewright: Casewright) -> None:
    in_force = casewright("corpus", "documents", "--json").document["documents"]
    everything = casewright("corpus", "documents", "--all", "--json").document["documents"]
    assert len(everything) > len(in_force)
    assert {item["status"] for item in in_force} == {"published"}
    earlier = casewright("corpus", "documents", "--as-of", "2025-01-15", "--json").document["documents"]
    assert {item["version"] for item in earlier} != {item["version"] for item in in_force}


def test_ingest_counts_and_repeats_without_effect(casewright: Casewright, tmp_path: Path) -> None:
    document = tmp_path / "note.md"
    document.write_text(rule("hl-new-rule"), encoding="utf-8")
    first = casewright("corpus", "ingest", str(document), "--json")
    assert first.code == 0
    expected: dict[str, object] = {"ingested": 1, "unchanged": 0, "quarantined": [], "clauses": 1}
    assert {name: first.document[name] for name in expected} == expected
    assert first.document["seconds"] >= 0
    again = casewright("corpus", "ingest", str(document), "--json").document
    assert (again["ingested"], again["unchanged"]) == (0, 1)
    assert again["index_version"] == first.document["index_version"]
    events = casewright("audit", "verify", "--json").document
    assert events["ok"] is True


def test_ingest_for_people_says_how_much_and_what_was_left_out(casewright: Casewright) -> None:
    folder = Path("in")
    folder.mkdir()
    (folder / "good.md").write_text(rule("hl-good"), encoding="utf-8")
    (folder / "[red]bad.md").write_text("no front matter", encoding="utf-8")
    shown = casewright("corpus", "ingest", "in")
    assert shown.code == 0
    assert "1 ingested, 0 unchanged, 1 quarantined" in shown.out
    assert "in/[red]bad.md" in shown.out


@pytest.mark.proves("A6", "A7")
def test_ask_answers_with_verified_quotes_or_abstains_with_a_reason(casewright: Casewright) -> None:
    answered = casewright("ask", "When must provisional credit be on the account?", "--as-of", "2026-03-02", "--json")
    assert answered.code == 0
    document = answered.document
    assert not document["abstained"]
    assert document["answer"]
    assert all(item["verified"] and item["quote"] and item["label"] for item in document["citations"])
    assert {"index_version", "model", "run_id", "usage", "reason"} <= set(document)
    shown = casewright("runs", "show", document["run_id"], "--json").document
    assert (shown["answer"], shown["run_id"]) == (document["answer"], document["run_id"])
    abstained = casewright("ask", "What is the boiling point of mercury?", "--json").document
    assert abstained["abstained"] is True
    assert abstained["answer"] == ""
    assert abstained["citations"] == []
    assert "mercury" in abstained["reason"]


def test_a_question_is_neither_resumed_nor_cancelled_nor_read_by_others(casewright: Casewright) -> None:
    run_id = casewright("ask", "When is provisional credit due?", "--json").document["run_id"]
    for verb in ("resume", "cancel"):
        refused = casewright("runs", verb, run_id, "--json")
        assert refused.code == 2
        assert "casewright ask" in refused.refusal
    assert casewright("runs", "show", run_id, "--as", "tomas", "--json").code == 3
    explained = casewright("runs", "explain", run_id, "--as", "avery", "--json")
    assert explained.code == 0
    assert explained.document["answered"]


@pytest.mark.proves("B1")
def test_cases_are_imported_listed_and_shown(casewright: Casewright, tmp_path: Path) -> None:
    rows = tmp_path / "cases.json"
    rows.write_text(json.dumps([case_file("HL-9001"), {"case_id": "HL-9002"}]), encoding="utf-8")
    first = casewright("cases", "import", str(rows), "--json")
    assert first.code == 0
    assert first.document["imported"] == ["HL-9001"]
    ((skipped),) = first.document["skipped"]
    assert skipped["row"] == 2
    assert skipped["reason"]
    assert casewright("cases", "import", str(rows), "--json").document["unchanged"] == ["HL-9001"]
    listed = {case["case_id"] for case in casewright("cases", "list", "--json").document["cases"]}
    assert {CASE, "HL-9001"} <= listed
    shown = casewright("cases", "show", "HL-9001", "--json").document
    assert (shown["case_id"], shown["title"]) == ("HL-9001", HOSTILE)
    assert {"transactions", "evidence", "timeline", "communications", "assessment", "provenance"} <= set(shown)


@pytest.mark.proves("B6")
def test_foreign_text_reaches_a_person_as_text_with_hidden_characters_shown(
    casewright: Casewright, tmp_path: Path
) -> None:
    rows = tmp_path / "cases.json"
    rows.write_text(json.dumps([case_file("HL-9001")]), encoding="utf-8")
    assert casewright("cases", "import", str(rows)).code == 0
    for line in (("cases", "list"), ("cases", "show", "HL-9001"), ("review", "HL-9001")):
        shown = casewright(*line)
        assert not set(shown.out + shown.errors) & set("\x1b\x9b\u202e\u202c")
        assert "[bold]paid[/bold]" in unwrapped(shown.out) or line[0] == "review"
    listed = casewright("cases", "list", "--json")
    assert not set(listed.out) & set("\x1b\x9b\u202e\u202c")
    assert HOSTILE in [case["title"] for case in listed.document["cases"]]


@pytest.mark.proves("B2")
def test_a_case_that_is_absent_and_one_that_is_hidden_read_the_same(casewright: Casewright) -> None:
    hidden = casewright("cases", "list", "--as", "lena", "--json").document["cases"][0]["case_id"]
    for command in (("cases", "show"), ("review",)):
        absent_answer = casewright(*command, "NO-1", "--json")
        hidden_answer = casewright(*command, hidden, "--json")
        assert absent_answer.code == hidden_answer.code == 2
        assert absent_answer.refusal == hidden_answer.refusal.replace(hidden, "NO-1")
        assert "casewright cases list" in absent_answer.refusal


def test_an_unknown_person_is_bad_input_that_lists_those_known(casewright: Casewright) -> None:
    for line in (["cases", "list"], ["audit", "verify"], ["corpus", "documents"], ["token", "drafting"]):
        refused = casewright(*line, "--as", "nobody", "--json")
        assert refused.code == 2
        assert "'nobody'" in refused.refusal
        assert "rosa" in refused.refusal


@pytest.mark.proves("D1")
def test_what_a_role_may_not_do_is_denied(casewright: Casewright, tmp_path: Path) -> None:
    rows = tmp_path / "cases.json"
    rows.write_text(json.dumps([case_file("HL-9001")]), encoding="utf-8")
    rule_file = tmp_path / "rule.md"
    rule_file.write_text(rule("hl-x"), encoding="utf-8")
    denied = (
        ("corpus", "ingest", str(rule_file), "--as", "rosa"),
        ("cases", "import", str(rows), "--as", "avery"),
        ("cases", "list", "--as", "petra"),
        ("review", CASE, "--as", "avery"),
        ("audit", "verify", "--as", "rosa"),
    )
    for line in denied:
        refused = casewright(*line, "--json")
        assert refused.code == 3, line
        assert line[-1] in refused.refusal
    assert "HL-9001" not in casewright("cases", "list").out


@pytest.mark.proves("G1")
def test_audit_head_and_verify_agree_and_a_changed_row_is_found(casewright: Casewright, home: Path) -> None:
    head = casewright("audit", "head", "--json").document["head"]
    assert re.fullmatch(r"[0-9]+:[0-9a-f]{64}", head)
    assert casewright("audit", "head").out == head + "\n"
    verified = casewright("audit", "verify", "--head", head, "--json")
    assert verified.code == 0
    assert {"ok": True, "first_bad": None}.items() <= verified.document.items()
    assert casewright("audit", "verify", "--head", "nonsense", "--json").code == 2
    with sqlite3.connect(home / "casewright.db") as database:
        database.execute("UPDATE audit_events SET subject = 'mallory' WHERE seq = 2")
    database.close()
    broken = casewright("audit", "verify", "--json")
    assert broken.code == 1
    assert (broken.document["ok"], broken.document["first_bad"]) == (False, 2)


def test_policies_are_checked_tested_and_explained(casewright: Casewright, tmp_path: Path) -> None:
    checked = casewright("policy", "check", "--json")
    assert (checked.code, checked.document["ok"], checked.document["problems"]) == (0, True, [])
    tested = casewright("policy", "test", "--name", "test_an_assigned_reviewer", "--json")
    assert tested.code == 0
    assert tested.document["passed"] > 0
    assert tested.document["failed"] == []
    assert tested.document["coverage"]
    question = tmp_path / "input.json"
    question.write_text('{"schema": "input/v1"}', encoding="utf-8")
    explained = casewright("policy", "explain", str(question), "--json").document
    assert (explained["allow"], explained["effect"]) == (False, "deny")
    question.write_text("[]", encoding="utf-8")
    assert casewright("policy", "explain", str(question), "--json").code == 2
    none = casewright("policy", "test", "--name", "no such test", "--json")
    assert none.code == 2
    assert "'no such test'" in none.refusal


def test_a_token_stands_alone_on_its_line(casewright: Casewright) -> None:
    plain = casewright("token", "case-facts", "--case", CASE, "--as", "rosa")
    assert plain.code == 0
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", plain.out)
    document = casewright("token", "case-facts", "--case", CASE, "--as", "rosa", "--json").document
    assert {"server": "case-facts", "identity": "rosa", "case_id": CASE}.items() <= document.items()
    refused = casewright("token", "elsewhere", "--json")
    assert refused.code == 2
    assert "policy-search" in refused.refusal


def test_doctor_finds_a_sound_folder_sound(casewright: Casewright, home: Path) -> None:
    report = casewright("doctor", "--json")
    assert report.code == 0
    assert report.document["ok"] is True
    assert report.document["home"] == str(home)
    assert [check["name"] for check in report.document["checks"] if not check["ok"]] == []


def test_init_again_changes_nothing(casewright: Casewright, home: Path) -> None:
    key = (home / "signing-key.pem").read_bytes()
    again = casewright("init", "--json")
    assert again.code == 0
    assert {"documents", "clauses", "cases", "home"} <= set(again.document)
    assert again.document["cases"] > 20
    assert (home / "signing-key.pem").read_bytes() == key
    assert casewright("audit", "verify", "--json").document["ok"] is True


def test_init_without_the_sample_is_an_empty_installation(alone: Casewright, tmp_path: Path) -> None:
    home = str(tmp_path / "fresh")
    assert alone("init", "--no-sample", "--home", home, "--json").document["documents"] == 0
    assert alone("cases", "list", "--home", home, "--json").document == {"cases": []}
    refused = alone("corpus", "search", "anything", "--home", home, "--json")
    assert refused.code == 1
    assert "casewright corpus ingest" in refused.refusal


@pytest.mark.parametrize(
    "line",
    [("cases", "list"), ("cases", "show", CASE), ("corpus", "documents", "--all"), ("corpus", "search", "credit")],
)
def test_tables_fit_80_columns_and_cut_no_id(casewright: Casewright, line: tuple[str, ...]) -> None:
    shown = casewright(*line)
    assert shown.code == 0
    assert all(len(row) <= 80 for row in shown.out.splitlines())
    assert "…" not in shown.out
    document = casewright(*line, "--json").document
    ids = [item["case_id"] for item in document.get("cases", [])]
    ids += [item["document_id"] for item in document.get("documents", []) + document.get("hits", [])]
    for identifier in ids or [document["case_id"]]:
        assert identifier in shown.out


def unwrapped(text: str) -> str:
    """Without the spaces and line ends of a layout."""
    return re.sub(r"\s+", "", text)


def rule(document_id: str) -> str:
    """A small document with one clause."""
    return (
        f"---\ndocument_id: {document_id}\nversion: '2026.1'\ntitle: A rule\nissuer: Harborline\n"
        "effective_from: 2026-01-01\nstatus: published\n---\n\n# A rule\n\n**1.1** The reviewer must answer within "
        "7 business days.\n"
    )


def case_file(case_id: str) -> dict[str, object]:
    """A complaint with a hostile title, assigned to rosa."""
    return {
        "case_id": case_id,
        "case_type": "complaint",
        "title": HOSTILE,
        "received_on": "2026-03-02",
        "product": "Checking account",
        "issue": "Fees",
        "narrative": "I was charged twice.",
        "assigned_to": ["rosa"],
    }
