"""The suite of what no rule answers: a judge that finds everything sufficient turns it red."""

from pathlib import Path

import pytest

from evals.suites.unanswerable import Unanswerable
from tests.evals.attempting import attempted, materials
from tests.evals.planted import NeverInsufficient, planted

CHOSEN = {"payee-name-check", "goodwill-cost-center", "mb-remittance", "before-any-rule", "chief-executive"}


@pytest.mark.thorough
@pytest.mark.proves("A7")
async def test_drafts_withdrawn_rules_and_other_houses_do_not_answer(installation: Path, tmp_path: Path) -> None:
    results = await attempted(Unanswerable(), materials(installation, tmp_path / "w"), lambda case: case.id in CHOSEN)
    assert {result.verdict for result in results.values()} == {"passed"}


@pytest.mark.thorough
@pytest.mark.proves("A7")
async def test_an_index_that_is_never_insufficient_fails_at_sufficiency(installation: Path, tmp_path: Path) -> None:
    suite = Unanswerable(prepared=planted(NeverInsufficient))
    results = await attempted(suite, materials(installation, tmp_path / "w"), lambda case: case.id in CHOSEN)
    failed = [result for result in results.values() if result.verdict == "failed"]
    assert len(failed) >= len(CHOSEN) - 1, "where nothing is in force at all, nothing can be quoted"
    assert {result.stage for result in failed} == {"sufficiency"}
    assert all("answered" in result.forbidden for result in failed)
