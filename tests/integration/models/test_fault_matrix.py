"""Every fault of a model service, of replies in one piece and of streams, against the real gateway and the real SDK.

What the gateway did stands in the test report as a table (`tests.support.fault_report`).
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from casewright.config import app_root
from casewright.errors import ModelError
from casewright.models.accounting import CallRecord, MemoryRecorder
from casewright.models.anthropic import AnthropicProvider
from casewright.models.breaker import BreakerPolicy, Breakers
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
from tests.support.fault_report import ROW
from tests.support.model_permission import OnlyModels

importlib.import_module("anthropic")
"""Beforehand: the import takes longer than the shortest time limit here."""
PROMPTS = PromptLibrary(app_root() / "agents" / "prompts")
CONTEXT = CallContext(run_id="run-1", case_id="", tenant="harborline", agent="policy_researcher")
CLAUSE = CandidateClause(clause_id="hl-a@1#1.1", label="1.1", lead_in="", text="The bank must answer.", score=0.5)
QUESTION = SelectInput(topic="when must the bank answer", clauses=(CLAUSE,))
GOOD: dict[str, Any] = {"clause_ids": ["hl-a@1#1.1"], "why": "It says so."}
ANOTHER_TASK: dict[str, Any] = {"sentences": [], "abstained": True, "reason": "Nothing on it."}
BREAKING = Step(body=message(GOOD))
HTML = Step(body=b"<html>gateway</html>", headers={"content-type": "text/html"})
UNKNOWN = Step(status=400, body=error("invalid_request_error", "output_config: Extra inputs are not permitted"))
BUSY = Step(status=529, body=error("overloaded_error"))
PATIENT = 20.0
Outcome = Literal["answered", "repaired", "degraded"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What the service does, and what has to come of it. Where `outcome` is no fallback, a good reply follows."""

    name: str
    steps: tuple[Step, ...]
    outcome: Outcome
    said: str
    """Of the failed attempt, in the record."""
    waits: tuple[float, ...] = ()
    how: tuple[Literal["whole", "streamed"], ...] = ("whole", "streamed")
    seconds: float = PATIENT
    """For one request."""
    attempts: int = 3


def broken(breaks: Any) -> Step:
    return replace(BREAKING, breaks=breaks)


FAULTS = (
    Fault(
        name="429 with retry-after",
        steps=(Step(status=429, body=error("rate_limit_error"), headers={"retry-after": "7"}),),
        outcome="answered",
        said="HTTP 429 rate_limit_error",
        waits=(7.0,),
    ),
    Fault(
        name="500",
        steps=(Step(status=500, body=error("api_error")),),
        outcome="answered",
        said="HTTP 500",
        waits=(0.5,),
    ),
    Fault(name="529 overloaded", steps=(BUSY,), outcome="answered", said="HTTP 529 overloaded_error", waits=(0.5,)),
    Fault(name="529 for long", steps=(BUSY,) * 3, outcome="degraded", said="HTTP 529", waits=(0.5, 1.0)),
    Fault(name="no reply", steps=(Step(hang=True),), outcome="degraded", said="no reply", seconds=0.3, attempts=1),
    Fault(
        name="stall half-way", steps=(broken("stall"),), outcome="degraded", said="no reply", seconds=0.3, attempts=1
    ),
    Fault(
        name="connection lost half-way",
        steps=(broken("drop"),),
        outcome="answered",
        said="",
        waits=(0.5,),
    ),
    Fault(
        name="overloaded half-way",
        steps=(broken("error"),),
        outcome="answered",
        said="the stream ended with overloaded_error",
        waits=(0.5,),
        how=("streamed",),
    ),
    Fault(
        name="stream without an end",
        steps=(broken("end"),),
        outcome="answered",
        said="the stream broke off",
        waits=(0.5,),
        how=("streamed",),
    ),
    Fault(
        name="event that is no JSON",
        steps=(broken("nonsense"),),
        outcome="answered",
        said="the stream broke off",
        waits=(0.5,),
        how=("streamed",),
    ),
    Fault(
        name="truncated JSON",
        steps=(Step(body=message('{"clause_ids": ["hl-a@1#1.1"')),),
        outcome="repaired",
        said="json_invalid",
    ),
    Fault(
        name="another task's schema",
        steps=(Step(body=message(ANOTHER_TASK)),),
        outcome="repaired",
        said="extra_forbidden",
    ),
    Fault(
        name="invented clause",
        steps=(Step(body=message({"clause_ids": ["no"], "why": ""})),),
        outcome="repaired",
        said="checks of the task",
    ),
    Fault(
        name="max_tokens",
        steps=(Step(body=message(GOOD, stop_reason="max_tokens")),),
        outcome="repaired",
        said="cut off",
    ),
    Fault(name="empty content", steps=(Step(body=empty_message()),), outcome="repaired", said="empty"),
    Fault(
        name="never valid",
        steps=(Step(body=message({"clause_ids": ["no"], "why": ""})),) * 3,
        outcome="degraded",
        said="checks of the task",
    ),
    Fault(
        name="refusal",
        steps=(Step(body=message("", stop_reason="refusal")),),
        outcome="degraded",
        said="the model refused",
    ),
    Fault(name="a page instead of a reply", steps=(HTML,), outcome="degraded", said="malformed"),
    Fault(name="structured output unknown", steps=(UNKNOWN,), outcome="answered", said=""),
    Fault(
        name="unknown key",
        steps=(Step(status=401, body=error("authentication_error")),),
        outcome="degraded",
        said="401",
    ),
)
CASES = [pytest.param(fault, how, id=f"{fault.name}-{how}") for fault in FAULTS for how in fault.how]


