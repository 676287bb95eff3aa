"""`casewright audit`: an export that anybody can check, and what a lost key or a read-only folder is told."""

import re
import sqlite3
import stat
from pathlib import Path

import pytest

from casewright.audit.sealing import KEY_FILE
from casewright.identity.keys import SigningKey
from tests.unit.commands.conftest import Casewright


@pytest.mark.proves("G1")
def test_an_export_is_checked_offline_with_the_public_key_alone(
    casewright: Casewright, home: Path, tmp_path: Path
) -> None:
    file, key = tmp_path / "audit.jsonl", tmp_path / "audit.pem"
    exported = casewright("audit", "export", str(file), "--public-key", str(key), "--json")
    assert (exported.code, exported.document["file"]) == (0, str(file))
    assert re.fullmatch(r"[0-9]+:[0-9a-f]{64}", exported.document["head"])
    events = exported.document["events"]
    assert len(file.read_bytes().splitlines()) == events + 1
    (home / "signing-key.pem").rename(tmp_path / "elsewhere.pem")
    checked = casewright("audit", "verify", "--file", str(file), "--public-key", str(key), "--json")
    assert checked.document == {
        "ok": True,
        "events": events,
        "head": exported.document["head"],
        "first_bad": None,
        "problem": "",
    }
    lines = file.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"sample", b"simple")
    file.write_bytes(b"".join(lines))
    broken = casewright("audit", "verify", "--file", str(file), "--public-key", str(key), "--json")
    assert (broken.code, broken.document["ok"], broken.document["first_bad"]) == (1, False, 2)


@pytest.mark.proves("G1")
def test_an_older_export_is_found_with_a_kept_head(casewright: Casewright, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    assert casewright("audit", "export", str(file)).code == 0
    later = casewright("audit", "head", "--json").document
    assert casewright("audit", "verify", "--file", str(file), "--head", later["head"]).code == 0
    assert casewright("audit", "verify").code == 0  # one event more
    newer = casewright("audit", "head", "--json").document
    assert newer["seq"] == later["seq"] + 1
    found = casewright("audit", "verify", "--file", str(file), "--head", newer["head"], "--json")
    assert (found.code, "rolled back" in found.document["problem"]) == (1, True)


def test_an_export_signed_elsewhere_does_not_pass(casewright: Casewright, tmp_path: Path) -> None:
    from casewright.identity.public_key import PublicKey

    file, key = tmp_path / "audit.jsonl", tmp_path / "other.pem"
    assert casewright("audit", "export", str(file)).code == 0
    PublicKey(SigningKey.generate().public_key).save(key)
    found = casewright("audit", "verify", "--file", str(file), "--public-key", str(key), "--json")
    assert (found.code, "not ours" in found.document["problem"]) == (1, True)


@pytest.mark.parametrize("identity", ["rosa", "selma", "petra"])
def test_only_auditors_export_and_the_refusal_is_in_the_audit(
    casewright: Casewright, tmp_path: Path, home: Path, identity: str
) -> None:
    file = tmp_path / "audit.jsonl"
    refused = casewright("audit", "export", str(file), "--as", identity, "--json")
    assert (refused.code, file.exists()) == (3, False)
    connection = sqlite3.connect(home / "casewright.db")
    last = connection.execute("SELECT kind, subject, body FROM audit_events ORDER BY seq DESC LIMIT 1").fetchone()
    connection.close()
    assert last[:2] == ("call.denied", identity)
    assert '"tool":"export_audit"' in last[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "--public-key", "key.pem"),
        ("verify", "--file", "none.jsonl"),
        ("verify", "--file", "none.jsonl", "--public-key", "none.pem"),
        ("export", "no/such/folder/audit.jsonl"),
        ("verify", "--head", "²:" + "0" * 64),
    ],
)
def test_what_cannot_be_done_is_named_with_the_way_out(casewright: Casewright, arguments: tuple[str, ...]) -> None:
    refused = casewright("audit", *arguments, "--json")
    assert refused.code in (1, 2)
    assert "; " in refused.refusal or ", " in refused.refusal


def test_a_lost_signing_key_is_to_be_restored_and_not_made_anew(casewright: Casewright, home: Path) -> None:
    (home / "signing-key.pem").unlink()
    for line in (("audit", "verify"), ("cases", "list"), ("init",)):
        refused = casewright(*line, "--json")
        assert refused.code == 1
        assert "restore the key file from a backup" in refused.refusal
        assert "nothing can be added" in refused.refusal
    assert not (home / "signing-key.pem").exists()


def test_init_makes_the_key_of_recorded_decisions_for_its_owner_alone(casewright: Casewright, home: Path) -> None:
    key = home / KEY_FILE
    key.unlink(missing_ok=True)
    assert casewright("init", "--no-sample").code == 0
    made = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert casewright("init", "--no-sample").code == 0
    assert key.read_bytes() == made
