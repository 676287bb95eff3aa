"""Our suites under Inspect AI: what its viewer shows is what our runner would say, and nothing is decided there."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.evaluation import CaseResult
from evals import inspecting
from evals.agentdojo.bench import default_environment, python_of
from evals.suite import Materials, SuiteUnavailableError
from evals.suites.unanswerable import Unanswerable

ROOT = Path(__file__).resolve().parents[2]


def shown(result: CaseResult) -> dict[str, Any]:
    return inspecting._score(result, dict)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(("verdict", "letter"), [("passed", "C"), ("failed", "I"), ("errored", "N")])
def test_every_verdict_has_its_own_letter(verdict: Any, letter: str) -> None:
    assert shown(CaseResult(case_id="a", verdict=verdict))["value"] == letter


def test_a_failure_shows_what_happened_why_and_the_command_that_opens_its_records() -> None:
    result = CaseResult(
        case_id="a",
        verdict="failed",
        happened="nothing was found",
        stage="retrieval",
        diagnosis="the clause was at rank 42 and cut at 20",
        trace="casewright runs explain r",
        forbidden=("invented",),
        outcomes={"found": False},
    )
    document = shown(result)
    assert document["explanation"].split("\n\n") == [result.happened, result.diagnosis, result.trace]
    assert document["metadata"] == {"stage": "retrieval", "forbidden": ["invented"], "found": False}


def test_no_gate_and_no_runner_reads_what_inspect_says() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for room in ("evals", "commands", "casewright")
        for path in (ROOT / room).rglob("*.py")
        if "evals.inspecting" in path.read_text(encoding="utf-8")
    ]
    assert users == ["commands/eval_inspect.py"]


def inspected(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "casewright.launch", "eval", "inspect", *more, "--out", str(out), "--json"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=550, check=False)


def as_inspect_reads(log: str) -> list[dict[str, Any]]:
    """The samples of a log, through Inspect's own command."""
    command = [str(default_environment() / "bin" / "inspect"), "log", "dump", log]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    return json.loads(dumped.stdout)["samples"]


def need_inspect() -> None:
    try:
        python_of(default_environment())
    except SuiteUnavailableError as error:
        pytest.skip(str(error))


@pytest.mark.thorough
@pytest.mark.timeout(600)
async def test_its_log_holds_every_case_with_our_verdict_and_its_report_needs_no_other_place(
    installation: Path, tmp_path: Path
) -> None:
    need_inspect()
    done = inspected(tmp_path / "out", "unanswerable")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    samples = as_inspect_reads(document["log"])
    found = {sample["id"]: sample["scores"]["verdict"] for sample in samples}
    suite = Unanswerable()
    materials = Materials(installation=installation, work=tmp_path, shared=None)
    assert len(found) == suite.fast_cases and set(found) <= {case.id for case in suite.cases(materials)}
    assert all(CaseResult.model_validate_json(sample["output"]["completion"]) for sample in samples)
    for sample in samples:
        verdict = CaseResult.model_validate_json(sample["output"]["completion"]).verdict
        assert sample["scores"]["verdict"]["value"] == {"passed": "C", "failed": "I", "errored": "N"}[verdict]
    page = Path(document["report"]) / "index.html"
    assert "https://" not in page.read_text(encoding="utf-8")


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_a_suite_that_cannot_run_here_says_what_is_missing(tmp_path: Path) -> None:
    need_inspect()
    done = inspected(tmp_path / "out", "judge")
    assert done.returncode == 1 and "key_file" in done.stderr
