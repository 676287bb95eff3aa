"""The Anthropic provider: one Messages call through the official SDK, its outcome as a value.

The SDK's own retries are off; the gateway retries. The reply is held to the task's JSON schema
by structured output, or by a forced tool where the endpoint does not know structured output.
Error texts of the service are not passed on, for they may repeat the prompt.
"""

import asyncio
import importlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from casewright.models.provider import Capabilities, ModelReply, ModelRequest, NoReply, Usage

if TYPE_CHECKING:
    from anthropic import APIStatusError, AsyncAnthropic
    from anthropic.types import Message, MessageParam, ToolParam

_TOOL = "answer"
_RETRYABLE_STATUS = frozenset({408, 409, 429})
_LONGEST_RETRY_AFTER_SECONDS = 3_600.0


class AnthropicProvider:
    """Claude behind an API key."""

    def __init__(self, *, api_key: str, model: str, base_url: str = "") -> None:
        """`base_url` empty: the service's own address."""
        self._api_key = api_key
        self._model = model
        self._base_url = base_url
        self._made: AsyncAnthropic | None = None
        self._by: Literal["schema", "tool"] = "schema"

    @property
    def name(self) -> str:
        return "anthropic"

    @property
    def model(self) -> str:
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(structured_output=True, leaves_process=True)

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        outcome = await self._call(request)
        if isinstance(outcome, _SchemaUnknown):
            self._by = "tool"
            outcome = await self._call(request)
            if isinstance(outcome, _SchemaUnknown):
                return NoReply(reason="HTTP 400: structured output is not supported", retryable=False, calls=2)
            return replace(outcome, calls=outcome.calls + 1)
        return outcome

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.close()
            self._made = None

    async def _call(self, request: ModelRequest) -> "ModelReply | NoReply | _SchemaUnknown":
        client = await self._client()
        import anthropic

        schema = anthropic.transform_schema(request.output.model_json_schema())
        by_schema = self._by == "schema"
        try:
            message = await client.messages.create(
                model=self._model,
                max_tokens=request.max_output_tokens,
                system=[{"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}],
                messages=_messages(request),
                output_config={"format": {"type": "json_schema", "schema": schema}} if by_schema else anthropic.omit,
                tools=anthropic.omit if by_schema else [_tool(schema)],
                tool_choice=anthropic.omit if by_schema else {"type": "tool", "name": _TOOL},
                timeout=request.timeout_seconds,
            )
            return _reply(message) if _is_whole(message) else NoReply(reason="the reply is malformed", retryable=False)
        except anthropic.APIStatusError as error:
            if by_schema and _schema_unknown(error):
                return _SchemaUnknown()
            return _status_failure(error)
        except anthropic.APITimeoutError:
            return NoReply(reason=f"no reply within {request.timeout_seconds:.1f} s", retryable=True)
        except anthropic.APIConnectionError:
            return NoReply(reason="the service cannot be reached", retryable=True)
        except (anthropic.AnthropicError, ValueError) as error:
            return NoReply(reason=f"the reply cannot be read: {type(error).__name__}", retryable=False)

    async def _client(self) -> "AsyncAnthropic":
        # The import takes most of a second, so it is done off the event loop.
        anthropic = await asyncio.to_thread(importlib.import_module, "anthropic")
        made = self._made
        if made is None:
            made = self._made = anthropic.AsyncAnthropic(
                api_key=self._api_key, base_url=self._base_url or None, max_retries=0, open_telemetry=False
            )
        return made


class _SchemaUnknown:
    """The endpoint does not know structured output."""


def _messages(request: ModelRequest) -> "list[MessageParam]":
    return [
        {"role": "user", "content": turn.text} if turn.role == "user" else {"role": "assistant", "content": turn.text}
        for turn in request.turns
    ]


def _tool(schema: dict[str, Any]) -> "ToolParam":
    return {"name": _TOOL, "description": "Give the answer.", "input_schema": schema}


def _reply(message: "Message") -> ModelReply | NoReply:
    usage = Usage(
        input_tokens=message.usage.input_tokens,
        output_tokens=message.usage.output_tokens,
        cache_read_tokens=message.usage.cache_read_input_tokens or 0,
        cache_write_tokens=message.usage.cache_creation_input_tokens or 0,
    )
    request_id = message._request_id or message.id  # pyright: ignore[reportPrivateUsage]  # the SDK's documented name
    if message.stop_reason == "refusal":
        return NoReply(reason="the model refused", retryable=False, request_id=request_id, usage=usage)
    return ModelReply(
        text=_text(message),
        model=message.model,
        usage=usage,
        request_id=request_id,
        cut_off=message.stop_reason in ("max_tokens", "model_context_window_exceeded"),
    )


def _is_whole(message: object) -> bool:
    """The SDK builds replies leniently; whatever is read from one has to be there."""
    from anthropic.types import Message, Usage

    return (
        isinstance(message, Message)
        and isinstance(getattr(message, "usage", None), Usage)
        and isinstance(getattr(message, "content", None), list)
        and all(isinstance(getattr(message, name, None), str) for name in ("id", "model", "stop_reason"))
    )


def _text(message: "Message") -> str:
    for block in message.content:
        if block.type == "tool_use" and block.name == _TOOL:
            return json.dumps(block.input, ensure_ascii=False)
    return "".join(block.text for block in message.content if block.type == "text")


def _schema_unknown(error: "APIStatusError") -> bool:
    return error.status_code == 400 and any(word in str(error.body) for word in ("output_config", "json_schema"))


def _status_failure(error: "APIStatusError") -> NoReply:
    status = error.status_code
    return NoReply(
        reason=f"HTTP {status} {_kind(error.body)}".strip(),
        retryable=status in _RETRYABLE_STATUS or status >= 500,
        retry_after_seconds=_retry_after(error.response.headers.get("retry-after")),
        request_id=error.request_id or "",
    )


def _kind(body: object) -> str:
    """The service's word for the error, such as `rate_limit_error`; never its message."""
    inner: Any = body.get("error") if isinstance(body, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    kind = inner.get("type") if isinstance(inner, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return kind if isinstance(kind, str) and kind.replace("_", "").isalpha() and len(kind) <= 40 else ""


def _retry_after(header: str | None) -> float | None:
    """Seconds from the header; a date or nonsense counts as not said."""
    try:
        seconds = float(header) if header is not None else -1.0
    except ValueError:
        return None
    return min(seconds, _LONGEST_RETRY_AFTER_SECONDS) if seconds >= 0 else None
