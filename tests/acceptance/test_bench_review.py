"""`casewright bench review` measures whole reviews beside LangGraph alone, and what their checkpoints hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.installation import CHECKOUT, process_environment

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(300)]


@pytest.mark.proves("E4", "E8")
def test_reviews_are_measured_beside_langgraph_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "casewright.launch", "--json", "bench", "review", "--reviews", "3"]
    done = subprocess.run(
        command,
        env=process_environment(tmp_path),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["framework_ms_per_step"] > found["bare_langgraph_ms_per_step"] > 0
    sizes = found["checkpoint_bytes"]
    assert sizes["largest"] <= found["goals"]["checkpoint_bytes"]
    assert abs(sizes["long_documents"] - sizes["median"]) < 0.05 * sizes["median"], "documents do not enter the state"
    assert found["events"]["events"] > 10
