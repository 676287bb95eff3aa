"""`casewright bench mcp` measures all it says, on real processes, with few repetitions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from casewright.contracts.principal import SERVERS
from tests.support.installation import CHECKOUT, process_environment

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(600)]
MOST_MB = 300
MOST_TIMES_BARE = 3.0
"""On a machine that does other things; the goal on a quiet one is 1.3."""


@pytest.mark.proves("I1")
def test_starts_calls_and_silent_clients_are_measured_beside_a_bare_server(tmp_path: Path) -> None:
    few = ["--runs", "3", "--calls", "64", "--connections", "50", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "casewright.launch", "bench", "mcp", *few],
        env=process_environment(tmp_path),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document["start"]) == {"bare", *SERVERS}
    assert all(0 < document["start"][name]["ratio"] < MOST_TIMES_BARE for name in SERVERS)
    assert set(document["http"]) == {"1", "16", "64"}
    assert all(figures[kind]["p95_ms"] > 0 for figures in document["http"].values() for kind in ("bare", "guarded"))
    assert document["idle"]["guarded"]["connections"] == 50
    assert document["idle"]["guarded"]["held_mb"] < MOST_MB
