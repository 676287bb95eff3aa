"""`casewright demo`: from an empty folder to a recorded effect, as a newcomer would run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.installation import process_environment

WAIT = 110


@pytest.mark.timeout(120)
@pytest.mark.proves("C3", "C4", "D5", "G1")
def test_the_demo_ends_with_a_receipt_after_a_second_person_agreed(tmp_path: Path) -> None:
    environment = process_environment(tmp_path / "unused", TMPDIR=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "casewright.launch", "demo", "--json"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["report"]["status"] == "waiting_approval"
    assert "rosa" in document["refused_to_requester"]
    decision = document["decision"]
    assert decision["state"] in ("approved", "consumed")
    assert {vote["voter"] for vote in decision["votes"]}.isdisjoint({"rosa"})
    assert len(decision["votes"]) == decision["quorum"]
    assert decision["run"]["status"] == "completed"
    assert decision["receipt"]["approval_id"] == decision["approval_id"]
    assert document["audit"]["ok"] is True
    assert document["audit"]["events"] > 30
    assert document["seconds"]["review"] > 0
    assert list(tmp_path.iterdir()) == [], "the demo cleans up and leaves CASEWRIGHT_HOME alone"
