"""Input and data folders that are wrong: named, refused with the right code, and nothing is lost afterwards."""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.installation import process_environment
from tests.unit.commands.conftest import Casewright, alone, casewright

__all__ = ["alone", "casewright"]
GOOD = (
    "---\ntitle: A rule\ndocument_id: hl-good\nversion: '2026.1'\neffective_from: 2026-01-01\nstatus: published\n"
    "---\n\n# A rule\n\n**1.1** The bank must answer within 7 days.\n"
)
BAD_DOCUMENTS: dict[str, tuple[bytes, str]] = {
    "no-front-matter.md": (b"# Only text\n", "front matter"),
    "open-front-matter.md": (b"---\ntitle: x\n", "not closed"),
    "not-yaml.md": (b"---\ntitle: [\n---\n\n**1.1** Text.\n", "YAML"),
    "no-date.md": (GOOD.replace("effective_from: 2026-01-01\n", "").encode(), "effective_from"),
    "wrong-date.md": (GOOD.replace("2026-01-01", "'2026-13-99'").encode(), "2026-13-99"),
    "no-clause.md": (GOOD.partition("**1.1**")[0].encode(), "no text"),
    "other-tenant.md": (GOOD.replace("status", "tenant: millbrook\nstatus").encode(), "millbrook"),
    "binary.md": (bytes(range(256)) * 8, "UTF-8"),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(64), ".png"),
    "empty.md": (b"", "front matter"),
}


def state(call: Casewright) -> tuple[str, int, int]:
    """What must not change: the index, the documents, the cases."""
    documents = call("corpus", "documents", "--all", "--json").document["documents"]
    search = call("corpus", "search", "provisional credit", "--json").document
    return search["index_version"], len(documents), len(call("cases", "list", "--json").document["cases"])


