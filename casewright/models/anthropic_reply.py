"""What came back from the Messages service, as a reply or as the reason for none.

The SDK builds objects leniently, so whatever is read from one is looked at first. Error texts of the service are not
passed on, for they may repeat the prompt. Called by `casewright.models.anthropic` alone.
"""

import json
from typing import TYPE_CHECKING, Any, TypeGuard

from casewright.models.anthropic_request import TOOL
from casewright.models.provider import ModelReply, NoReply, Usage

if TYPE_CHECKING:
    from anthropic import APIStatusError
    from anthropic.types import Message

_RETRYABLE_STATUS = frozenset({408, 409, 429})
_RETRYABLE_KINDS = frozenset({"overloaded_error", "api_error", "rate_limit_error", "timeout_error"})
"""Of an error that comes within a stream, whose status was a success."""
_LONGEST_RETRY_AFTER_SECONDS = 3_600.0
_LONGEST_NAME = 200


def read_message(message: object, request_id: str = "") -> ModelReply | NoReply:
    """A whole message as a reply; one that refuses or that is none is no reply."""
    if not _is_whole(message):
        return NoReply(reason="the reply is malformed", retryable=False, request_id=request_id)
    known = _plain(request_id or message._request_id or message.id)  # pyright: ignore[reportPrivateUsage]  # the SDK's documented name
    usage = usage_of(message)
    if not _plain(message.model):
        return NoReply(reason="the reply names no model", retryable=False, request_id=known, usage=usage)
    if message.stop_reason == "refusal":
        return NoReply(reason="the model refused", retryable=False, request_id=known, usage=usage)
    return ModelReply(
        text=_text(message),
        model=message.model,
        usage=usage,
        request_id=known,
        cut_off=message.stop_reason in ("max_tokens", "model_context_window_exceeded"),
    )


def usage_of(message: "Message") -> Usage:
    """The tokens that a message counts; of one that broke off, those counted by then."""
    counted = message.usage
    return Usage(
        input_tokens=max(0, counted.input_tokens),  # less than nothing would be given back to the budget
        output_tokens=max(0, counted.output_tokens),
        cache_read_tokens=max(0, counted.cache_read_input_tokens or 0),
        cache_write_tokens=max(0, counted.cache_creation_input_tokens or 0),
    )


def _plain(name: str) -> str:
    """A name or id as it may stand in a record; empty: what the service gave is none."""
    return name if name.isascii() and name.isprintable() and len(name) <= _LONGEST_NAME else ""


def schema_unknown(error: "APIStatusError") -> bool:
    """Whether the endpoint says that it does not know structured output."""
    return error.status_code == 400 and any(word in str(error.body) for word in ("output_config", "json_schema"))


def status_failure(error: "APIStatusError") -> NoReply:
    """The service said no, with a status or within a stream that had begun."""
    status, kind = error.status_code, _kind(error.body)
    within_stream = status < 300
    return NoReply(
        reason=f"the stream ended with {kind or 'an error'}" if within_stream else f"HTTP {status} {kind}".strip(),
        retryable=kind in _RETRYABLE_KINDS if within_stream else status in _RETRYABLE_STATUS or status >= 500,
        retry_after_seconds=_retry_after(error.response.headers.get("retry-after")),
        request_id=_plain(error.request_id or ""),
    )


def _is_whole(message: object) -> "TypeGuard[Message]":
    from anthropic.types import Message, Usage

    return (
        isinstance(message, Message)
        and isinstance(getattr(message, "usage", None), Usage)
        and all(isinstance(getattr(message.usage, name, None), int) for name in ("input_tokens", "output_tokens"))
        and isinstance(getattr(message, "content", None), list)
        and all(isinstance(getattr(message, name, None), str) for name in ("id", "model", "stop_reason"))
    )


def _text(message: "Message") -> str:
    for block in message.content:
        if block.type == "tool_use" and block.name == TOOL:
            return json.dumps(block.input, ensure_ascii=False)
    return "".join(block.text for block in message.content if block.type == "text")


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
