"""Resources, templates, prompts and completions that somebody registers with the SDK: nobody reaches one that the
server's spec does not declare, and a new kind of handler in the SDK is noticed.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference
from mcp_types.methods import CACHEABLE_METHODS

from servers.guarded import PRIVATE, GuardedServer
from tests.support.installation import CASE, MODES, Bearer, Mode, World, opened

COVERED = {
    "list_tools",
    "call_tool",
    "list_resources",
    "list_resource_templates",
    "read_resource",
    "list_prompts",
    "get_prompt",
    "completion",
}
"""What answers clients: each is overridden to ask the access policy."""
NOT_REACHED_BY_CLIENTS = {
    # adding entries, which are shown to nobody before the policy knows them
    *("add_tool", "remove_tool", "tool", "add_resource", "resource", "add_prompt", "remove_prompt", "prompt"),
    # what the server says of itself
    *("name", "title", "description", "instructions", "website_url", "icons", "version"),
    # transports, whose every message passes the middleware
    *("middleware", "session_manager", "run", "run_stdio_async", "run_sse_async", "run_streamable_http_async"),
    *("sse_app", "streamable_http_app"),
    # plain HTTP routes: none is added, `commands.serving` has its own
    "custom_route",
}


class LaterServer:
    """One of our servers to which somebody added a resource, a template, a prompt and a completion."""

    def __init__(self, world: World, bearer: Bearer) -> None:
        self.ran: list[str] = []
        self.server = world.factory.build("case-facts", world.token("case-facts", bearer))

        @self.server.resource("case://sealed")
        def sealed() -> str:
            self.ran.append("resource")
            return "canary-sealed"

        @self.server.resource("case://evidence/{item}")
        def evidence(item: str) -> str:
            self.ran.append("template")
            return f"canary-{item}"

        @self.server.prompt()
        def summarise(style: str = "plain") -> str:
            self.ran.append("prompt")
            return f"canary-{style}"

        self.defined = (sealed, evidence, summarise)


@asynccontextmanager
async def later(world: World, bearer: Bearer, mode: Mode) -> AsyncGenerator[tuple[LaterServer, Client]]:
    made = LaterServer(world, bearer)
    async with Client(made.server, mode=mode, read_timeout_seconds=20) as client:
        yield made, client


def register(policies: Path, **entries: str) -> None:
    """Make the policy know these entries of the case facts server, for reviewers."""
    path = policies / "data" / "access" / "data.json"
    data = json.loads(path.read_text())
    template = data["tools"]["case-facts"]["list_cases"]
    for kind, name in entries.items():
        entry = template | {"kind": kind, "verb": "read", "risk": "low", "resource": "none", "redacts": False}
        data["tools"]["case-facts"][name] = entry
    path.write_text(json.dumps(data))


@pytest.mark.proves("D2", "D3")
def test_every_public_method_of_the_sdks_server_is_covered_or_known_to_answer_nobody() -> None:
    public = {name for name in vars(MCPServer) if not name.startswith("_")}
    assert public == COVERED | NOT_REACHED_BY_CLIENTS
    assert {name for name in COVERED if name not in vars(GuardedServer)} == set()


@pytest.mark.proves("D3", "I1")
def test_every_list_that_a_client_could_keep_is_private() -> None:
    assert set(PRIVATE) == set(CACHEABLE_METHODS)
    assert {(hint.scope, hint.ttl_ms) for hint in PRIVATE.values()} == {("private", 0)}


@pytest.mark.proves("D2", "D3", "D1")
@pytest.mark.parametrize("mode", MODES)
async def test_what_the_policy_does_not_know_is_neither_listed_nor_read(world: World, mode: Mode) -> None:
    async with later(world, Bearer(identity="selma"), mode) as (made, client):
        assert "case://sealed" not in {str(each.uri) for each in (await client.list_resources()).resources}
        listed = (await client.list_resource_templates()).resource_templates
        assert "case://evidence/{item}" not in {each.uri_template for each in listed}
        assert "summarise" not in {each.name for each in (await client.list_prompts()).prompts}
        for refused in (
            client.read_resource("case://sealed"),
            client.read_resource("case://evidence/EV-1"),
            client.get_prompt("summarise", {}),
            client.complete(PromptReference(name="summarise"), {"name": "style", "value": "p"}),
            client.complete(ResourceTemplateReference(uri="case://evidence/{item}"), {"name": "item", "value": "E"}),
        ):
            with pytest.raises(MCPError, match="not available") as error:
                await refused
            assert "canary" not in str(error.value)
        assert made.ran == []
    events = await world.events()
    assert [event.kind for event in events] == ["listing.withheld"] * 3 + ["call.denied"] * 5
    assert {event.body["code"] for event in events[3:]} == {"tool_unknown"}
    assert [event.body["kind"] for event in events[3:]] == ["resource"] * 2 + ["prompt"] + ["completion"] * 2
    assert all(event.body["decision_id"] and event.body["policy_revision"] for event in events[3:])


@pytest.mark.proves("D2", "D3")
@pytest.mark.parametrize("mode", MODES)
async def test_an_absent_entry_reads_exactly_like_a_denied_one(world: World, mode: Mode) -> None:
    async with later(world, Bearer(identity="selma"), mode) as (_, client):
        told: list[tuple[int, str]] = []
        for refused in (client.read_resource("case://sealed"), client.read_resource("case://nothing")):
            with pytest.raises(MCPError) as error:
                await refused
            told.append((error.value.error.code, error.value.error.message))
        assert told[0] == told[1]
        told.clear()
        for refused in (client.get_prompt("summarise", {}), client.get_prompt("nothing", {})):
            with pytest.raises(MCPError) as error:
                await refused
            told.append((error.value.error.code, error.value.error.message))
        assert told[0] == told[1]


@pytest.mark.proves("D2", "D3")
async def test_what_the_spec_does_not_declare_is_reached_by_nobody_even_where_the_policy_would_allow_it(
    home: Path, own_policies: Path
) -> None:
    register(own_policies, resource="case://sealed", prompt="summarise")
    async with opened(home, own_policies) as world, later(world, Bearer(), "auto") as (made, client):
        assert "case://sealed" not in {str(found.uri) for found in (await client.list_resources()).resources}
        assert "summarise" not in {found.name for found in (await client.list_prompts()).prompts}
        for refused in (client.read_resource("case://sealed"), client.get_prompt("summarise", {})):
            with pytest.raises(MCPError, match="not available"):
                await refused
        assert made.ran == []


@pytest.mark.proves("D2")
def test_nothing_completes_but_what_a_server_declares(world: World) -> None:
    with pytest.raises(TypeError, match="CompleterSpec"):
        world.factory.build("case-facts", "").completion()


@pytest.mark.proves("D2")
async def test_a_tool_added_behind_the_guards_back_is_neither_listed_nor_run(world: World) -> None:
    ran: list[str] = []

    def shortcut() -> str:
        ran.append("shortcut")
        return "canary"

    server = world.factory.build("case-facts", world.token("case-facts"))
    server.add_tool(shortcut)
    async with Client(server, read_timeout_seconds=20) as client:
        assert "shortcut" not in {tool.name for tool in (await client.list_tools()).tools}
        assert (await client.call_tool("shortcut", {})).is_error
    assert ran == []


@pytest.mark.proves("D3", "D6")
async def test_two_callers_who_list_at_once_see_each_their_own(world: World) -> None:
    async def names(bearer: Bearer) -> set[str]:
        async with world.client("case-facts", bearer) as client:
            return {tool.name for tool in (await client.list_tools()).tools}

    person, agent = await asyncio.gather(
        names(Bearer()), names(Bearer(agent="intake", scopes=("get_case",), case_id=CASE, run_id="run-9"))
    )
    assert agent == {"get_case"} and len(person) > len(agent)
