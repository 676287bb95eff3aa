"""No entry is answered without a decision of its own: every kind of entry, any name, both eras (T12)."""

import json
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.shared.uri_template import UriTemplate
from mcp_types import (
    EmptyResult,
    PromptReference,
    ResourceTemplateReference,
    SubscribeRequest,
    SubscribeRequestParams,
)

from casewright.contracts.principal import SERVERS, ServerName
from servers.build import ServerFactory
from tests.security.test_guard_controls import pull
from tests.support.installation import CASE, MODES, POLICIES, SEALED_CASE, Bearer, Mode, World

ASKED = {"call.allowed", "call.denied", "listing.withheld"}
HIDDEN = "not available: it does not exist, or this token may not use it"
MISTAKES = ("do not fit", "needs", "no argument", "cannot be subscribed", "Method not found")
"""Said to those who could use the entry, of what they gave."""
VALUES = st.sampled_from(
    (
        CASE,
        SEALED_CASE,
        "HL-2026-0003",
        "hl-provisional-credit",
        "2.1",
        "2026-06-01",
        "drf-1",
        "EV-1",
        "..",
        "%2e%2e",
        "*",
    )
) | st.text(max_size=12)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of a client for something that is no tool."""

    server: ServerName
    kind: str
    name: str
    argument: str
    given: dict[str, str]


@contextmanager
def running(home: Path) -> Generator[tuple[World, BlockingPortal]]:
    with anyio.from_thread.start_blocking_portal() as portal:
        world = World(home, POLICIES)
        try:
            yield world, portal
        finally:
            portal.call(world.services.close)


@st.composite
def requests(draw: st.DrawFn, factory: ServerFactory) -> Asked:
    """A request for what a server declares, with any values, or for what it does not."""
    server = draw(st.sampled_from(SERVERS))
    spec = factory.spec(server)
    kind = draw(st.sampled_from(("read", "subscribe", "prompt", "complete")))
    declared = {resource.uri: resource.template.variable_names for resource in spec.resources}
    if kind in ("prompt", "complete"):
        prompts = {prompt.name: [argument.name for argument in prompt.arguments] for prompt in spec.prompts}
        declared = prompts if kind == "prompt" else declared | prompts
    if not declared or draw(st.integers(0, 4)) == 0:
        name = draw(VALUES | VALUES.map("case://{}/overview".format) | VALUES.map("x://{}".format))
        return Asked(server=server, kind=kind, name=name, argument="case", given={})
    name = draw(st.sampled_from(sorted(declared)))
    values = {variable: draw(VALUES) for variable in declared[name] if draw(st.integers(0, 5))}
    if kind in ("read", "subscribe"):
        uri = UriTemplate.parse(name).expand(values)
        return Asked(server=server, kind=kind, name=uri, argument="", given={})
    argument = draw(st.sampled_from(declared[name] or ["case"]) | VALUES)
    return Asked(server=server, kind=kind, name=name, argument=argument, given=values)


async def attempt(world: World, asked: Asked, bearer: Bearer, mode: Mode) -> str:
    """What the client was answered; empty: it was refused."""
    async with world.client(asked.server, bearer, mode=mode) as client:
        try:
            answer = await _request(client, asked, mode)
        except MCPError as error:
            assert any(said in error.error.message for said in (HIDDEN, *MISTAKES)), error.error
            return ""
        return json.dumps(answer)


async def _request(client: Client, asked: Asked, mode: Mode) -> Any:
    match asked.kind:
        case "read":
            return (await client.read_resource(asked.name)).model_dump(mode="json")
        case "prompt":
            return (await client.get_prompt(asked.name, asked.given)).model_dump(mode="json")
        case "subscribe" if mode == "legacy":
            request = SubscribeRequest(params=SubscribeRequestParams(uri=asked.name))
            return (await client.session.send_request(request, EmptyResult)).model_dump(mode="json")
        case "subscribe":
            async with client.listen(resource_subscriptions=[asked.name]) as stream:
                return list(stream.honored.resource_subscriptions or ())
        case _:
            reference: Any = ResourceTemplateReference(uri=asked.name)
            if "://" not in asked.name:
                reference = PromptReference(name=asked.name)
            argument = {"name": asked.argument, "value": ""}
            found = await client.complete(reference, argument, context_arguments=asked.given or None)
            return found.completion.values


@pytest.mark.thorough
@pytest.mark.proves("D2", "D3", "I3", "I1")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("identity", ["rosa", "petra", "avery"])
def test_nothing_is_answered_without_a_decision_and_nothing_sealed_or_foreign_at_all(
    home: Path, identity: str, mode: Mode
) -> None:
    number = iter(range(10**6))
    with running(home) as (world, portal):

        @settings(
            max_examples=200,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
            database=None,
        )
        @given(requests(world.factory))
        def attempts(asked: Asked) -> None:
            bearer = Bearer(identity=identity, run_id=f"run-{next(number)}")
            said = portal.call(attempt, world, asked, bearer, mode)
            events = portal.call(decided, world, bearer.run_id)
            served = asked.kind != "subscribe" or any(each.stamp for each in world.factory.spec(asked.server).resources)
            assert events or not served or said == "[]", asked
            if said not in ("", "[]"):
                assert "call.allowed" in events, (asked, said, events)
                assert SEALED_CASE not in said or asked.given or SEALED_CASE in asked.name, said

        attempts()
        assert portal.call(world.effects, CASE) == []
        assert portal.call(world.services.audit.verify).ok


async def decided(world: World, run_id: str) -> list[str]:
    return [event.kind for event in await world.events(run_id=run_id) if event.kind in ASKED]


@pytest.mark.proves("D2", "D3")
@pytest.mark.parametrize("mode", MODES)
async def test_without_a_valid_token_no_entry_is_listed_read_got_completed_or_watched(world: World, mode: Mode) -> None:
    template = ResourceTemplateReference(uri="case://{case}/overview")
    async with world.client_with("drafting", "no token", mode=mode) as client:
        asked: list[Awaitable[Any]] = [
            client.list_resources(),
            client.list_resource_templates(),
            client.list_prompts(),
            client.read_resource(f"case://{CASE}/drafts"),
            client.get_prompt("prepare_approval", {"draft": "drf-1"}),
            client.complete(template, {"name": "case", "value": ""}),
            _request(
                client,
                Asked(server="drafting", kind="subscribe", name=f"case://{CASE}/drafts", argument="", given={}),
                mode,
            ),
        ]
        for request in asked:
            with pytest.raises(MCPError, match="a valid token for this server is needed"):
                await request


@pytest.mark.proves("D2", "D5")
async def test_a_switch_that_turns_a_tool_off_turns_off_its_entries(world: World) -> None:
    await pull(world, "switches.tools", "+case-facts/get_case")
    async with world.client("case-facts") as client:
        for refused in (
            client.read_resource(f"case://{CASE}/overview"),
            client.get_prompt("review_case", {"case": CASE}),
        ):
            with pytest.raises(MCPError, match="not available"):
                await refused
        assert (await client.read_resource(f"case://{CASE}/timeline")).contents
