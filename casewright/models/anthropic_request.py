"""How a request is laid out for the Messages service: what is the same for every call of a task comes first.

The service keeps a prefix of what it was sent: tools, then the system text, then the messages. So the instructions
of a task (with its examples, and its schema where that is a tool) end at the one mark for the cache, and everything
that differs between two calls comes behind it, in the turns. Called by `casewright.models.anthropic` alone.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from casewright.contracts.base import Contract
from casewright.models.provider import ModelRequest

if TYPE_CHECKING:
    from anthropic.types import MessageParam

TOOL = "answer"
"""The tool that a model is made to call where structured output is not known."""
By = Literal["schema", "tool"]
"""How the model is held to the schema."""


def prefix(request: ModelRequest, *, model: str, by: By) -> dict[str, Any]:
    """The part that is equal, byte for byte, for all calls of one task; the mark for the cache ends it."""
    schema = _schema(request.output)
    instructed = {
        "model": model,
        "system": [{"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}],
    }
    if by == "schema":
        return instructed | {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    tool = {"name": TOOL, "description": "Give the answer.", "input_schema": schema}
    return {"tools": [tool], "tool_choice": {"type": "tool", "name": TOOL}} | instructed


@cache
def _schema(output: type[Contract]) -> dict[str, Any]:
    """The schema as the service takes it; making it takes longer than all else that is done for a request."""
    import anthropic

    return anthropic.transform_schema(output.model_json_schema())


def turns(request: ModelRequest) -> "list[MessageParam]":
    """What differs from call to call."""
    return [
        {"role": "user", "content": turn.text} if turn.role == "user" else {"role": "assistant", "content": turn.text}
        for turn in request.turns
    ]
