"""LangChain models as providers, with the chat models that langchain-core itself ships."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from casewright.config import app_root
from casewright.errors import InputError, ModelError
from casewright.models.accounting import MemoryRecorder
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.langchain import LangChainProvider, load_langchain
from casewright.models.layer import CallContext
from casewright.models.prompts import PromptLibrary
from casewright.models.retry import RetryPolicy
from casewright.models.selection import CandidateClause, SelectInput
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.model_permission import OnlyModels

CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant="t-1", agent="a")
VALUE = SelectInput(
    topic="credit", clauses=(CandidateClause(clause_id="x", label="1", lead_in="", text="Credit is due.", score=1.0),)
)
GOOD = '{"clause_ids": ["x"], "why": "y"}'


class ToolModel(BaseChatModel):
    """A chat model that calls the one tool it is bound to."""

    arguments: dict[str, Any]
    fault: str = ""
    kind: type[Exception] = ConnectionError

    @property
    def _llm_type(self) -> str:
        return "tool-model"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(**kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        if self.fault:
            raise self.kind(self.fault)
        message = AIMessage(
            content="",
            tool_calls=[{"name": "answer", "args": self.arguments, "id": "1"}],
            usage_metadata={
                "input_tokens": 50,
                "output_tokens": 5,
                "total_tokens": 55,
                "input_token_details": {"cache_read": 20},
            },
            response_metadata={"model_name": "tool-1"},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


class StreamingToolModel(ToolModel):
    """One that writes the input of its tool piece by piece, and loses the connection at a piece if it is told to."""

    lost_at: int = -1

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        text = json.dumps(self.arguments)
        for number, at in enumerate(range(0, len(text), 5)):
            if number == self.lost_at:
                self.lost_at = -1
                raise ConnectionError("SECRET-CANARY")
            piece = tool_call_chunk(name=None if at else "answer", args=text[at : at + 5], id="1", index=0)
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[piece]))
        counted = UsageMetadata(input_tokens=50, output_tokens=5, total_tokens=55)
        yield ChatGenerationChunk(
            message=AIMessageChunk(content="", usage_metadata=counted, response_metadata={"model_name": "tool-1"})
        )


class Heard:
    """A listener that keeps what it hears of every reply."""

    def __init__(self) -> None:
        self.pieces: list[list[str]] = []

    async def begin(self) -> None:
        self.pieces.append([])

    async def hear(self, text: str) -> None:
        self.pieces[-1].append(text)


async def no_pause(seconds: float) -> None:
    return None


def gateway(model: BaseChatModel) -> Gateway:
    library = PromptLibrary(app_root() / "agents" / "prompts")
    return Gateway(
        [LangChainProvider(model, name="test")],
        library,
        MemoryRecorder(),
        permission=OnlyModels("langchain/test", "langchain/test/tool-1"),
        conduct=Conduct(retry=RetryPolicy(pause=no_pause)),
    )


@pytest.mark.proves("F2", "F3")
async def test_a_model_without_structured_output_is_asked_for_json_and_repaired() -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("I think x."), AIMessage(GOOD)]))
    result = await gateway(model).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert result.output.clause_ids == ("x",)
    assert (result.record.provider, result.record.repairs) == ("langchain/test", 1)


@pytest.mark.proves("F2", "F5")
async def test_a_model_with_structured_output_is_held_to_the_schema_and_counted() -> None:
    result = await gateway(ToolModel(arguments={"clause_ids": ["x"], "why": "y"})).run(
        RESEARCH_SELECT, VALUE, context=CONTEXT
    )
    record = result.record
    assert (record.model, record.input_tokens, record.cache_read_tokens, record.output_tokens) == ("tool-1", 30, 20, 5)


@pytest.mark.proves("F2", "F9")
@pytest.mark.parametrize(
    "model",
    [GenericFakeChatModel(messages=iter([AIMessage(GOOD)])), StreamingToolModel(arguments=json.loads(GOOD))],
    ids=["text", "tool"],
)
async def test_a_model_that_streams_is_heard_while_it_writes(model: BaseChatModel) -> None:
    heard = Heard()
    assert LangChainProvider(model, name="test").capabilities.streaming
    result = await gateway(model).run(RESEARCH_SELECT, VALUE, context=CONTEXT, listener=heard)
    (pieces,) = heard.pieces
    assert len(pieces) > 3
    assert json.loads("".join(pieces)) == json.loads(GOOD)
    assert result.output.clause_ids == ("x",)


@pytest.mark.proves("F4", "F9")
async def test_a_stream_that_breaks_off_is_begun_again_and_its_words_are_not_passed_on() -> None:
    heard = Heard()
    model = StreamingToolModel(arguments=json.loads(GOOD), lost_at=3)
    result = await gateway(model).run(RESEARCH_SELECT, VALUE, context=CONTEXT, listener=heard)
    assert [len(pieces) > 4 for pieces in heard.pieces] == [False, True]
    assert (result.record.calls, result.record.input_tokens, result.record.model) == (2, 50, "tool-1")
    assert "CANARY" not in result.record.model_dump_json()


@pytest.mark.proves("F2", "F9")
async def test_a_model_that_does_not_stream_is_asked_all_the_same_and_nothing_is_heard() -> None:
    heard, model = Heard(), ToolModel(arguments=json.loads(GOOD))
    assert not LangChainProvider(model, name="test").capabilities.streaming
    result = await gateway(model).run(RESEARCH_SELECT, VALUE, context=CONTEXT, listener=heard)
    assert (result.output.clause_ids, heard.pieces) == (("x",), [])


@pytest.mark.proves("F3")
async def test_errors_of_an_integration_are_retried_and_their_words_are_not_passed_on() -> None:
    with pytest.raises(ModelError, match="raised ConnectionError; gave up after 3 attempts") as caught:
        await gateway(ToolModel(arguments={}, fault="SECRET-CANARY")).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert "CANARY" not in str(caught.value)


class APIConnectionError(Exception):
    """Named as integrations name it; of no shared base class."""


@pytest.mark.proves("F4")
@pytest.mark.parametrize(("kind", "calls"), [(APIConnectionError, 3), (TimeoutError, 3), (KeyError, 1)])
async def test_only_a_service_out_of_reach_is_asked_again(kind: type[Exception], calls: int) -> None:
    asked = gateway(ToolModel(arguments={}, fault="x", kind=kind))
    with pytest.raises(ModelError) as caught:
        await asked.run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert (f"gave up after {calls} attempts" in str(caught.value)) == (calls > 1)


@pytest.mark.proves("F3")
async def test_a_cut_off_reply_is_not_believed() -> None:
    cut = AIMessage(GOOD, response_metadata={"finish_reason": "length"})
    model = GenericFakeChatModel(messages=iter([cut, AIMessage(GOOD)]))
    result = await gateway(model).run(RESEARCH_SELECT, VALUE, context=CONTEXT)
    assert result.record.repairs == 1


async def test_a_filtered_reply_is_final() -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("", response_metadata={"finish_reason": "content_filter"})]))
    with pytest.raises(ModelError, match="the model refused"):
        await gateway(model).run(RESEARCH_SELECT, VALUE, context=CONTEXT)


@pytest.mark.proves("F2")
def test_a_chat_model_is_loaded_by_its_import_path() -> None:
    path = "langchain_core.language_models.fake_chat_models:GenericFakeChatModel"
    provider = load_langchain(path, {"messages": iter(())})
    assert provider.name == "langchain/GenericFakeChatModel" and not provider.capabilities.structured_output


@pytest.mark.parametrize(
    "path",
    [
        "pathlib:Path",
        "no_such_package:Chat",
        "langchain_core.language_models:Nothing",
        "langchain_core",
        "os:system('x')",
        "langchain_core.language_models.fake_chat_models:GenericFakeChatModel",
    ],
)
def test_anything_else_or_wrong_settings_are_refused_by_name(path: str) -> None:
    with pytest.raises(InputError, match=re.escape(repr(path))):
        load_langchain(path, {})