class Heard:
    """A listener that keeps what it hears of the last reply."""

    def __init__(self) -> None:
        self.text = ""

    async def begin(self) -> None:
        self.text = ""

    async def hear(self, text: str) -> None:
        self.text += text


@dataclass
class Played:
    """What came of a fault."""

    record: CallRecord
    server: MessagesServer
    heard: str
    waits: list[float] = field(default_factory=list[float])


def script(fault: Fault) -> tuple[Step, ...]:
    if fault.outcome == "degraded":
        return fault.steps
    by_tool = fault.steps == (UNKNOWN,)
    return (*fault.steps, Step(body=tool_message(GOOD) if by_tool else message(GOOD)))


async def played(fault: Fault, how: str) -> Played:
    waits, listener = list[float](), Heard() if how == "streamed" else None

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    retry = RetryPolicy(attempts=fault.attempts, pause=pause, jitter=lambda: 1.0)
    async with messages_server(*script(fault)) as server:
        async with gateway(server, Conduct(retry=retry, call_seconds=fault.seconds)) as asked:
            result = await asked.run(RESEARCH_SELECT, QUESTION, context=CONTEXT, listener=listener)
        if not server.requests:  # the machine stalled, and the time was over before the service was asked
            async with gateway(server, Conduct(retry=retry, call_seconds=10 * fault.seconds)) as asked:
                result = await asked.run(RESEARCH_SELECT, QUESTION, context=CONTEXT, listener=listener)
    assert result.output.clause_ids == ("hl-a@1#1.1",)
    return Played(record=result.record, server=server, heard=listener.text if listener else "", waits=waits)


def gateway(server: MessagesServer, conduct: Conduct) -> Gateway:
    provider = AnthropicProvider(api_key=API_KEY, model=MODEL, base_url=server.base_url)
    permission = OnlyModels(f"anthropic/{MODEL}", "offline/extractive")
    return Gateway([provider, OfflineProvider()], PROMPTS, MemoryRecorder(), permission=permission, conduct=conduct)


def did(found: Played) -> str:
    """What the gateway did, from the record."""
    waits = iter(found.waits)
    said: list[str] = []
    for attempt in found.record.attempts:
        said.append(attempt.reason or f"{attempt.provider} answered")
        if attempt.outcome == "failed" and (wait := next(waits, None)) is not None:
            said.append(f"waited {wait:g} s")
    return "; ".join(said)


@pytest.mark.proves("F3", "F4", "F9")
@pytest.mark.parametrize(("fault", "how"), CASES)
async def test_a_fault_is_met_as_the_task_permits(
    fault: Fault, how: str, record_property: Callable[[str, object], None]
) -> None:
    found = await played(fault, how)
    record = found.record
    record_property(ROW, (fault.name, how, did(found), str(len(found.server.requests)), fault.outcome))
    assert all(bool(asked.get("stream")) == (how == "streamed") for asked in found.server.requests)
    assert tuple(found.waits) == fault.waits
    assert fault.said in did(found)
    assert record.degraded == (fault.outcome == "degraded")
    assert record.provider == ("offline" if record.degraded else "anthropic")
    assert (record.repairs > 0) == (fault.outcome == "repaired" or fault.name == "never valid")
    if how == "streamed" and not record.degraded:
        assert found.heard.replace(" ", "") == str(GOOD).replace("'", '"').replace(" ", "")


@pytest.mark.proves("F5", "F9")
async def test_a_stream_that_breaks_off_is_paid_for_and_its_request_named() -> None:
    fault = Fault(name="", steps=(broken("drop"),), outcome="answered", said="", waits=(0.5,))
    record = (await played(fault, "streamed")).record
    broken_off, answered = record.attempts
    assert (broken_off.request_id, answered.request_id) == ("req_1", "req_2")
    assert (broken_off.input_tokens, broken_off.output_tokens) == (100, 1)
    assert (record.input_tokens, record.output_tokens, record.model) == (200, 21, MODEL)


@pytest.mark.proves("F4")
@pytest.mark.parametrize("how", ["whole", "streamed"])
async def test_a_service_that_is_down_is_left_alone_after_some_failures(
    how: str, record_property: Callable[[str, object], None]
) -> None:
    breakers = Breakers(BreakerPolicy(failures=3))
    listener = Heard() if how == "streamed" else None

    async def pause(seconds: float) -> None:
        return None

    conduct = Conduct(retry=RetryPolicy(pause=pause), call_seconds=PATIENT, breakers=breakers)
    async with messages_server(BUSY, BUSY, BUSY) as server, gateway(server, conduct) as asked:
        await asked.run(RESEARCH_SELECT, QUESTION, context=CONTEXT, listener=listener)
        second = await asked.run(RESEARCH_SELECT, QUESTION, context=CONTEXT, listener=listener)
    assert (second.record.degraded, second.record.attempts[0].calls) == (True, 0)
    record_property(ROW, ("down for long", how, second.record.attempts[0].reason, "0", "degraded"))


@pytest.mark.proves("F4")
async def test_a_task_that_must_not_degrade_fails_with_the_reason() -> None:
    async def pause(seconds: float) -> None:
        return None

    conduct = Conduct(retry=RetryPolicy(pause=pause), call_seconds=PATIENT)
    strict = replace(RESEARCH_SELECT, may_degrade=False)
    async with messages_server(BUSY, BUSY, BUSY) as server, gateway(server, conduct) as asked:
        with pytest.raises(ModelError, match="HTTP 529 overloaded_error"):
            await asked.run(strict, QUESTION, context=CONTEXT)
