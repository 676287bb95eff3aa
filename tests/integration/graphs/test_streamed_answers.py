"""What somebody sees who follows a question while a model writes its answer: over the API, cut off, and failed."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from casewright.config import app_root
from casewright.models.anthropic import AnthropicProvider
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.prompts import PromptLibrary
from casewright.models.retry import RetryPolicy
from commands.orchestrator import AuditRecorder, build_permission, build_question_driver
from graphs.answering import QuestionDriver
from graphs.sentences import ASKED_AGAIN, NOT_ANSWERED
from tests.support.anthropic_messages import MODEL
from tests.support.anthropic_server import API_KEY, Answering, Step, model_server
from tests.support.api import Api, serving
from tests.support.installation import World
from tests.support.scripted_model import ScriptedModel

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]
ASKED = {
    "question": "How long may the investigation take when the transfer was made at a point of sale?",
    "as_of": "2026-03-02",
}
FABRICATED = "The bank must pay whatever is asked for at once."
STREAM = {"accept": "text/event-stream"}


@asynccontextmanager
async def driving(world: World, model: Answering, *, attempts: int = 3) -> AsyncGenerator[QuestionDriver]:
    """What answers questions with `model` and nobody else."""

    async def pause(_: float) -> None:
        return None

    services = world.services
    with model_server(model) as server:
        gateway = Gateway(
            [AnthropicProvider(api_key=API_KEY, model=MODEL, base_url=server.base_url)],
            PromptLibrary(app_root() / "agents" / "prompts"),
            AuditRecorder(services),
            permission=build_permission(services),
            conduct=Conduct(retry=RetryPolicy(attempts=attempts, pause=pause)),
        )
        async with gateway:
            yield build_question_driver(services, gateway)


async def asked(api: Api) -> str:
    answer = await api.post("/v1/questions", ASKED)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["run_id"])


async def told(api: Api, run_id: str) -> list[tuple[str, Any]]:
    """The events that a follower of a question that is over gets, beside those of its status."""
    stream = await asyncio.wait_for(api.get(f"/v1/runs/{run_id}/events", headers=STREAM), 60)
    assert FABRICATED not in stream.text
    lines = [line.removeprefix("data: ") for line in stream.text.splitlines() if line.startswith("data: ")]
    events = [json.loads(line) for line in lines]
    return [(event["kind"], event["body"]) for event in events if event.get("kind", "status") != "status"]


@pytest.mark.proves("F9", "A6", "E8")
async def test_a_follower_sees_verified_sentences_and_never_the_one_with_a_fabricated_quote(world: World) -> None:
    def second_sentence(task: str, answered: dict[str, Any]) -> dict[str, Any]:
        first = answered["sentences"][0]
        quoted = [{**first["citations"][0], "quote": FABRICATED}]
        return {**answered, "sentences": [first, {"citations": quoted, "text": FABRICATED}]}

    lies, model = ScriptedModel(second_sentence), ScriptedModel()

    def corrected(request: dict[str, Any]) -> Step:
        return (model if len(request["messages"]) > 1 else lies)(request)

    async with serving(world) as api, driving(world, corrected) as driver:
        run_id = await asked(api)
        following = asyncio.create_task(told(api, run_id))
        assert (await driver.resume("harborline", run_id)).status == "completed"
        events = await following
        answer = (await api.get(f"/v1/questions/{run_id}")).json()["answer"]
    assert (len(lies.asked), len(model.asked)) == (1, 1)
    shown = [body for kind, body in events if kind == "sentence"]
    assert [body["number"] for body in shown] == list(range(1, len(shown) + 1))
    assert all(body["citations"] and all(one["verified"] for one in body["citations"]) for body in shown)
    assert " ".join(body["text"] for body in shown) == answer["answer"]
    assert [kind for kind, _ in events] == ["asked", *("sentence" for _ in shown), "answered"]


@pytest.mark.proves("F9")
async def test_what_a_process_showed_before_it_was_cut_off_is_withdrawn_when_the_question_is_asked_again(
    world: World,
) -> None:
    async with serving(world) as api, driving(world, ScriptedModel()) as driver:
        run_id = await asked(api)
        before: dict[str, object] = {"number": 1, "text": "It was cut off after this.", "citations": []}
        await api.parts.records.step(run_id, "sentence", before)
        await driver.resume("harborline", run_id)
        events = await told(api, run_id)
    assert events[1:3] == [("sentence", before), ("withdrawn", {"first": 1, "because": ASKED_AGAIN})]
    assert events[3][1]["number"] == 1


@pytest.mark.proves("F9")
async def test_what_an_attempt_showed_that_failed_is_withdrawn_with_it(world: World) -> None:
    model = ScriptedModel()

    def dropping(request: dict[str, Any]) -> Step:
        return replace(model(request), breaks="drop")

    async with serving(world) as api, driving(world, dropping, attempts=1) as driver:
        run_id = await asked(api)
        change = await driver.resume("harborline", run_id)
        rows = await api.parts.records.events(run_id)
    assert change.status == "queued"
    kinds = [row.kind for row in rows]
    assert "sentence" in kinds
    withdrawn = rows[kinds.index("withdrawn")]
    assert withdrawn.body == {"first": 1, "because": NOT_ANSWERED}
    assert kinds.index("sentence") < kinds.index("withdrawn")
