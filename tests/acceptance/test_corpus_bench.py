"""`casewright bench corpus`: real ingests, a real server, figures of every kind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.thorough
@pytest.mark.proves("A9")
@pytest.mark.timeout(240)
def test_a_size_is_measured_from_markdown_to_the_server_and_drawn(tmp_path: Path) -> None:
    line = ["bench", "corpus", "--clauses", "400", "--searches", "40", "--plot", str(tmp_path / "growth.png"), "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "casewright.launch", *line], capture_output=True, text=True, timeout=220, check=True
    )
    (size,) = json.loads(ran.stdout)["sizes"]
    assert size["clauses"] == 400
    assert 0 < size["visible_clauses"] < 400
    assert size["ingest"]["clauses_per_second"] > 0
    assert size["index"]["bytes"] > size["index"]["search_bytes"] > 100_000
    assert size["search"]["mapped"]
    assert all(size["search"][kind]["searches"] == 40 for kind in ("ours", "full_text", "hybrid"))
    assert 0 < size["search"]["ours"]["p50_ms"] <= size["search"]["ours"]["p95_ms"] <= size["search"]["ours"]["p99_ms"]
    assert 0 < size["server"]["p50_ms"] <= size["server"]["p95_ms"]
    if sys.platform == "linux":
        assert size["ingest"]["peak_mb"] > size["server"]["private_mb"] > 50
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
