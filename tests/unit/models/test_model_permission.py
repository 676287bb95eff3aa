"""A model is asked only with permission, request by request; what is refused is recorded and never retried."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.errors import DeniedError, ModelError, StorageError
from casewright.models.accounting import MemoryRecorder
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.permission import full_name
from casewright.models.provider import ModelReply, Usage
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.model_permission import OnlyModels
from tests.unit.models.test_gateway import BUSY, CONTEXT, FINAL, GOOD, VALUE, ScriptedProvider, gateway


class Until:
    """Permits a number of requests and refuses the next ones, as a switch thrown meanwhile does."""

    def __init__(self, requests: int, error: Exception) -> None:
        self._left = requests
        self._error = error

    async def check(self, context: CallContext, model: str) -> None:
        if self._left == 0:
            raise self._error
        self._left -= 1


OFF = DeniedError("the model 'scripted/m-1' is switched off", code="switched_off")


@pytest.mark.proves("D6", "F2")
async def test_a_refused_model_is_not_asked_and_the_next_provider_answers() -> None:
    first = ScriptedProvider()
    result = await gateway(first, OfflineProvider(), permission=OnlyModels("offline/extractive")).run(
        RESEARCH_SELECT, VALUE, context=CONTEXT
    )
    assert first.requests == []
    assert (result.record.model, result.record.degraded, result.record.calls) == ("offline/extractive", True, 1)
    assert result.record.reason == "scripted: the model 'scripted/m-1' is switched off"


@pytest.mark.proves("D6")
async def test_every_model_refused_is_a_denial_with_its_record() -> None:
    recorder, permission = MemoryRecorder(), OnlyModels()
    with pytest.raises(DeniedError, match="'scripted/m-1' is switched off; the model 'offline/extractive'") as caught:
        await gateway(ScriptedProvider(), OfflineProvider(), recorder=recorder, permission=permission).run(
            RESEARCH_SELECT, VALUE, context=CONTEXT
        )
    assert caught.value.code == "switched_off"
    (record,) = recorder.records
    assert (record.outcome, record.calls, record.provider) == ("failed", 0, "")
    assert "'offline/extractive' is switched off" in record.reason
    assert permission.asked == [("t-1", "scripted/m-1"), ("t-1", "offline/extractive")]


@pytest.mark.proves("D6")
async def test_a_task_that_may_not_degrade_does_not_go_around_a_switch() -> None:
    second = ScriptedProvider()
    with pytest.raises(DeniedError):
        await gateway(ScriptedProvider(), second, permission=OnlyModels()).run(
            replace(RESEARCH_SELECT, may_degrade=False), VALUE, context=CONTEXT
        )
    assert second.requests == []


@pytest.mark.proves("D6")
@pytest.mark.parametrize("first", [BUSY, replace(GOOD, text="not an answer")], ids=["a retry", "a correction"])
async def test_permission_is_asked_again_before_a_retry_and_a_correction(first: ModelReply) -> None:
    provider, recorder = ScriptedProvider(first), MemoryRecorder()
    with pytest.raises(DeniedError):
        await gateway(provider, recorder=recorder, permission=Until(1, OFF)).run(
            RESEARCH_SELECT, VALUE, context=CONTEXT
        )
    assert provider.spent and len(provider.requests) == 1
    assert recorder.records[0].calls == 1


@pytest.mark.proves("D6")
async def test_a_reply_of_a_switched_off_model_under_a_more_exact_name_is_thrown_away_and_counted() -> None:
    exact = ModelReply(text=GOOD.text, model="m-1-2026", usage=Usage(input_tokens=7), request_id="r")
    recorder = MemoryRecorder()
    with pytest.raises(DeniedError, match="m-1-2026"):
        await gateway(ScriptedProvider(exact), recorder=recorder).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert (recorder.records[0].calls, recorder.records[0].input_tokens) == (1, 7)


@pytest.mark.proves("D6", "D4")
async def test_switches_that_cannot_be_read_end_the_call_without_asking_any_model() -> None:
    first, second, recorder = ScriptedProvider(), ScriptedProvider(), MemoryRecorder()
    with pytest.raises(StorageError, match="cannot be read"):
        await gateway(first, second, recorder=recorder, permission=Until(0, StorageError("cannot be read"))).run(
            RESEARCH_SELECT, VALUE, context=CONTEXT
        )
    assert first.requests == second.requests == []
    assert recorder.records[0].outcome == "failed"


async def test_one_provider_off_and_one_failing_is_a_model_error_that_names_both() -> None:
    failing = ScriptedProvider(FINAL)
    with pytest.raises(ModelError, match=r"is switched off.*; scripted: the model refused"):
        await gateway(OfflineProvider(), failing, permission=OnlyModels("scripted/m-1")).run(
            RESEARCH_SELECT, VALUE, context=CONTEXT
        )


@given(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.from_regex(r"[a-z/]{1,12}", fullmatch=True))
def test_a_full_name_begins_with_its_provider_once_however_often_it_is_made(provider: str, model: str) -> None:
    name = full_name(provider, model)
    assert name == provider or name.startswith(f"{provider}/")
    assert full_name(provider, name) == name and name.endswith(model)
