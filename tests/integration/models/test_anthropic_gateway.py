"""The gateway over the real SDK and real HTTP, against a scripted Messages server; its faults: `test_fault_matrix`."""

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from casewright.config import app_root
from casewright.errors import ModelError
from casewright.models.accounting import MemoryRecorder
from casewright.models.anthropic import AnthropicProvider
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from casewright.models.retry import RetryPolicy
from casewright.models.selection import CandidateClause, SelectInput
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.anthropic_messages import MODEL, empty_message, error, message, tool_message
from tests.support.anthropic_server import API_KEY, MessagesServer, Step, messages_server
from tests.support.model_permission import OnlyModels

importlib.import_module("anthropic")
"""Beforehand: the import takes longer than the shortest time limit here."""
CONTEXT = CallContext(run_id="run-1", case_id="HL-1", tenant="harborline", agent="policy_researcher")
CLAUSES = (
    CandidateClause(clause_id="hl-a@1#1.1", label="1.1", lead_in="", text="The bank must answer.", score=0.5),
    CandidateClause(clause_id="hl-a@1#1.2", label="1.2", lead_in="", text="Weather is not covered.", score=0.1),
)
QUESTION = SelectInput(topic="when must the bank answer", clauses=CLAUSES)
GOOD = {"clause_ids": ["hl-a@1#1.1"], "why": "It says so."}
STRICT = replace(RESEARCH_SELECT, may_degrade=False)


@dataclass
class Bench:
    gateway: Gateway
    server: MessagesServer
    recorder: MemoryRecorder
    pauses: list[float] = field(default_factory=list[float])


@asynccontextmanager
async def bench(*script: Step, call_timeout_seconds: float = 10.0) -> AsyncGenerator[Bench]:
    recorder, pauses = MemoryRecorder(), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with messages_server(*script) as server:
        provider = AnthropicProvider(api_key=API_KEY, model=MODEL, base_url=server.base_url)
        async with Gateway(
            [provider, OfflineProvider()],
            PromptLibrary(app_root() / "agents" / "prompts"),
            recorder,
            permission=OnlyModels(f"anthropic/{MODEL}", "offline/extractive"),
            conduct=Conduct(retry=RetryPolicy(pause=pause, jitter=lambda: 1.0), call_seconds=call_timeout_seconds),
        ) as gateway:
            yield Bench(gateway, server, recorder, pauses)


@pytest.mark.proves("F2", "F3", "F5")
async def test_a_valid_reply_is_returned_with_its_tokens_model_and_request_id() -> None:
    reply = message(GOOD, cache_read_input_tokens=7, cache_creation_input_tokens=3)
    async with bench(Step(body=reply)) as it:
        result = await it.gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)
    record = result.record
    assert result.output.clause_ids == ("hl-a@1#1.1",)
    assert (record.input_tokens, record.output_tokens, record.cache_read_tokens, record.cache_write_tokens) == (
        100,
        20,
        7,
        3,
    )
    assert (record.provider, record.model, record.request_ids) == ("anthropic", MODEL, ("req_1",))
    assert (record.calls, record.repairs, record.degraded, record.outcome) == (1, 0, False, "answered")
    assert it.recorder.records == (record,)


@pytest.mark.proves("F1", "F3")
async def test_the_request_carries_instructions_apart_from_evidence_and_a_closed_schema() -> None:
    async with bench(Step(body=message(GOOD))) as it:
        await it.gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)
    sent = it.server.requests[0]
    schema = sent["output_config"]["format"]["schema"]
    assert sent["model"] == MODEL and sent["max_tokens"] == RESEARCH_SELECT.max_output_tokens
    assert schema["additionalProperties"] is False and set(schema["required"]) == {"clause_ids", "why"}
    assert "The bank must answer." not in sent["system"][0]["text"]
    assert "The bank must answer." in sent["messages"][0]["content"]
    assert "HL-1" not in json.dumps(sent) and "harborline" not in json.dumps(sent)


