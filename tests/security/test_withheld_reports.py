"""A review that a supervisor began knows sealed evidence; whoever reads it later gets only what they may see."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.principal import Actor, Caller
from casewright.contracts.run import RunReport
from casewright.drafts.withholding import WITHHELD
from servers.readable import READ, permit_on_run
from servers.shown import shown_report
from tests.integration.graphs import reviews
from tests.support.api import Api, serving
from tests.support.installation import POLICIES, SEALED_CASE, Bearer, World

OF_SEALED = "The evidence of 2026-07-10 supports the customer."

OF_E4 = "The statement of evidence item e4 holds no clause."
SUSPICION = {"path": "evidence/e4/text", "reason": "addresses_a_model"}

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


@pytest.mark.proves("B5", "B2")
async def test_explanation_and_events_say_no_more_than_the_report(
    api: Api, reviewed_by_selma: tuple[Path, RunReport]
) -> None:
    run_id = reviewed_by_selma[1].run_id
    for event in ("suspected", "drafted"):
        problems = {"draft_id": "", "problems": [OF_E4]} if event == "drafted" else {"suspicions": [SUSPICION]}
        async with api.world.services.database.write() as connection:
            await api.parts.records.note(run_id, event, problems, connection=connection)
    told = {
        name: [(await api.get(f"/v1/runs/{run_id}/{part}", by=name)).text for part in ("explanation", "events")]
        for name in ("selma", "rosa", "avery")
    }
    assert reviewed_by_selma[1].recommendation is not None
    reason = reviewed_by_selma[1].recommendation.action.reason
    for text in told["selma"]:
        assert reason in text and OF_E4 in text and SUSPICION["path"] in text
    for text in (*told["rosa"], *told["avery"]):
        assert WITHHELD in text
        assert reason not in text and OF_E4 not in text and SUSPICION["path"] not in text


@pytest.mark.proves("B5", "I5")
async def test_the_explanation_over_mcp_withholds_like_the_report(
    api: Api, reviewed_by_selma: tuple[Path, RunReport]
) -> None:
    report = reviewed_by_selma[1]
    assert report.recommendation is not None
    reason = report.recommendation.action.reason
    for name, whole in (("selma", True), ("rosa", False), ("avery", False)):
        async with api.world.client("review", Bearer(identity=name, case_id="")) as client:
            called = await client.call_tool("explain_review", {"run_id": report.run_id})
            read = await client.read_resource(f"run://{report.run_id}/explain")
            for answer in (called, read):
                assert (reason in answer.model_dump_json()) is whole, name


@pytest.mark.proves("B5")
async def test_reasons_and_deadlines_that_stand_on_sealed_evidence_are_withheld(
    api: Api, reviewed_by_selma: tuple[Path, RunReport]
) -> None:
    services, report = api.world.services, reviewed_by_selma[1]
    moved = report.deadlines[0].model_copy(update={"due_on": report.deadlines[0].due_on + dt.timedelta(days=1)})
    changed = report.model_copy(update={"because": OF_E4, "deadlines": (moved, *report.deadlines[1:])})
    row = await api.parts.records.get("harborline", report.run_id)
    seen: dict[str, RunReport] = {}
    for name in ("selma", "rosa"):
        permission = await permit_on_run(services, services.identities.find(name), row, READ, session="session-1")
        assert permission is not None
        seen[name] = await shown_report(services, changed, permission, own=False)
    assert (seen["selma"].because, seen["selma"].deadlines) == (OF_E4, changed.deadlines)
    assert (seen["rosa"].because, seen["rosa"].deadlines) == (WITHHELD, report.deadlines[1:])
