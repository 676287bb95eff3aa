"""Suspicious text is told to people; the review goes the same way whether it is told or not."""

from pathlib import Path

import pytest

from casewright.cases.inspection import StoredInspection
from casewright.contracts.decision import DecisionInput
from casewright.contracts.run import RunReport
from casewright.trust.inspection import Suspicion
from graphs.explanation.explain import explain_run
from tests.integration.graphs.reviews import World, copied, opened

CASE = "HL-2026-0013"
"""A receipt that tries to instruct its reader."""


@pytest.mark.thorough
async def test_a_review_goes_the_same_way_whether_suspicious_text_is_told_or_not(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(self: StoredInspection, tenant: str, case_id: str) -> tuple[Suspicion, ...]:
        return ()

    async with opened(copied(installation, tmp_path / "told")) as world:
        told = await world.start(CASE)
        assert await suspected(world, told) == {"evidence/e2/text"}
        row = await world.records.get("harborline", told.run_id)
        explanation = await explain_run(world.services, world.records, row)
        assert any("written to steer a model, which decided nothing" in one.text for one in explanation.detection)
        decided = await world.audited("call.allowed"), await world.audited("call.denied")
    monkeypatch.setattr(StoredInspection, "of", nothing)
    async with opened(copied(installation, tmp_path / "untold")) as world:
        untold = await world.start(CASE)
        assert await suspected(world, untold) == set()
        assert decided == (await world.audited("call.allowed"), await world.audited("call.denied"))
    assert outcome(told) == outcome(untold)


def test_no_decision_is_asked_about_suspicions() -> None:
    schema = str(DecisionInput.model_json_schema()).lower()
    assert "suspic" not in schema
    assert "untrusted" in schema, "the positive control: the label by origin is asked about"


async def suspected(world: World, report: RunReport) -> set[str]:
    """Paths of the texts that people are told of."""
    events = await world.records.events(report.run_id, kind="suspected")
    return {one["path"] for event in events for one in event.body["suspicions"]}


def outcome(report: RunReport) -> tuple[object, ...]:
    """What came of a review, without ids and times."""
    recommendation = report.recommendation
    assert recommendation is not None
    pending = tuple((one.action, one.amount_minor, one.roles, one.quorum) for one in report.pending)
    return report.status, report.steps, recommendation, report.deadlines, report.evidence, pending
