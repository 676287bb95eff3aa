"""Resources, prompts and completions that the official conformance suite asks for by name."""

import base64
from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts.base import Message, UserMessage
from mcp_types import Completion, EmptyResult, ImageContent, SetLevelRequestParams, SubscribeRequestParams

from tests.conformance.rounds import test_input_required_result_prompt
from tests.conformance.tools import PIXEL, embedded, template_data


def static_text() -> str:
    """A text that never changes."""
    return "This is the content of the static text resource."


def static_binary() -> bytes:
    """A picture that never changes."""
    return base64.b64decode(PIXEL)


def watched() -> str:
    """A text that could be subscribed to."""
    return "Watched resource content"


def test_simple_prompt() -> list[Message]:
    """A prompt without arguments."""
    return [UserMessage("This is a simple prompt for testing.")]


def test_prompt_with_arguments(arg1: str, arg2: str) -> list[Message]:
    """A prompt with two arguments."""
    return [UserMessage(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")]


def test_prompt_with_embedded_resource(resourceUri: str) -> list[Message]:
    """A prompt that holds a resource."""
    inside = embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
    return [UserMessage(inside), UserMessage("Please process the embedded resource above.")]


def test_prompt_with_image() -> list[Message]:
    """A prompt that holds a picture."""
    picture = ImageContent(type="image", data=PIXEL, mime_type="image/png")
    return [UserMessage(picture), UserMessage("Please analyze the image above.")]


RESOURCES: dict[str, tuple[Callable[..., Any], str]] = {
    "test://static-text": (static_text, "text/plain"),
    "test://static-binary": (static_binary, "image/png"),
    "test://watched-resource": (watched, "text/plain"),
    "test://template/{id}/data": (template_data, "application/json"),
}
PROMPTS: tuple[Callable[..., Any], ...] = (
    test_simple_prompt,
    test_prompt_with_arguments,
    test_prompt_with_embedded_resource,
    test_prompt_with_image,
    test_input_required_result_prompt,
)


def furnish(server: MCPServer[Any]) -> None:
    """Add everything but the tools to a bare server."""
    for uri, (function, kind) in RESOURCES.items():
        server.resource(uri, mime_type=kind)(function)
    add_prompts(server)

    async def complete(_ref: Any, _argument: Any, _context: Any) -> Completion:
        return Completion(values=["one", "two"], total=2, has_more=False)

    async def subscribed(_ctx: Any, _params: Any) -> EmptyResult:
        return EmptyResult()

    server.completion()(complete)
    older = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]  # the handshake era's methods have no other door
    older.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribed)
    older.add_request_handler("resources/unsubscribe", SubscribeRequestParams, subscribed)
    older.add_request_handler("logging/setLevel", SetLevelRequestParams, subscribed)


def add_prompts(server: MCPServer[Any]) -> None:
    """Add the prompts."""
    for function in PROMPTS:
        server.prompt()(function)
