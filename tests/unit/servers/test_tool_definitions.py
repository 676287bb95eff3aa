"""What a server declares of its tools, and the hash that approvals are bound to."""

from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from casewright.contracts.base import Contract
from casewright.contracts.principal import SERVERS
from servers.build import INSTRUCTIONS
from servers.spec import ToolDefinition, ToolSpec
from tests.support.installation import World


class Answer(Contract):
    text: str


async def look(name: str) -> Answer:
    """Look at a thing."""
    return Answer(text=name)


def definition(title: str = "Look") -> ToolDefinition:
    return ToolDefinition.of(ToolSpec(fn=look, title=title, verb="read", risk="low", resource="none"))


def test_the_hash_of_a_definition_is_the_same_every_time_it_is_made() -> None:
    assert definition().hash == definition().hash


@pytest.mark.proves("C3")
def test_whatever_a_client_is_shown_changes_the_hash() -> None:
    async def described(name: str) -> Answer:
        """Look at another thing."""
        return Answer(text=name)

    async def bounded(name: Annotated[str, Field(max_length=5)]) -> Answer:
        """Look at a thing."""
        return Answer(text=name)

    hashes = {definition().hash, definition("Look twice").hash}
    for fn in (described, bounded):
        fn.__name__ = "look"
        hashes.add(ToolDefinition.of(ToolSpec(fn=fn, title="Look", verb="read", risk="low", resource="none")).hash)
    hashes.add(ToolDefinition.of(ToolSpec(fn=look, title="Look", verb="execute", risk="low", resource="none")).hash)
    assert len(hashes) == 5


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_two_definitions_have_one_hash_only_if_they_are_the_same(one: str, other: str) -> None:
    try:
        same = definition(one).hash == definition(other).hash
    except UnicodeEncodeError:
        return
    assert same is (one == other)


@pytest.mark.proves("I3")
def test_only_tools_that_change_nothing_say_that_they_read() -> None:
    for verb in ("list", "read", "search", "check", "write", "execute"):
        tool = ToolSpec(fn=look, title="Look", verb=verb, risk="low", resource="none").tool()
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is (verb not in ("write", "execute"))
        assert tool.annotations.destructive_hint is (verb == "execute")
        assert tool.annotations.idempotent_hint is (verb != "write")


@pytest.mark.proves("D1")
def test_the_servers_and_the_access_policy_know_the_same_tools(world: World) -> None:
    import json

    data = json.loads((world.policies / "data" / "access" / "data.json").read_text())["tools"]
    for server in SERVERS:
        declared = {
            found.spec.name: (found.spec.verb, found.spec.risk, found.spec.resource)
            for found in world.factory.definitions(server)
        }
        known = {name: (tool["verb"], tool["risk"], tool["resource"]) for name, tool in data[server].items()}
        assert declared == known
    assert set(data) - {"admin"} == set(SERVERS) == set(INSTRUCTIONS)
