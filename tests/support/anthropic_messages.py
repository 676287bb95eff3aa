"""Bodies and server-sent events of the Messages wire format, as the service writes them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

MODEL = "claude-scripted-1"
PIECE = 9
"""Characters in one delta: short enough that words, quotes and escapes are cut anywhere."""


def message(text: object, *, stop_reason: str = "end_turn", model: str = MODEL, **usage: int) -> dict[str, Any]:
    """A Messages reply with one text block; a document is sent as JSON text."""
    content = text if isinstance(text, str) else json.dumps(text)
    return _reply([{"type": "text", "text": content}], stop_reason, usage, model)


def empty_message() -> dict[str, Any]:
    return _reply([], "end_turn", {}, MODEL)


def tool_message(document: object) -> dict[str, Any]:
    """A reply through the forced tool."""
    content = [{"type": "tool_use", "id": "toolu_1", "name": "answer", "input": document}]
    return _reply(content, "tool_use", {}, MODEL)


def error(kind: str, text: str = "scripted") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": text}}


def events(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A reply as the events of its stream, a ping among them."""
    usage = body["usage"]
    begun: dict[str, Any] = {**body, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, block in enumerate(body["content"]):
        yield from _block_events(index, block)
    delta = {"stop_reason": body["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def written(event: Mapping[str, Any]) -> bytes:
    """One event on the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _block_events(index: int, block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    is_text = block["type"] == "text"
    empty: dict[str, Any] = {**block, "text": ""} if is_text else {**block, "input": {}}
    content = str(block["text"]) if is_text else json.dumps(block["input"])
    kind, name = ("text_delta", "text") if is_text else ("input_json_delta", "partial_json")
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for at in range(0, len(content), PIECE):
        delta = {"type": kind, name: content[at : at + PIECE]}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _reply(content: list[dict[str, Any]], stop_reason: str, usage: Mapping[str, int], model: str) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20, **usage},
    }