@pytest.mark.proves("F3")
async def test_an_invalid_answer_is_repaired_with_the_exact_problem() -> None:
    wrong = {"clause_ids": ["hl-a@1#9.9"], "why": "Invented."}
    async with bench(Step(body=message(wrong)), Step(body=message(GOOD))) as it:
        result = await it.gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)
    turns = it.server.requests[1]["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert "'hl-a@1#9.9' is not among the clauses given" in turns[2]["content"]
    assert (result.record.repairs, result.record.calls, result.record.input_tokens) == (1, 2, 200)
    assert result.record.repair_prompt_hash and not result.record.degraded


@pytest.mark.proves("F3")
@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (message('{"clause_ids": ["hl-a@1#1.1"'), "Invalid JSON"),
        (message({"clause_ids": []}), "why: Field required"),
        (message({**GOOD, "extra": 1}), "extra: Extra inputs are not permitted"),
        (message("Sure! Here is the answer."), "Invalid JSON"),
        (message(GOOD, stop_reason="max_tokens"), "cut off"),
        (empty_message(), "the answer was empty"),
    ],
    ids=["truncated-json", "missing-field", "extra-field", "prose", "max-tokens", "empty-content"],
)
async def test_a_broken_answer_is_told_what_is_wrong_and_mended(bad: dict[str, Any], told: str) -> None:
    async with bench(Step(body=bad), Step(body=message(GOOD))) as it:
        result = await it.gateway.run(STRICT, QUESTION, context=CONTEXT)
    last = it.server.requests[1]["messages"][-1]
    assert last["role"] == "user" and told in last["content"]
    assert all(turn["content"] for turn in it.server.requests[1]["messages"])
    assert result.record.repairs == 1


@pytest.mark.proves("F3")
async def test_three_invalid_answers_end_in_a_model_error_and_a_record() -> None:
    wrong = Step(body=message({"clause_ids": ["no"], "why": ""}))
    async with bench(wrong, wrong, wrong) as it:
        with pytest.raises(ModelError, match=r"research\.select.*not valid after 2 corrections"):
            await it.gateway.run(STRICT, QUESTION, context=CONTEXT)
    (record,) = it.recorder.records
    assert (record.outcome, record.provider, record.calls, record.repairs) == ("failed", "", 3, 2)
    assert record.input_tokens == 300


@pytest.mark.proves("F2")
async def test_a_refusal_is_final_and_its_tokens_are_counted() -> None:
    async with bench(Step(body=message("", stop_reason="refusal"))) as it:
        result = await it.gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)
    assert result.record.degraded and result.record.reason == "anthropic: the model refused"
    assert result.record.input_tokens == 100


@pytest.mark.proves("F4")
@pytest.mark.parametrize("status", [408, 503])
async def test_a_passing_fault_is_retried_three_times_and_no_more(status: int) -> None:
    fault = Step(status=status, body=error("overloaded_error"))
    async with bench(fault, fault, fault) as it:
        with pytest.raises(ModelError, match=f"HTTP {status} overloaded_error; gave up after 3 attempts"):
            await it.gateway.run(STRICT, QUESTION, context=CONTEXT)
    assert it.pauses == [0.5, 1.0]


@pytest.mark.proves("F4")
async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    limited = Step(status=429, body=error("rate_limit_error"), headers={"retry-after": "900"})
    async with bench(limited) as it:
        with pytest.raises(ModelError, match="no time is left to wait"):
            await it.gateway.run(STRICT, QUESTION, context=CONTEXT)
    assert it.pauses == []


@pytest.mark.proves("F4")
@pytest.mark.parametrize("header", ["Wed, 21 Oct 2026 07:28:00 GMT", "-5", "soon", "nan"])
async def test_a_retry_after_that_is_no_number_of_seconds_falls_back_to_our_own_wait(header: str) -> None:
    limited = Step(status=429, body=error("rate_limit_error"), headers={"retry-after": header})
    async with bench(limited, Step(body=message(GOOD))) as it:
        await it.gateway.run(STRICT, QUESTION, context=CONTEXT)
    assert it.pauses == [0.5]


@pytest.mark.proves("F4")
@pytest.mark.parametrize(("status", "kind"), [(400, "invalid_request_error"), (401, "authentication_error")])
async def test_our_own_fault_is_not_retried_and_the_services_words_are_not_passed_on(status: int, kind: str) -> None:
    fault = Step(status=status, body=error(kind, "the narrative said SECRET-CANARY"))
    async with bench(fault) as it:
        with pytest.raises(ModelError, match=f"HTTP {status} {kind}") as caught:
            await it.gateway.run(STRICT, QUESTION, context=CONTEXT)
    assert "CANARY" not in str(caught.value) and "CANARY" not in it.recorder.records[0].model_dump_json()


@pytest.mark.proves("F2")
async def test_a_service_that_is_not_there_degrades_to_the_offline_provider() -> None:
    async with bench() as it:
        pass
    provider = AnthropicProvider(api_key=API_KEY, model=MODEL, base_url=it.server.base_url)
    retry = RetryPolicy(attempts=1)
    library = PromptLibrary(app_root() / "agents" / "prompts")
    async with Gateway(
        [provider, OfflineProvider()],
        library,
        MemoryRecorder(),
        permission=OnlyModels(f"anthropic/{MODEL}", "offline/extractive"),
        conduct=Conduct(retry=retry),
    ) as gateway:
        result = await gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)
    assert result.record.degraded and "cannot be reached" in result.record.reason


