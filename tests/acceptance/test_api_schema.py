"""Generated requests against a running API: whatever is sent, it answers as its document says.

The long form, with as many examples as you like, is in docs/api.md.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.api_process import ApiProcess, api_process, waited_for
from tests.support.installation import CASE, CHECKOUT, process_environment

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(900), pytest.mark.proves("E8")]
SECONDS = int(os.environ.get("CASEWRIGHT_SCHEMA_SECONDS", "90"))
"""For each of the two runs."""
SEED = os.environ.get("CASEWRIGHT_SCHEMA_SEED", "1")
SUPPORT = CHECKOUT / "tests" / "support"


def generated(api: ApiProcess, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """One run of schemathesis with all checks."""
    line = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(SUPPORT / "schemathesis.toml")),
        *("run", str(CHECKOUT / "docs" / "openapi.json"), "--url", api.base, "--checks", "all"),
        *("--max-examples", "10", "--max-time", str(SECONDS), "--no-color", "--continue-on-failure", "--seed", SEED),
        *("--generation-database", "none", *options),
    ]
    environment = process_environment(
        api.home, SCHEMATHESIS_HOOKS="tests.support.schemathesis_hooks", PYTHONWARNINGS="ignore"
    )
    done = subprocess.run(
        line, env=environment, cwd=folder, capture_output=True, text=True, timeout=SECONDS + 300, check=False
    )
    (folder / "schemathesis.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    return done


def check_passed(done: subprocess.CompletedProcess[str]) -> None:
    """Every phase has run, and everything that was generated passed."""
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert re.search(r"([1-9]\d*) generated, \1 passed", done.stdout), done.stdout[-2_000:]
    assert "❌" not in done.stdout


def test_every_generated_request_is_answered_as_the_document_says(home: Path) -> None:
    with api_process(home, "--requests-per-minute", "1000000") as api:
        with api.client("selma") as selma:
            run_id = selma.post("/v1/reviews", json={"case_id": CASE}).json()["run_id"]
            waited_for(lambda: selma.get(f"/v1/runs/{run_id}").json()["status"] == "waiting_approval")
        done = generated(api, home.parent, "--header", f"Authorization: Bearer {api.token('selma')}")
        check_passed(done)
        assert '"level": "error", "logger": "casewright.api"' not in api.log.read_text(encoding="utf-8")


def test_without_a_token_nothing_is_answered_and_all_is_as_the_document_says(home: Path) -> None:
    with api_process(home, "--requests-per-minute", "1000000") as api:
        with api.client("selma") as client:
            waited_for(lambda: client.get("/v1/ready").status_code == 200)
        done = generated(api, home.parent)
        check_passed(done)
