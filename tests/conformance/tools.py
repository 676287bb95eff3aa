"""The tools that the official conformance suite calls by name; what each answers is what its scenario asks for.

They do nothing of their own. `tests.conformance.server` puts them on a bare server of the SDK and behind our guard.
"""

import json
from collections.abc import Callable
from typing import Any, Literal

import anyio
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    EmbeddedResource,
    ImageContent,
    SamplingMessage,
    TextContent,
    TextResourceContents,
)
from pydantic import BaseModel, Field

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA="
STEP_SECONDS = 0.02


def test_simple_text() -> str:
    """Answer with one text."""
    return "This is a simple text response for testing."


def test_image_content() -> list[ImageContent]:
    """Answer with a picture of one pixel."""
    return [ImageContent(type="image", data=PIXEL, mime_type="image/png")]


def test_audio_content() -> list[AudioContent]:
    """Answer with a sound of no length."""
    return [AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")]


def test_embedded_resource() -> list[EmbeddedResource]:
    """Answer with a resource inside the result."""
    return [embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Answer with a text, a picture and a resource."""
    return [
        TextContent(type="text", text="Multiple content types test:"),
        ImageContent(type="image", data=PIXEL, mime_type="image/png"),
        embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ]


async def test_tool_with_logging(ctx: Context) -> str:
    """Log three times."""
    for words in ("started", "processing data", "completed"):
        await ctx.info(f"Tool execution {words}")  # pyright: ignore[reportDeprecated]
        await anyio.sleep(STEP_SECONDS)
    return "Tool with logging executed successfully"


async def test_tool_with_progress(ctx: Context) -> str:
    """Report progress three times."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100, f"Completed step {done} of 100")
        await anyio.sleep(STEP_SECONDS)
    return "progress reported"


def test_error_handling() -> str:
    """Fail."""
    raise RuntimeError("This tool intentionally returns an error for testing")


async def test_sampling(prompt: str, ctx: Context) -> str:
    """Ask the client's model."""
    message = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    ask = ctx.session.create_message  # pyright: ignore[reportDeprecated]
    result = await ask(messages=[message], max_tokens=100)
    answer = result.content.text if isinstance(result.content, TextContent) else "no text"
    return f"LLM response: {answer}"


class Answer(BaseModel):
    """A form of one field."""

    response: str = Field(description="User's response")


class Defaults(BaseModel):
    """A form whose every field has a default."""

    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: Literal["active", "inactive", "pending"] = "active"
    verified: bool = True


def _titled(*values: str) -> Any:
    return [{"const": value, "title": value.title()} for value in values]


class Choices(BaseModel):
    """A form of every kind of choice."""

    untitledSingle: str = Field(json_schema_extra={"enum": ["option1", "option2", "option3"]})
    titledSingle: str = Field(json_schema_extra={"oneOf": [*_titled("value1", "value2", "value3")]})
    legacyEnum: str = Field(
        json_schema_extra={"enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]}
    )
    untitledMulti: list[str] = Field(
        json_schema_extra={"items": {"type": "string", "enum": ["option1", "option2", "option3"]}}
    )
    titledMulti: list[str] = Field(json_schema_extra={"items": {"anyOf": [*_titled("value1", "value2", "value3")]}})


async def test_elicitation(message: str, ctx: Context) -> str:
    """Ask the user in one form."""
    return await _asked(ctx, message, Answer)


async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
    """Ask the user in a form with defaults."""
    return await _asked(ctx, "Please check these values", Defaults)


async def test_elicitation_sep1330_enums(ctx: Context) -> str:
    """Ask the user in a form of choices."""
    return await _asked(ctx, "Please choose", Choices)


async def _asked(ctx: Context, message: str, form: type[BaseModel]) -> str:
    result = await ctx.elicit(message=message, schema=form)
    content = result.data.model_dump_json() if result.action == "accept" else "{}"
    return f"Elicitation completed: action={result.action}, content={content}"


def test_missing_capability(ctx: Context) -> str:
    """Refuse a client that cannot sample."""
    capabilities = ctx.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="sampling is needed",
            data={"requiredCapabilities": {"sampling": {}}},
        )
    return "the client can sample"


async def test_streaming_elicitation(ctx: Context) -> str:
    """Send what belongs to a call on its stream, and nothing else."""
    await ctx.report_progress(1, 1, "working")
    return "nothing was asked on the stream"


async def test_logging_tool(ctx: Context) -> str:
    """Log once, which reaches only a client that asked for it."""
    await ctx.info("a line that must be asked for")  # pyright: ignore[reportDeprecated]
    return "logged"


async def test_trigger_tool_change(ctx: Context) -> str:
    """Tell that the tools changed."""
    await ctx.notify_tools_changed()
    return "told"


async def test_trigger_prompt_change(ctx: Context) -> str:
    """Tell that the prompts changed."""
    await ctx.notify_prompts_changed()
    return "told"


def template_data(id: str) -> str:
    """Answer with what the template of the suite holds for an id."""
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def embedded(uri: str, kind: str, text: str) -> EmbeddedResource:
    """A resource inside a result."""
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=kind, text=text))


PLAIN: tuple[Callable[..., Any], ...] = (
    test_simple_text,
    test_image_content,
    test_audio_content,
    test_embedded_resource,
    test_multiple_content_types,
    test_tool_with_logging,
    test_tool_with_progress,
    test_error_handling,
    test_sampling,
    test_elicitation,
    test_elicitation_sep1034_defaults,
    test_elicitation_sep1330_enums,
    test_missing_capability,
    test_streaming_elicitation,
    test_logging_tool,
    test_trigger_tool_change,
    test_trigger_prompt_change,
    template_data,
)