@pytest.mark.proves("F3")
async def test_an_endpoint_without_structured_output_is_asked_through_a_forced_tool() -> None:
    unknown = Step(status=400, body=error("invalid_request_error", "output_config: Extra inputs are not permitted"))
    async with bench(unknown, Step(body=tool_message(GOOD)), Step(body=tool_message(GOOD))) as it:
        first = await it.gateway.run(STRICT, QUESTION, context=CONTEXT)
        second = await it.gateway.run(STRICT, QUESTION, context=CONTEXT)
    assert "output_config" not in it.server.requests[1]
    assert it.server.requests[1]["tool_choice"] == {"type": "tool", "name": "answer"}
    assert it.server.requests[1]["tools"][0]["input_schema"]["additionalProperties"] is False
    assert first.output == second.output
    assert (first.record.calls, second.record.calls) == (2, 1)


@pytest.mark.proves("F3")
@pytest.mark.parametrize(
    "step",
    [
        Step(body=b"{", headers={"content-type": "application/json"}),
        Step(body={}),
        Step(body={"type": "message", "content": None, "usage": None}),
        Step(body=[1, 2]),
    ],
    ids=["broken-json", "empty-object", "nulls", "array"],
)
async def test_a_success_that_is_no_message_is_a_failure_and_not_a_crash(step: Step) -> None:
    async with bench(step) as it:
        result = await it.gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)
    assert result.record.degraded and result.record.provider == "offline"


@pytest.mark.proves("F3")
async def test_concurrent_runs_share_one_client_and_keep_their_records_apart() -> None:
    async with bench(*[Step(body=message(GOOD))] * 8) as it:
        runs = (it.gateway.run(STRICT, QUESTION, context=replace(CONTEXT, run_id=f"run-{n}")) for n in range(8))
        results = await asyncio.gather(*runs)
    assert {result.record.run_id for result in results} == {f"run-{n}" for n in range(8)}
    assert all(result.record.calls == 1 for result in results)


@pytest.mark.proves("F5")
@pytest.mark.parametrize(
    ("odd", "reason", "cost"),
    [
        ({"usage": {"input_tokens": -100_000, "output_tokens": -5}}, "", 0),
        ({"model": "Dear reader"}, "anthropic: the model 'anthropic/Dear reader'", None),
        ({"model": "half\ud800"}, "anthropic: the reply names no model", None),
        ({"model": "A" * 5_000}, "anthropic: the reply names no model", None),
        ({"id": "half\ud800"}, "", None),
    ],
)
async def test_what_a_service_says_of_itself_neither_lowers_the_cost_nor_breaks_the_record(
    odd: dict[str, Any], reason: str, cost: int | None
) -> None:
    async with bench(Step(body=message(GOOD) | odd)) as made:
        result = await made.gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)
    assert result.record.reason.startswith(reason)
    assert (result.record.cost_micro > 0) if cost is None else (result.record.cost_micro == cost)


@asynccontextmanager
async def elsewhere() -> AsyncGenerator[tuple[str, list[bytes]]]:
    """An address that nobody decided on, and what it was sent."""
    sent: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.append(await asyncio.wait_for(reader.read(4_000), 5))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", sent


@pytest.mark.proves("F7")
async def test_a_service_that_points_elsewhere_is_not_followed() -> None:
    async with elsewhere() as (address, sent):
        moved = Step(status=307, body={}, headers={"location": f"{address}/v1/messages"})
        async with bench(moved) as made:
            result = await made.gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)
    assert sent == []
    assert result.record.reason == "anthropic: HTTP 307"


@pytest.mark.proves("F7")
async def test_what_is_for_this_machine_does_not_go_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with elsewhere() as (address, sent):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, address)
        async with bench(Step(body=message(GOOD))) as made:
            result = await made.gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)
    assert sent == []
    assert result.record.provider == "anthropic"


async def test_an_unexpected_request_fails_the_script() -> None:
    with pytest.raises(AssertionError, match="one request more"):
        async with bench() as it:
            await it.gateway.run(RESEARCH_SELECT, QUESTION, context=CONTEXT)


async def test_an_unused_step_fails_the_script() -> None:
    with pytest.raises(AssertionError, match="1 steps were not used"):
        async with bench(Step(body=message(GOOD))):
            pass
