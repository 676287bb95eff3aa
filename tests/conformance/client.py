"""The client that the official suite examines; `tests.conformance.turns` starts it.

Bare calls tools as the SDK's client does; ours calls them through the toolbox that our specialists use. The suite says
in its environment which scenario runs and in which revision.
"""

import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx2
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    ListRootsResult,
    TextContent,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, ConfigDict

from agents.toolbox import McpToolbox, ToolBudget, ToolRefusedError
from tests.conformance.signing_in import signing_in

Call = Callable[[str, Mapping[str, Any]], Awaitable[object]]
SECONDS = 25
MOST_CALLS = 100
_log = logging.getLogger("casewright.conformance")
_FILLERS: dict[str, Any] = {"string": "x", "integer": 0, "number": 0, "boolean": False, "object": {}, "array": []}


class Anything(BaseModel):
    """What a tool of the suite answers, which is its own business."""

    model_config = ConfigDict(extra="allow")


async def accepting(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """A user who takes what is suggested, and agrees to the rest."""
    schema: Mapping[str, Any] = params.requested_schema if isinstance(params, ElicitRequestFormParams) else {}
    fields: dict[str, dict[str, Any]] = schema.get("properties", {})
    content = {name: field["default"] for name, field in fields.items() if "default" in field}
    agreed = {name: True for name, field in fields.items() if field.get("type") == "boolean" and name not in content}
    return ElicitResult(action="accept", content=content | agreed)


async def sampling(context: ClientRequestContext, params: CreateMessageRequestParams) -> CreateMessageResult:
    """A model that says nothing."""
    return CreateMessageResult(role="assistant", content=TextContent(type="text", text=""), model="none")


async def rootless(context: ClientRequestContext) -> ListRootsResult:
    """A client without folders."""
    return ListRootsResult(roots=[])


@asynccontextmanager
async def opened(url: str, mode: Literal["auto", "legacy"], http: httpx2.AsyncClient) -> AsyncGenerator[Client]:
    """A client that can do everything a server may ask of it."""
    async with Client(
        streamable_http_client(url, http_client=http),
        mode=mode,
        read_timeout_seconds=SECONDS,
        elicitation_callback=accepting,
        sampling_callback=sampling,
        list_roots_callback=rootless,
    ) as client:
        yield client


def bare_call(client: Client) -> Call:
    """Tools as the SDK's client calls them."""

    async def call(tool: str, arguments: Mapping[str, Any]) -> object:
        return await client.call_tool(tool, dict(arguments))

    return call


def our_call(client: Client) -> Call:
    """Tools as our specialists call them; that what comes back has no structure refuses it, after the call."""
    toolbox = McpToolbox(client, ToolBudget(limit=MOST_CALLS, spent=0))

    async def call(tool: str, arguments: Mapping[str, Any]) -> object:
        try:
            return await toolbox.call(tool, arguments, Anything)
        except ToolRefusedError as error:
            return error

    return call


CALLS: dict[str, Callable[[Client], Call]] = {"bare": bare_call, "ours": our_call}
FIXED: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "initialize": (),
    "json-schema-ref-no-deref": (),
    "tools_call": (("add_numbers", {"a": 5, "b": 3}),),
    "request-metadata": (("add_numbers", {"a": 5, "b": 3}),),
    "http-standard-headers": (("test_headers", {}),),
    "sse-retry": (("test_reconnection", {}),),
    "elicitation-sep1034-client-defaults": (("test_client_elicitation_defaults", {}),),
    "sep-2322-client-request-state": (
        ("test_mrtr_echo_state", {}),
        ("test_mrtr_unrelated", {}),
        ("test_mrtr_no_state", {}),
        ("test_mrtr_no_result_type", {}),
    ),
}
"""Scenario and the calls it wants; the others call what the server lists, or what the suite says."""
HANDSHAKE_ONLY = frozenset({"json-schema-ref-no-deref"})
"""The suite's own server knows only the handshake there, whatever the revision."""


async def played(scenario: str, client: Client, call: Call, given: Mapping[str, Any]) -> None:
    """List the tools and make the scenario's calls; a call that the server refuses does not end it."""
    listed = (await client.list_tools()).tools
    if scenario in FIXED:
        calls: Sequence[tuple[str, dict[str, Any]]] = FIXED[scenario]
    elif "toolCalls" in given:
        names = {tool.name for tool in listed}
        calls = [(made["name"], made.get("arguments") or {}) for made in given["toolCalls"] if made["name"] in names]
    else:
        wanted = listed if scenario.startswith("http-") else listed[:1]
        calls = [(tool.name, _filled(tool.input_schema)) for tool in wanted]
    for name, arguments in calls:
        try:
            await call(name, arguments)
        except MCPError as error:
            _log.info("%s: %s", name, error)
    if scenario == "http-standard-headers":
        for resource in (await client.list_resources()).resources:
            await client.read_resource(resource.uri)
        for prompt in (await client.list_prompts()).prompts:
            await client.get_prompt(prompt.name, {})


def _filled(schema: Mapping[str, Any]) -> dict[str, Any]:
    fields = schema.get("properties", {})
    return {name: _FILLERS.get(fields.get(name, {}).get("type"), "x") for name in schema.get("required", [])}


async def examined(kind: str, url: str, environment: Mapping[str, str]) -> None:
    """Play the scenario that the suite names."""
    scenario = environment.get("MCP_CONFORMANCE_SCENARIO", "initialize")
    version = environment.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "")
    given: dict[str, Any] = json.loads(environment.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    modern = not version or version in MODERN_PROTOCOL_VERSIONS
    mode: Literal["auto", "legacy"] = "auto" if modern and scenario not in HANDSHAKE_ONLY else "legacy"
    auth = signing_in(url, given) if scenario.startswith("auth/") else None
    async with (
        httpx2.AsyncClient(auth=auth, timeout=SECONDS, trust_env=False, follow_redirects=True) as http,
        opened(url, mode, http) as client,
    ):
        await played(scenario, client, CALLS[kind](client), given)
