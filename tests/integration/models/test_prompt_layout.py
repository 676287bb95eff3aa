"""How requests are laid out for the service's prompt cache, and what it counts: over the real SDK and real HTTP."""

import asyncio
import json
from typing import Any

import pytest

from casewright.config import app_root
from casewright.contracts.case import Classification
from casewright.models.accounting import MemoryRecorder
from casewright.models.anthropic import AnthropicProvider
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import CountsTokens, ModelRequest, Turn
from casewright.models.retry import RetryPolicy
from casewright.models.selection import CandidateClause, SelectInput, SelectOutput
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.anthropic_messages import MODEL, error, message, tool_message
from tests.support.anthropic_server import API_KEY, CHARACTERS_A_TOKEN, Step, messages_server
from tests.support.model_permission import OnlyModels

PROMPTS = PromptLibrary(app_root() / "agents" / "prompts")
CONTEXT = CallContext(run_id="run-1", case_id="", tenant="harborline", agent="policy_researcher")
GOOD = {"clause_ids": ["hl-a@1#1.1"], "why": "It says so."}
BAD = {"clause_ids": ["no"], "why": ""}
UNKNOWN = Step(status=400, body=error("invalid_request_error", "output_config: Extra inputs are not permitted"))
VARIABLE = ("messages", "stream", "max_tokens")
"""Parts of a body that stand behind the cached prefix, or are no part of the prompt."""


def question(topic: str, text: str) -> SelectInput:
    clause = CandidateClause(clause_id="hl-a@1#1.1", label="1.1", lead_in="", text=text, score=0.5)
    return SelectInput(topic=topic, clauses=(clause,))


async def sent(*script: Step) -> list[dict[str, Any]]:
    """The bodies that two different calls of one task send, over the steps of a script."""

    async def pause(_: float) -> None:
        return None

    async with messages_server(*script) as server:
        provider = AnthropicProvider(api_key=API_KEY, model=MODEL, base_url=server.base_url)
        permission = OnlyModels(f"anthropic/{MODEL}")
        conduct = Conduct(retry=RetryPolicy(pause=pause))
        async with Gateway([provider], PROMPTS, MemoryRecorder(), permission=permission, conduct=conduct) as gateway:
            for value in (question("when to answer", "Within ten days."), question("who pays", "The bank pays.")):
                await gateway.run(RESEARCH_SELECT, value, context=CONTEXT)
    return server.requests


def prefix(body: dict[str, Any]) -> bytes:
    """What stands before the turns, byte for byte."""
    return json.dumps({name: part for name, part in body.items() if name not in VARIABLE}).encode()


def marks(part: object) -> int:
    """How many marks for the cache a part of a body holds."""
    return json.dumps(part).count('"cache_control"')


@pytest.mark.proves("F6")
@pytest.mark.parametrize(
    "script",
    [
        (Step(body=message(GOOD)), Step(body=message(GOOD))),
        (Step(body=message(BAD)), Step(body=message(GOOD)), Step(body=message(GOOD))),
        (UNKNOWN, Step(body=tool_message(GOOD)), Step(body=tool_message(GOOD))),
    ],
    ids=["schema", "corrected", "tool"],
)
async def test_calls_of_one_task_begin_with_the_same_bytes_and_end_with_what_differs(script: tuple[Step, ...]) -> None:
    bodies = [body for body in await sent(*script) if ("tools" in body) == (script[0] is UNKNOWN)]
    assert len(bodies) == len(script) - (script[0] is UNKNOWN)
    assert len({prefix(body) for body in bodies}) == 1
    assert bodies[0]["messages"] != bodies[-1]["messages"]
    for body in bodies:
        assert [block.get("cache_control") for block in body["system"]] == [{"type": "ephemeral"}]
        assert marks(body) == 1, "one mark, at the end of what is the same"
        assert "Within ten days." not in prefix(body).decode()
        assert "The bank pays." not in prefix(body).decode()


def request(text: str) -> ModelRequest:
    return ModelRequest(
        task="research.select",
        task_version=1,
        risk="low",
        data_class=Classification.PUBLIC,
        personal_data=False,
        max_cost_micro=1,
        input=question("t", text),
        output=SelectOutput,
        system="Choose.",
        turns=(Turn(role="user", text=text),),
        max_output_tokens=10,
        timeout_seconds=5,
    )


@pytest.mark.proves("F5")
async def test_the_service_counts_the_tokens_of_the_whole_prompt_without_answering_it() -> None:
    async with messages_server() as server:
        provider = AnthropicProvider(api_key=API_KEY, model=MODEL, base_url=server.base_url)
        assert isinstance(provider, CountsTokens)
        assert provider.capabilities.token_counting
        short, long = await provider.count(request("x")), await provider.count(request("x" * 4_000))
        await provider.aclose()
    assert short is not None
    assert long is not None
    assert abs(long - short - 4_000 // CHARACTERS_A_TOKEN) <= 1
    assert server.requests == []
    assert all("output_config" in asked and asked["system"] for asked in server.counted)


@pytest.mark.proves("F5")
async def test_tokens_that_cannot_be_counted_are_not_guessed() -> None:
    async with messages_server() as server:
        pass
    provider = AnthropicProvider(api_key=API_KEY, model=MODEL, base_url=server.base_url)
    async with asyncio.timeout(10):
        assert await provider.count(request("x")) is None
    await provider.aclose()
