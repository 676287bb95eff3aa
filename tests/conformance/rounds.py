"""The tools and the prompt of the conformance suite that ask the client for something and are called again.

Each round is a call of its own: what a tool knows of earlier ones is what the client hands back.
"""

import json
from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import Message, UserMessage
from mcp_types import (
    CallToolResult,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    TextContent,
)

Request = ElicitRequest | CreateMessageRequest | ListRootsRequest
Rounds = CallToolResult | InputRequiredResult


def form(message: str, **fields: str) -> ElicitRequest:
    """A question to the user with required fields of these types."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in fields.items()},
        "required": list(fields),
    }
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(words: str) -> CreateMessageRequest:
    """A question to the client's model."""
    message = SamplingMessage(role="user", content=TextContent(type="text", text=words))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=100))


def asking(state: str | None = None, /, **requests: Request) -> InputRequiredResult:
    """What answers a round that lacks something."""
    return InputRequiredResult(input_requests=dict(requests), request_state=state)


def done(text: str) -> CallToolResult:
    """What answers the last round."""
    return CallToolResult(content=[TextContent(type="text", text=text)])


def given(ctx: Context, key: str) -> dict[str, Any] | None:
    """The user's answer under a key; None when there is none."""
    answer = (ctx.input_responses or {}).get(key)
    return dict(answer.content or {}) if isinstance(answer, ElicitResult) and answer.action == "accept" else None


def test_input_required_result_elicitation(ctx: Context) -> Rounds:
    """Ask for a name."""
    answer = given(ctx, "user_name")
    if answer is None:
        return asking(user_name=form("What is your name?", name="string"))
    return done(f"Hello, {answer.get('name')}!")


def test_input_required_result_sampling(ctx: Context) -> Rounds:
    """Ask the client's model for a capital."""
    answer = (ctx.input_responses or {}).get("capital_question")
    if not isinstance(answer, CreateMessageResult):
        return asking(capital_question=sample("What is the capital of France?"))
    return done("answered")


def test_input_required_result_list_roots(ctx: Context) -> Rounds:
    """Ask for the client's roots."""
    answer = (ctx.input_responses or {}).get("client_roots")
    if not isinstance(answer, ListRootsResult):
        return asking(client_roots=ListRootsRequest())
    return done(", ".join(str(root.uri) for root in answer.roots))


def test_input_required_result_request_state(ctx: Context) -> Rounds:
    """Ask for a confirmation and have the state handed back."""
    if given(ctx, "confirm") is None or ctx.request_state != "confirming":
        return asking("confirming", confirm=form("Please confirm", ok="boolean"))
    return done("state-ok")


def test_input_required_result_tampered_state(ctx: Context) -> Rounds:
    """The same, for a client that changes the state."""
    return test_input_required_result_request_state(ctx)


def test_input_required_result_multiple_inputs(ctx: Context) -> Rounds:
    """Ask the user, the model and the client at once."""
    answers = ctx.input_responses or {}
    wanted: dict[str, Request] = {
        "user_name": form("What is your name?", name="string"),
        "greeting": sample("Generate a greeting"),
        "client_roots": ListRootsRequest(),
    }
    missing = {key: request for key, request in wanted.items() if key not in answers}
    return asking("three", **missing) if missing else done("all three answered")


def test_input_required_result_multi_round(ctx: Context) -> Rounds:
    """Ask for a name, then for a colour."""
    state: dict[str, Any] = json.loads(ctx.request_state) if ctx.request_state else {}
    name = given(ctx, "step1")
    if name is not None:
        return asking(json.dumps(name), step2=form("Step 2: What is your favorite color?", color="string"))
    colour = given(ctx, "step2")
    if colour is not None and state:
        return done(f"{state.get('name')} likes {colour.get('color')}")
    return asking(json.dumps({}), step1=form("Step 1: What is your name?", name="string"))


def test_input_required_result_capabilities(ctx: Context) -> Rounds:
    """Ask only for what the client can do."""
    capabilities = ctx.client_capabilities
    requests: dict[str, Request] = {}
    if capabilities is not None and capabilities.elicitation is not None:
        requests["user_name"] = form("What is your name?", name="string")
    if capabilities is not None and capabilities.sampling is not None:
        requests["greeting"] = sample("Generate a greeting")
    return asking(None, **requests) if requests else done("the client can do nothing of it")


def test_input_required_result_prompt(ctx: Context) -> list[Message] | InputRequiredResult:
    """A prompt that asks for its context."""
    answer = given(ctx, "user_context")
    if answer is None:
        return asking(user_context=form("What context should the prompt use?", context="string"))
    return [UserMessage(f"Use this context: {answer.get('context')}")]


IN_ROUNDS: tuple[Callable[..., Any], ...] = (
    test_input_required_result_elicitation,
    test_input_required_result_sampling,
    test_input_required_result_list_roots,
    test_input_required_result_request_state,
    test_input_required_result_tampered_state,
    test_input_required_result_multiple_inputs,
    test_input_required_result_multi_round,
    test_input_required_result_capabilities,
)
