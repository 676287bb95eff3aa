"""Any langchain-core chat model as a provider, named by import path and settings.

It uses the model's own structured output where it has one; otherwise the prompt asks for JSON. A
request with a listener is streamed where the integration streams.
Which model is allowed is the operator's configuration, never an argument of a call.
"""

import importlib
import json
import logging
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from casewright.errors import InputError
from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, TextListener, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage
    from langchain_core.runnables import Runnable

_CUT_OFF = frozenset({"length", "max_tokens", "MAX_TOKENS", "model_length"})
_REFUSED = frozenset({"refusal", "content_filter", "SAFETY"})
_OUT_OF_REACH = frozenset({"APIConnectionError", "APITimeoutError", "TransportError", "ServiceUnavailable"})
"""What integrations and their HTTP libraries call a service that is out of reach; they share no base class."""
_log = logging.getLogger("casewright.models")


class LangChainProvider:
    """One chat model. The model's own retries should be off (`max_retries=0`): the gateway retries."""

    def __init__(self, model: "BaseChatModel", *, name: str) -> None:
        self._model = model
        self._name = name
        self._structured = _has_structured_output(model)
        self._streaming = _has_streaming(model)

    @property
    def name(self) -> str:
        return f"langchain/{self._name}"

    @property
    def model(self) -> str:
        """As the integration names it; one that names none is called by the provider's name."""
        return str(getattr(self._model, "model_name", None) or getattr(self._model, "model", None) or self.name)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            structured_output=self._structured, leaves_process=True, streaming=self._streaming, tools=self._structured
        )

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        try:
            asked, messages = self._asked(request), _messages(request)
            if request.listener is not None and self._streaming:
                found: Any = await _streamed(asked, messages, request.listener)
            else:
                found = await asked.ainvoke(messages)
            return self._read(found)
        except Exception as error:  # noqa: BLE001 - boundary: integrations raise errors of many libraries
            # Where it was raised, never its text, which may repeat what was sent.
            place = traceback.extract_tb(error.__traceback__)[-1]
            _log.warning("%s raised %s at %s:%s", self.name, type(error).__name__, place.filename, place.lineno)
            return NoReply(reason=f"the model raised {type(error).__name__}", retryable=_is_passing(error))

    async def aclose(self) -> None:
        return None

    def _asked(self, request: ModelRequest) -> "Runnable[Any, Any]":
        if not self._structured:
            return self._model
        schema = {**request.output.model_json_schema(), "title": "answer", "description": "The answer."}
        return self._model.with_structured_output(schema, include_raw=True)

    def _read(self, found: Any) -> ModelReply | NoReply:
        if not self._structured:
            return self._reply(found, None)
        if not isinstance(found, dict):
            return NoReply(reason="the model's structured output cannot be read", retryable=False)
        both = cast(dict[str, Any], found)
        return self._reply(both["raw"], both.get("parsed"))

    def _reply(self, message: "BaseMessage", parsed: object) -> ModelReply | NoReply:
        about = cast(dict[str, Any], message.response_metadata)
        ending = str(about.get("finish_reason") or about.get("stop_reason") or "")
        usage = _usage(message)
        request_id = str(message.id or "")
        if ending in _REFUSED:
            return NoReply(reason="the model refused", retryable=False, request_id=request_id, usage=usage)
        return ModelReply(
            text=json.dumps(parsed, ensure_ascii=False) if isinstance(parsed, dict) else str(message.text),
            model=str(about.get("model_name") or about.get("model") or self.name),
            usage=usage,
            request_id=request_id,
            cut_off=ending in _CUT_OFF,
        )


def load_langchain(import_path: str, settings: Mapping[str, Any], *, name: str = "") -> LangChainProvider:
    """A provider from `package.module:ClassName` and the keyword arguments of that class, under its name or another.

    Raises:
        InputError: nothing of that path is a chat model, or it does not take these settings.
    """
    module_name, _, class_name = import_path.partition(":")
    if not module_name or not class_name.isidentifier():
        raise InputError(f"the chat model {import_path!r} is not of the form package.module:ClassName")
    from langchain_core.language_models import BaseChatModel

    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"the chat model {import_path!r} is not there; install its package") from error
    if not (isinstance(found, type) and issubclass(found, BaseChatModel)):
        raise InputError(f"{import_path!r} is not a langchain-core chat model; name a subclass of BaseChatModel")
    try:
        return LangChainProvider(found(**settings), name=name or class_name)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the chat model {import_path!r} does not take its settings: {type(error).__name__}"
        ) from error


def _has_structured_output(model: "BaseChatModel") -> bool:
    try:
        model.with_structured_output({"title": "probe", "description": "", "type": "object", "properties": {}})
    except (NotImplementedError, ValueError):
        return False
    return True


def _has_streaming(model: "BaseChatModel") -> bool:
    """Whether the integration writes its reply piece by piece; one that does not gives it as a whole."""
    from langchain_core.language_models import BaseChatModel

    return any(getattr(type(model), name) is not getattr(BaseChatModel, name) for name in ("_stream", "_astream"))


async def _streamed(asked: "Runnable[Any, Any]", messages: "list[BaseMessage]", listener: TextListener) -> Any:
    """What `asked` makes of a reply whose text was heard while it came; also where a tool's input is the text."""
    await listener.begin()
    found: Any = None
    async for event in asked.astream_events(messages, version="v2"):
        data = cast(dict[str, Any], event["data"])
        if event["event"] == "on_chat_model_stream":
            if text := _text_of(data["chunk"]):
                await listener.hear(text)
        elif event["event"].endswith("_end") and not event["parent_ids"]:
            found = data["output"]
    return found


def _text_of(chunk: "AIMessageChunk") -> str:
    return str(chunk.text) or "".join(one["args"] or "" for one in chunk.tool_call_chunks)


def _messages(request: ModelRequest) -> "list[BaseMessage]":
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    turns = [HumanMessage(turn.text) if turn.role == "user" else AIMessage(turn.text) for turn in request.turns]
    return [SystemMessage(request.system), *turns]


def _usage(message: "BaseMessage") -> Usage:
    """Tokens as LangChain counts them: its input sum includes what the cache gave or took."""
    counted = cast(dict[str, Any], getattr(message, "usage_metadata", None) or {})
    details = cast(dict[str, Any], counted.get("input_token_details") or {})
    read, written = (max(0, int(details.get(name) or 0)) for name in ("cache_read", "cache_creation"))
    return Usage(
        input_tokens=max(0, int(counted.get("input_tokens") or 0) - read - written),
        output_tokens=max(0, int(counted.get("output_tokens") or 0)),
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


def _is_passing(error: Exception) -> bool:
    """Whether asking again may help: a connection problem, a rate limit or a fault of the service."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return status in (408, 409, 429) or status >= 500
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    return not _OUT_OF_REACH.isdisjoint(kind.__name__ for kind in type(error).__mro__)
