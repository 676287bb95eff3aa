"""A review that a supervisor began knows sealed evidence; whoever reads it later gets only what they may see."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.principal import Actor, Caller
from casewright.contracts.run import RunReport
from casewright.drafts.withholding import WITHHELD
from tests.integration.graphs import reviews
from tests.support.api import Api, serving
from tests.support.installation import POLICIES, SEALED_CASE, World

OF_SEALED = "The evidence of 2026-07-10 supports the customer."

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def reviewed_by_selma(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunReport]:
    """A review of the case with sealed evidence, begun by somebody who sees it."""
    folder = reviews.copied(installation, tmp_path_factory.mktemp("sealed") / "home")

    async def review() -> RunReport:
        async with reviews.opened(folder) as world:
            return await world.runner.start(world.person("selma"), SEALED_CASE)

    return folder, asyncio.run(review())


@pytest.fixture
async def api(reviewed_by_selma: tuple[Path, RunReport], tmp_path: Path) -> AsyncGenerator[Api]:
    world = World(reviews.copied(reviewed_by_selma[0], tmp_path / "home"), POLICIES)
    try:
        async with serving(world) as api:
            yield api
    finally:
        await world.services.close()


async def edited(api: Api, report: RunReport) -> None:
    """A next version of the draft, with a sentence on the sealed evidence."""
    services = api.world.services
    stored = await services.drafts.get("harborline", report.draft_id)
    first = stored.recommendation.summary[0]
    finding = first.model_validate(
        {
            "claim": OF_SEALED,
            "citations": (),
            "facts": ({"path": "evidence/e4/received_on", "value": "2026-07-10"},),
        }
    )
    selma = Caller(
        principal=services.identities.find("selma"),
        actor=Actor(kind="user", run_id="session-1", case_id=SEALED_CASE),
        audience="casewright:drafting",
        scopes=("*",),
        token_id="",
        expires_at=0,
    )
    changed = stored.recommendation.model_copy(update={"summary": (*stored.recommendation.summary, finding)})
    await services.drafts.save(changed, caller=selma, draft_id=report.draft_id)


@pytest.mark.proves("B5", "B2")
async def test_a_sentence_on_sealed_evidence_is_read_only_by_who_sees_it(
    api: Api, reviewed_by_selma: tuple[Path, RunReport]
) -> None:
    report = reviewed_by_selma[1]
    await edited(api, report)
    draft = f"/v1/drafts/{report.draft_id}"
    for path in (draft, f"{draft}/versions/2", f"{draft}/diff?from_version=1&to_version=2"):
        assert OF_SEALED in (await api.get(path, by="selma")).text
        for name in ("rosa", "avery"):
            answer = await api.get(path, by=name)
            assert answer.status_code == 200
            assert OF_SEALED not in answer.text
            assert WITHHELD in answer.text


@pytest.mark.proves("B5")
async def test_a_report_says_its_reason_only_to_who_sees_all_that_it_stands_on(
    api: Api, reviewed_by_selma: tuple[Path, RunReport]
) -> None:
    def reason(of: Any) -> str:
        return str(of.json()["report"]["recommendation"]["action"]["reason"])

    path = f"/v1/runs/{reviewed_by_selma[1].run_id}"
    for name, whole in (("selma", True), ("idris", True), ("rosa", False), ("avery", False)):
        answer = await api.get(path, by=name)
        assert (reason(answer) != WITHHELD) is whole, name
