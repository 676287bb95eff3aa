"""`casewright eval accept`: the figures of one selection are taken, it says which, and the other one stays."""

from pathlib import Path

import pytest

from casewright.contracts.evaluation import EvalReport
from evals import baseline
from evals.baseline import read_baseline
from tests.support.releasing import green, suite
from tests.unit.commands.conftest import Casewright

pytestmark = pytest.mark.proves("H2")


def kept(folder: Path, report: EvalReport) -> str:
    file = folder / f"{report.selection}.json"
    file.write_text(report.model_dump_json(), encoding="utf-8")
    return str(file)


@pytest.fixture
def accepted_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A baseline of its own in place of the shipped one."""
    monkeypatch.setattr(baseline, "BASELINE", tmp_path / "baseline.json")
    return tmp_path / "baseline.json"


@pytest.mark.thorough
def test_accepting_the_fast_selection_says_so_and_leaves_the_full_one(
    alone: Casewright, accepted_file: Path, tmp_path: Path
) -> None:
    full = alone("eval", "accept", kept(tmp_path, green(eval_id="eval-full")))
    assert full.code == 0
    assert "accepted the full selection of eval-full: golden" in full.out
    before = read_baseline(accepted_file)
    fast = alone("eval", "accept", kept(tmp_path, green(eval_id="eval-fast", selection="fast")))
    assert "accepted the fast selection of eval-fast: golden; the full one stays as it was" in " ".join(
        fast.out.split()
    )
    after = read_baseline(accepted_file)
    assert after.selections["full"] == before.selections["full"]
    known = after.suite("fast", "golden")
    assert known is not None and known.eval_id == "eval-fast"


@pytest.mark.thorough
def test_nothing_is_accepted_of_an_evaluation_with_errored_cases(
    alone: Casewright, accepted_file: Path, tmp_path: Path
) -> None:
    refused = alone("--json", "eval", "accept", kept(tmp_path, green(suites=(suite(errored=1),))))
    assert refused.code != 0
    assert "golden have cases that are errored" in refused.refusal
    assert not accepted_file.exists()
