"""A case that holds what its reviewer may not read is reviewed on what they may."""

from pathlib import Path

import pytest

from casewright.contracts.case import CaseFile
from tests.integration.graphs.reviews import opened, sample_cases

CASE = "HL-2026-0012"
RESTRICTED = {
    "evidence_id": "e9",
    "kind": "investigation_note",
    "title": "Letter",
    "text": "The terminal operator is a suspect; do not contact the merchant before the inquiry is closed.",
    "source": "fraud operations",
    "trust": "staff",
    "supports": "neutral",
    "received_on": "2026-07-10",
    "classification": "restricted",
}


@pytest.mark.thorough
@pytest.mark.timeout(120)
async def test_a_review_beside_restricted_evidence_reaches_its_approval(home: Path) -> None:
    async with opened(home) as world:
        sample = sample_cases()[CASE]
        copy = sample | {"case_id": "HL-2026-9001", "evidence": [*sample["evidence"], RESTRICTED]}
        report = await world.services.cases.import_cases(
            [CaseFile.model_validate(copy)], importer=world.person("tomas")
        )
        assert not report.skipped
        found = await world.runner.start(world.person("tomas"), "HL-2026-9001")
        assert (found.status, found.because) == ("waiting_approval", "the proposed action waits for approval")
        assert found.recommendation is not None
        assert "suspect" not in found.recommendation.model_dump_json()
