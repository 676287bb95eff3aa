"""The gateway with scripted providers: order, degradation, retries, records."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.config import Settings, app_root
from casewright.errors import InputError, ModelError
from casewright.models.accounting import Attempt, CallRecord, MemoryRecorder, usage_by
from casewright.models.anthropic import AnthropicProvider
from casewright.models.assembly import from_settings
from casewright.models.attempts import AttemptLog
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext, CallNotes
from casewright.models.offline import OfflineProvider
from casewright.models.permission import ModelPermission
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider, Usage
from casewright.models.retry import Deadline, RetryPolicy, Trying
from casewright.models.selection import SelectInput
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.model_layers import NO_LAYERS
from tests.support.model_permission import OnlyModels, offline_only
from tests.support.model_requests import VALUE, model_request
from tests.support.scripted_provider import BUSY, FINAL, GOOD, REMOTE, ScriptedProvider, SilentProvider, no_pause

PROMPTS = app_root() / "agents" / "prompts"
CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant="t-1", agent="a")


def gateway(
    *providers: Provider, recorder: MemoryRecorder | None = None, permission: ModelPermission | None = None
) -> Gateway:
    retry = RetryPolicy(pause=no_pause, jitter=lambda: 0.0)
    asked = permission or OnlyModels("scripted/m-1", "offline/extractive")
    return Gateway(
        providers, PromptLibrary(PROMPTS), recorder or MemoryRecorder(), permission=asked, conduct=Conduct(retry=retry)
    )


@pytest.mark.proves("F1", "F5")
async def test_a_record_names_task_prompt_model_and_cost_and_holds_no_text() -> None:
    result = await gateway(ScriptedProvider(GOOD)).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    prompt = PromptLibrary(PROMPTS).for_task(RESEARCH_SELECT)
    assert result.record.attempts[0].duration_ms <= result.record.duration_ms
    attempt = result.record.attempts[0].model_copy(update={"duration_ms": 0})
    timeless = {"duration_ms": 0, "call_id": "", "attempts": (attempt,)}
    assert result.record.model_copy(update=timeless) == CallRecord(
        task="research.select",
        task_version=1,
        risk="medium",
        prompt_id="research.select",
        prompt_version=1,
        prompt_hash=prompt.sha256,
        repair_prompt_hash="",
        provider="scripted",
        model="m-1",
        request_ids=("req",),
        input_tokens=10,
        output_tokens=2,
        cache_read_tokens=0,
        cache_write_tokens=0,
        duration_ms=0,
        calls=1,
        repairs=0,
        degraded=False,
        outcome="answered",
        reason="",
        run_id="run-1",
        case_id="c-1",
        tenant="t-1",
        agent="a",
        attempts=(
            Attempt(
                provider="scripted",
                model="m-1",
                outcome="answered",
                request_id="req",
                input_tokens=10,
                output_tokens=2,
            ),
        ),
        cost_micro=300,  # by the dearest line: nobody has a price for m-1
        currency="USD",
    )
    assert "Credit is due" not in result.record.model_dump_json()


@pytest.mark.proves("F2", "F4")
async def test_the_offline_provider_is_not_asked_when_the_task_may_not_degrade_but_the_tiers_next_model_is() -> None:
    task = replace(RESEARCH_SELECT, may_degrade=False)
    second = ScriptedProvider(FINAL)
    with pytest.raises(ModelError, match="the model refused"):
        await gateway(ScriptedProvider(FINAL), second, OfflineProvider()).run(task, VALUE, context=CONTEXT)
    assert second.spent


@pytest.mark.proves("F2", "F5")
async def test_the_next_provider_answers_and_all_tokens_are_counted() -> None:
    recorder = MemoryRecorder()
    first, second = ScriptedProvider(BUSY, BUSY, FINAL), ScriptedProvider(GOOD)
    result = await gateway(first, second, recorder=recorder).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert first.spent and second.spent
    assert (result.record.degraded, result.record.reason) == (True, "scripted: the model refused")
    assert (result.record.calls, result.record.input_tokens) == (4, 15)
    assert usage_by("run_id", recorder.records) == {"run-1": Usage(input_tokens=15, output_tokens=2)}


async def test_no_provider_left_is_a_model_error_that_names_every_reason() -> None:
    recorder = MemoryRecorder()
    with pytest.raises(ModelError, match=r"'research\.select'.*refused; scripted: HTTP 529; gave up after 3"):
        await gateway(ScriptedProvider(FINAL), ScriptedProvider(BUSY, BUSY, BUSY), recorder=recorder).run(
            RESEARCH_SELECT, VALUE, context=CONTEXT
        )
    assert [record.outcome for record in recorder.records] == ["failed"]


@pytest.mark.proves("F3")
async def test_a_fenced_document_is_read() -> None:
    fenced = replace(GOOD, text=f"```json\n{GOOD.text}\n```")
    result = await gateway(ScriptedProvider(fenced)).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert result.output.clause_ids == ("x",)


@pytest.mark.proves("F3")
async def test_a_provider_without_structured_output_is_shown_the_schema() -> None:
    provider = ScriptedProvider(GOOD, capabilities=replace(REMOTE, structured_output=False))
    await gateway(provider).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert '"clause_ids"' in provider.requests[0].system


@pytest.mark.proves("F1")
async def test_an_input_beyond_the_tasks_size_is_not_sent_out() -> None:
    provider = ScriptedProvider()
    short = replace(RESEARCH_SELECT, max_input_characters=100)
    result = await gateway(provider, OfflineProvider()).run(short, VALUE, context=CONTEXT)
    assert provider.requests == [] and result.record.provider == "offline"
    assert "longer than 100 characters" in result.record.reason


@pytest.mark.proves("F1")
async def test_a_task_that_is_not_listed_is_asked_of_nobody() -> None:
    provider = ScriptedProvider()
    with pytest.raises(InputError, match=r"no model task 'case\.decide'; there are: answer\.question"):
        await gateway(provider).run(replace(RESEARCH_SELECT, name="case.decide"), VALUE, context=CONTEXT)
    assert provider.requests == []


async def test_an_input_of_another_task_or_an_unchecked_one_is_refused() -> None:
    unchecked = SelectInput.model_construct(topic="x", clauses="none")
    with pytest.raises(InputError, match="clauses"):
        await gateway(OfflineProvider()).run(RESEARCH_SELECT, unchecked, context=CONTEXT)
    with pytest.raises(InputError, match="takes SelectInput"):
        await gateway(OfflineProvider()).run(RESEARCH_SELECT, GOOD, context=CONTEXT)  # pyright: ignore[reportArgumentType]


@pytest.mark.proves("F1")
async def test_a_silent_provider_is_given_up_at_the_tasks_deadline() -> None:
    provider = SilentProvider(name="scripted")
    for seconds in (0.05, 0.5, 5.0):  # of a machine that stalls, the first ones are over before anybody is asked
        hurried = replace(RESEARCH_SELECT, timeout_seconds=seconds)
        async with asyncio.timeout(20):
            result = await gateway(provider, OfflineProvider()).run(hurried, VALUE, context=CONTEXT)
        assert result.record.degraded
        if provider.requests:
            break
    assert len(provider.requests) == 1


async def test_an_unkept_record_ends_the_call() -> None:
    class FullRecorder:
        async def record(self, record: CallRecord, notes: CallNotes) -> CallRecord:
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        await Gateway([OfflineProvider()], PromptLibrary(PROMPTS), FullRecorder(), permission=offline_only()).run(
            RESEARCH_SELECT, VALUE, context=CONTEXT
        )


@pytest.mark.proves("F5")
async def test_a_call_that_ends_as_nobody_foresaw_is_recorded_without_a_word_of_why() -> None:
    class Faulty(ScriptedProvider):
        async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
            raise KeyError("4111 1111 1111 1111")

    recorder = MemoryRecorder()
    with pytest.raises(KeyError):
        await gateway(Faulty(), recorder=recorder).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    [record] = recorder.records
    assert (record.outcome, record.calls, record.reason) == ("failed", 1, "it ended with KeyError")


async def test_closing_the_gateway_closes_its_providers() -> None:
    providers: Sequence[ScriptedProvider] = (ScriptedProvider(), ScriptedProvider())
    async with gateway(*providers):
        pass
    assert all(provider.closed for provider in providers)


def test_a_gateway_without_providers_or_prompts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no provider"):
        Gateway([], PromptLibrary(PROMPTS), MemoryRecorder(), permission=offline_only())
    with pytest.raises(InputError, match=r"intake\.md"):
        Gateway([OfflineProvider()], PromptLibrary(tmp_path), MemoryRecorder(), permission=offline_only())


@pytest.mark.proves("F2")
async def test_without_a_key_the_offline_provider_answers_undegraded(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, policies=tmp_path)
    async with from_settings(settings, PROMPTS, MemoryRecorder(), offline_only(), NO_LAYERS) as made:
        result = await made.run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert (result.record.model, result.record.degraded) == ("offline/extractive", False)


@pytest.mark.proves("F2")
async def test_with_a_key_that_cannot_be_used_the_offline_provider_answers_degraded(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        policies=tmp_path,
        anthropic_api_key="not-a-key",
        anthropic_base_url="http://127.0.0.1:1",
        model_timeout_seconds=5.0,
    )
    async with from_settings(
        settings,
        PROMPTS,
        MemoryRecorder(),
        OnlyModels(f"anthropic/{settings.anthropic_model}", "offline/extractive"),
        NO_LAYERS,
    ) as made:
        result = await made.run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert (result.record.provider, result.record.degraded) == ("offline", True)
    assert "not-a-key" not in repr(AnthropicProvider(api_key="not-a-key", model="m"))


@given(st.integers(1, 8), st.floats(0, 1), st.none() | st.floats(0, 100))
def test_a_wait_is_never_shorter_than_asked_for_nor_longer_than_needed(
    attempt: int, jitter: float, asked: float | None
) -> None:
    policy = RetryPolicy(jitter=lambda: jitter)
    wait = policy.wait_seconds(attempt, NoReply(reason="", retryable=True, retry_after_seconds=asked))
    assert (asked or 0.0) <= wait <= max(asked or 0.0, policy.cap_seconds)


async def test_nothing_is_asked_once_the_time_is_spent() -> None:
    provider = ScriptedProvider()
    log = AttemptLog()
    trying = Trying(policy=RetryPolicy(), deadline=Deadline.after(-1.0), place=asyncio.Semaphore(1), log=log)
    outcome = await trying.complete(provider, model_request())
    assert isinstance(outcome, NoReply) and outcome.calls == 0
    assert provider.requests == [] and log.attempts == ()
