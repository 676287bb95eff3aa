"""Questions that were queued are answered by a worker: once, with verified quotes, or not at all."""

import asyncio
from pathlib import Path

import pytest

from casewright.controls.reviewed import ReviewedData
from casewright.errors import ConflictError, NotFoundError, UnavailableError
from commands.orchestrator import build_question_driver
from graphs.due import due_runs
from graphs.inquiries import Inquiries, Inquiry, inquiry_of
from graphs.lease import leased
from graphs.requests import RunRequests
from tests.integration.graphs.conftest import CREDIT_CASE
from tests.integration.graphs.reviews import World, copied, opened

pytestmark = pytest.mark.thorough
ASKED = Inquiry(question="When must a provisional credit be issued?", as_of="2026-11-06")
RUN = "ask-of-this-test"


async def queued(world: World) -> None:
    inquiries = Inquiries(world.services, world.records)
    person = world.services.identities.find("rosa")
    first = await inquiries.begin(person, ASKED, run_id=RUN)
    assert first == await inquiries.begin(person, ASKED, run_id=RUN)


async def due(world: World) -> list[str]:
    return [run.run_id for run in await due_runs(world.services.database, world.services.clock.now_ns(), limit=10)]


@pytest.mark.proves("E8", "A7")
async def test_a_queued_question_is_answered_once_and_its_answer_stays(installation: Path, tmp_path: Path) -> None:
    async with opened(copied(installation, tmp_path / "home")) as world:
        await queued(world)
        assert await due(world) == [RUN]
        driver = build_question_driver(world.services, world.gateway)
        assert (await driver.resume("harborline", RUN)).status == "completed"
        inquiry, answer = await inquiry_of(world.records, RUN)
        assert inquiry == ASKED
        assert answer is not None
        assert answer["abstained"] or all(item["verified"] for item in answer["citations"])
        assert await due(world) == []
        assert (await driver.resume("harborline", RUN)).status == "completed"
        events = await world.records.events(RUN)
        shown = [event.body["text"] for event in events if event.kind == "sentence"]
        assert [event.kind for event in events] == [
            "status",
            "asked",
            *("sentence" for _ in shown),
            "answered",
            "status",
        ]
        assert " ".join(shown) == answer["answer"]
        ended = await world.services.audit.events(tenant="harborline", run_id=RUN)
        assert [event.kind for event in ended if event.kind.startswith("run.")] == ["run.started", "run.ended"]


async def test_a_question_is_one_process_at_a_time_and_no_review(installation: Path, tmp_path: Path) -> None:
    async with opened(copied(installation, tmp_path / "home")) as world:
        await queued(world)
        settings, driver = world.services.settings, build_question_driver(world.services, world.gateway)
        async with leased(settings.checkpoints, settings.home / "locks", RUN, world.services.clock):
            with pytest.raises(ConflictError):
                await driver.resume("harborline", RUN)
        answers = await asyncio.gather(*(driver.resume("harborline", RUN) for _ in range(2)), return_exceptions=True)
        done = [found for found in answers if not isinstance(found, ConflictError)]
        assert [getattr(found, "status", found) for found in done] == ["completed"] * len(done)
        assert done
        assert len(await world.records.events(RUN, kind="answered")) == 1
        with pytest.raises(NotFoundError):
            await driver.resume("millbrook", RUN)
        requests = RunRequests(world.services, world.records, world.services.questions)
        review = await requests.start(world.services.identities.find("rosa"), CREDIT_CASE)
        with pytest.raises(NotFoundError):
            await driver.resume("harborline", review.run_id)


async def test_an_attempt_that_fails_is_made_again_later_and_not_for_ever(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_arguments: object, **_named: object) -> None:
        raise UnavailableError("the model does not answer")

    async with opened(copied(installation, tmp_path / "home")) as world:
        await queued(world)
        monkeypatch.setattr("graphs.answering.answer", away)
        driver = build_question_driver(world.services, world.gateway)
        statuses = [(await driver.resume("harborline", RUN)).status for _ in range(5)]
        assert statuses == ["queued"] * 4 + ["failed"]
        row = await world.records.get("harborline", RUN)
        assert row.status == "failed"
        assert await due(world) == []


async def test_what_is_not_permitted_any_more_is_not_tried_again(installation: Path, tmp_path: Path) -> None:
    async with opened(copied(installation, tmp_path / "home")) as world:
        await queued(world)
        await world.services.controls.set(
            "switches.models",
            "+offline/extractive",
            principal=world.services.identities.find("selma"),
            why="test",
            reviewed=ReviewedData.read(world.services.settings.policies),
        )
        driver = build_question_driver(world.services, world.gateway)
        assert (await driver.resume("harborline", RUN)).status == "failed"
        assert await due(world) == []
        (_, _, told) = await world.records.events(RUN)
        assert told.body["because"] == "it is not permitted now; the reason is in the audit"