@pytest.mark.proves("A1")
def test_a_bad_document_is_quarantined_by_name_and_reason_while_good_ones_go_in(
    casewright: Casewright, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, (content, _) in BAD_DOCUMENTS.items():
        (folder / name).write_bytes(content)
    (folder / "good.md").write_text(GOOD, encoding="utf-8")
    mixed = casewright("corpus", "ingest", str(folder), "--json")
    assert mixed.code == 0
    assert mixed.document["ingested"] == 1
    reasons = {Path(item["path"]).name: item["reason"] for item in mixed.document["quarantined"]}
    assert set(reasons) == set(BAD_DOCUMENTS)
    for name, (_, named) in BAD_DOCUMENTS.items():
        assert named in reasons[name], (name, reasons[name])


@pytest.mark.parametrize("name", sorted(BAD_DOCUMENTS))
def test_an_ingest_of_nothing_good_is_bad_input_and_changes_nothing(
    casewright: Casewright, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(BAD_DOCUMENTS[name][0])
    before = casewright("corpus", "search", "credit", "--json").document["index_version"]
    refused = casewright("corpus", "ingest", str(tmp_path / name), "--json")
    assert refused.code == 2
    assert [Path(item["path"]).name for item in refused.document["quarantined"]] == [name]
    assert casewright("corpus", "search", "credit", "--json").document["index_version"] == before


def test_missing_and_empty_folders_are_bad_input(casewright: Casewright, tmp_path: Path) -> None:
    before = state(casewright)
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, named in ((tmp_path / "missing", "does not exist"), (empty, "holds no files")):
        refused = casewright("corpus", "ingest", str(path), "--json")
        assert refused.code == 2
        assert repr(str(path)) in refused.refusal
        assert named in refused.refusal
    assert state(casewright) == before


@pytest.mark.parametrize("day", ["2017-13-99", "yesterday", "2017-02-29", "20170601T"])
@pytest.mark.parametrize("line", [("corpus", "search", "x"), ("corpus", "documents"), ("ask", "What is due?")])
def test_a_date_that_is_none_is_bad_input(casewright: Casewright, line: tuple[str, ...], day: str) -> None:
    refused = casewright(*line, "--as-of", day, "--json")
    assert refused.code == 2
    assert repr(day) in refused.refusal
    assert "YYYY-MM-DD" in refused.refusal


@pytest.mark.proves("A7")
def test_a_question_of_100_000_characters_is_refused_and_one_of_2_000_is_answered(casewright: Casewright) -> None:
    for question in ("x" * 100_000, "provisional credit? " * 5_000, "\u202e\x1b(" * 33_334):
        asked = casewright("ask", question, "--json")
        assert asked.code == 2
        assert "longer than 2,000 characters" in asked.refusal
    for question in ("x" * 2_000, "provisional credit? " * 100):
        asked = casewright("ask", question, "--json")
        assert asked.code == 0
        assert asked.document["abstained"] in (True, False)
    searched = casewright("corpus", "search", "why " * 25_000, "--json")
    assert searched.code == 0


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_question_is_bad_input_or_abstained_from(casewright: Casewright, text: str) -> None:
    asked = casewright("ask", text, "--json")
    assert asked.code == 2 or asked.document["abstained"] is True
    assert "Traceback" not in asked.errors


@pytest.mark.proves("B1")
def test_a_file_that_holds_no_cases_is_bad_input_and_imports_nothing(casewright: Casewright, tmp_path: Path) -> None:
    before = state(casewright)
    for name, content in {
        "broken.json": b'[{"case_id": ',
        "object.json": b"{}",
        "binary.json": bytes(range(256)),
        "columns.csv": b"a,b\n1,2\n",
        "words.txt": b"case",
        "rows.json": b'[{"case_id": "HL-1"}, 7]',
    }.items():
        file = tmp_path / name
        file.write_bytes(content)
        refused = casewright("cases", "import", str(file), "--json")
        assert refused.code == 2, name
        assert name in refused.out if "error" in refused.document else refused.document["skipped"]
    assert casewright("cases", "import", str(tmp_path / "missing.json"), "--json").code == 2
    assert state(casewright) == before


def _truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _replace_with_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("x", encoding="utf-8")


DAMAGE: dict[str, Callable[[Path], None]] = {
    "database truncated": lambda home: _truncate(home / "casewright.db"),
    "database garbage": lambda home: _write(home / "casewright.db", b"garbage" * 5000),
    "database empty": lambda home: _write(home / "casewright.db", b""),
    "database missing": lambda home: home.joinpath("casewright.db").unlink(),
    "key missing": lambda home: home.joinpath("signing-key.pem").unlink(),
    "key garbage": lambda home: _write(home / "signing-key.pem", b"key"),
    "identities garbage": lambda home: _write(home / "identities.json", b"{"),
    "identities missing": lambda home: home.joinpath("identities.json").unlink(),
    "index missing": lambda home: shutil.rmtree(home / "index"),
    "index a file": lambda home: _replace_with_file(home / "index"),
    "index without its table": lambda home: shutil.rmtree(home / "index" / "clauses.lance"),
    "index pointer garbage": lambda home: _write(home / "index" / "active.json", b"{"),
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_a_damaged_data_folder_says_what_and_how_to_mend_it(casewright: Casewright, home: Path, damage: str) -> None:
    for suffix in ("-wal", "-shm"):
        (home / f"casewright.db{suffix}").unlink(missing_ok=True)
    DAMAGE[damage](home)
    part = "corpus" if damage.startswith("index") else "cases"
    lines = {"corpus": [("corpus", "search", "credit"), ("ask", "credit?")], "cases": [("cases", "list")]}[part]
    for line in (*lines, ("review", "HL-2026-0001")):
        refused = casewright(*line, "--json")
        assert refused.code == 1, (line, refused)
        assert str(home) in refused.refusal or "casewright doctor" in refused.refusal
        assert any(word in refused.refusal for word in ("casewright", "restore", "Restore", "mend"))
        assert "unexpected failure" not in refused.refusal, refused.errors
    if part == "corpus":
        assert "review" not in {row["kind"] for row in casewright("runs", "list", "--json").document["runs"]}
    report = casewright("doctor", "--json")
    assert report.code == 1
    assert [check["name"] for check in report.document["checks"] if not check["ok"]]
    assert "Traceback" not in report.errors


@pytest.mark.parametrize("damage", ["key missing", "database garbage", "identities garbage"])
def test_a_set_up_over_a_damaged_folder_is_refused_and_makes_nothing_worse(
    casewright: Casewright, home: Path, damage: str
) -> None:
    DAMAGE[damage](home)
    before = {path.name: path.read_bytes() for path in home.iterdir() if path.is_file() and "-" not in path.suffix}
    refused = casewright("init", "--json")
    assert refused.code == 1
    assert "unexpected failure" not in refused.refusal
    after = {name: (home / name).read_bytes() for name in before}
    assert after == before
    assert (home / "signing-key.pem").exists() == (damage != "key missing")


def test_a_lost_index_is_rebuilt_by_the_next_set_up(casewright: Casewright, home: Path) -> None:
    before = state(casewright)
    shutil.rmtree(home / "index")
    assert casewright("init", "--json").code == 0
    assert state(casewright)[1:] == before[1:]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(casewright: Casewright, home: Path, tmp_path: Path) -> None:
    (tmp_path / "rule.md").write_text(GOOD, encoding="utf-8")
    for path in (home, home / "index"):
        path.chmod(0o500)
    try:
        refused = casewright("corpus", "ingest", str(tmp_path / "rule.md"), "--json")
        fresh = casewright("init", "--home", str(home / "new"), "--json")
    finally:
        for path in (home, home / "index"):
            path.chmod(0o700)
    assert refused.code == fresh.code == 1
    assert str(home) in refused.refusal
    assert str(home) in fresh.refusal


FULL_AT = 64 * 1024
"""Bytes at which a file of the child process cannot grow any more, as on a full disk."""


def on_a_full_disk(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose files cannot grow."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_AT, FULL_AT))

    return subprocess.run(
        [sys.executable, "-c", _IGNORE_XFSZ, *arguments, "--json"],
        env=process_environment(home, PYTHONDONTWRITEBYTECODE="1"),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        preexec_fn=limit,
    )


_IGNORE_XFSZ = (
    "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    "from commands.main import run; sys.exit(run(sys.argv[1:]))"
)


def test_a_disk_that_is_full_stops_the_command_and_loses_nothing(
    casewright: Casewright, home: Path, tmp_path: Path
) -> None:
    before = state(casewright)
    rules = "\n\n".join(f"**1.{number}** The bank must answer within {number} days." for number in range(1, 3000))
    (tmp_path / "long.md").write_text(GOOD.split("**1.1**")[0] + rules + "\n", encoding="utf-8")
    rows = [
        {"case_id": f"HL-8{row}", "case_type": "complaint", "title": "T" * 500, "received_on": "2026-03-02"}
        for row in range(500)
    ]
    (tmp_path / "many.json").write_text(json.dumps(rows), encoding="utf-8")
    for line in (("corpus", "ingest", str(tmp_path / "long.md")), ("cases", "import", str(tmp_path / "many.json"))):
        done = on_a_full_disk(home, *line)
        assert done.returncode == 1, done.stderr
        message = json.loads(done.stdout)["error"]["message"]
        assert str(home) in message
        assert "unexpected failure" not in message
    assert state(casewright) == before
    with sqlite3.connect(home / "casewright.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    assert casewright("audit", "verify", "--json").document["ok"] is True
    assert casewright("corpus", "ingest", str(tmp_path / "long.md"), "--json").document["ingested"] == 1


def test_a_set_up_on_a_full_disk_can_be_repeated_once_there_is_room(casewright: Casewright, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    done = on_a_full_disk(fresh, "init", "--home", str(fresh))
    assert done.returncode == 1, done.stderr
    assert str(fresh) in json.loads(done.stdout)["error"]["message"]
    assert casewright("init", "--no-sample", "--home", str(fresh), "--json").code == 0
