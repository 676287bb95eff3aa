"""The command as real processes: started anywhere, interrupted, two at a time."""

import contextlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands.main import run
from tests.support.installation import interruptible, process_environment

CASE = "HL-2026-0001"
WAIT = 110
pytestmark = pytest.mark.timeout(240)
"""Several processes share the machine; each of their waits is bounded by `WAIT`."""


def start(home: Path, *arguments: str, folder: Path | None = None) -> subprocess.Popen[str]:
    """`casewright ARGUMENTS` over a data folder, in a folder of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "casewright.launch", *arguments],
        env=process_environment(home, COLUMNS="80"),
        preexec_fn=interruptible,
        cwd=folder or home.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    """Exit code, the one JSON document, and the messages."""
    try:
        out, errors = process.communicate(timeout=WAIT)
    finally:
        process.kill()
    return process.returncode, json.loads(out), errors


def call(home: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """One command with --json in this process, to look at what the others left."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = run([*arguments, "--home", str(home), "--json"])
    return code, json.loads(out.getvalue()), errors.getvalue()


def write_rules(folder: Path, count: int, *, prefix: str) -> Path:
    """A folder of small documents."""
    folder.mkdir()
    for number in range(count):
        clauses = "\n\n".join(f"**1.{item}** The bank must answer within {item} days." for item in range(1, 30))
        front = (
            f"---\ntitle: Rule {number}\ndocument_id: {prefix}-{number}\nversion: '2026.1'\n"
            "effective_from: 2026-01-01\nstatus: published\n---\n\n# Rule\n\n"
        )
        (folder / f"{number}.md").write_text(front + clauses + "\n", encoding="utf-8")
    return folder


def documents(home: Path, prefix: str) -> int:
    """How many documents of a prefix are visible."""
    _, found, _ = call(home, "corpus", "documents")
    return len([item for item in found["documents"] if item["document_id"].startswith(prefix)])


def test_the_command_runs_from_any_folder_and_prints_one_document(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    process = start(home, "cases", "list", "--json", folder=elsewhere)
    code, document, errors = finish(process)
    assert code == 0
    assert document["cases"]
    assert errors.startswith("acting as rosa")
    assert list(elsewhere.iterdir()) == []


def test_output_in_a_plain_ascii_terminal_is_still_one_document(home: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "casewright.launch", "corpus", "search", "credit", "--json"],
        env=process_environment(home, PYTHONIOENCODING="ascii"),
        cwd=home.parent,
        capture_output=True,
        timeout=WAIT,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout.decode("ascii"))["hits"]


@pytest.mark.proves("B1")
def test_two_imports_at_once_both_end_well(home: Path, tmp_path: Path) -> None:
    processes: list[subprocess.Popen[str]] = []
    for number in range(2):
        file = tmp_path / f"{number}.json"
        case = {"case_type": "complaint", "title": "T", "received_on": "2026-03-02", "assigned_to": ["rosa"]}
        rows = [case | {"case_id": f"HL-7{number}-{row}"} for row in range(20)] + [case | {"case_id": "HL-BOTH"}]
        file.write_text(json.dumps(rows), encoding="utf-8")
        processes.append(start(home, "cases", "import", str(file), "--json"))
    ended = [finish(process) for process in processes]
    assert [code for code, _, _ in ended] == [0, 0]
    assert sorted(len(document["imported"]) for _, document, _ in ended) == [20, 21]
    assert call(home, "audit", "verify")[1]["ok"] is True


@pytest.mark.proves("A1")
def test_two_ingests_at_once_both_end_well(home: Path, tmp_path: Path) -> None:
    folders = [write_rules(tmp_path / name, 3, prefix=f"both-{name}") for name in ("a", "b")]
    processes = [start(home, "corpus", "ingest", str(folder), "--as", "selma", "--json") for folder in folders]
    ended = [finish(process) for process in processes]
    assert [(code, document["ingested"]) for code, document, _ in ended] == [(0, 3), (0, 3)]
    assert documents(home, "both-") == 6
    assert call(home, "audit", "verify")[1]["ok"] is True


@pytest.mark.proves("E4")
def test_two_reviews_of_one_case_at_once_make_one_proposal_or_say_who_works_on_it(home: Path) -> None:
    ended = [finish(process) for process in [start(home, "review", CASE, "--json") for _ in range(2)]]
    codes = sorted(code for code, _, _ in ended)
    assert codes in ([1, 4], [4, 4]), ended
    for code, document, _ in ended:
        if code == 1:
            assert "another process" in document["error"]["message"]
    _, queue, _ = call(home, "approvals", "list")
    assert len(queue["approvals"]) == len({item["run_id"] for item in queue["approvals"]}) == 1
    assert call(home, "audit", "verify")[1]["ok"] is True


@pytest.mark.proves("A1")
def test_an_ingest_that_is_interrupted_loses_nothing_and_can_be_repeated(home: Path, tmp_path: Path) -> None:
    before = call(home, "audit", "head")[1]["head"]
    folder = write_rules(tmp_path / "many", 400, prefix="many")
    process = start(home, "corpus", "ingest", str(folder), "--as", "selma", "--json")
    _wait_for_event(home, after=int(before.partition(":")[0]), process=process)
    process.send_signal(signal.SIGINT)
    code, document, errors = finish(process)
    assert code == 1
    assert "run it again" in document["error"]["message"]
    assert "Traceback" not in errors
    assert documents(home, "many-") == 0
    assert call(home, "corpus", "search", "provisional credit")[1]["hits"]
    code, report, _ = call(home, "corpus", "ingest", str(folder), "--as", "selma")
    assert (code, report["ingested"], report["quarantined"]) == (0, 400, [])
    assert documents(home, "many-") == 400


def _wait_for_event(home: Path, *, after: int, process: subprocess.Popen[str]) -> None:
    """Until the permission to ingest is on record: the work has begun, and most of it is still to do."""
    found = 0
    with sqlite3.connect(home / "casewright.db", timeout=WAIT) as database:
        while process.poll() is None and not found:
            query = "SELECT count(*) FROM audit_events WHERE seq > ? AND kind = 'call.allowed'"
            (found,) = database.execute(query, (after,)).fetchone()
    database.close()
    assert found, process.stderr.read() if process.stderr else ""


def test_a_killed_first_set_up_is_mended_by_the_next(tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    process = start(home, "init", "--json", folder=tmp_path)
    while process.poll() is None and not (home / "casewright.db").exists():
        os.sched_yield()
    process.kill()
    process.communicate(timeout=WAIT)
    code, document, errors = call(home, "init")
    assert code == 0, errors
    assert document["cases"] > 20
    assert call(home, "doctor")[1]["ok"] is True
