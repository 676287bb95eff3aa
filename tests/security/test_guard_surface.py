"""The whole surface of a server is known: what a later SDK adds stays closed until somebody opens it."""

from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import METHOD_NOT_FOUND, RequestParams, Result
from mcp_types import Request as WireRequest
from mcp_types.methods import SPEC_CLIENT_METHODS

from casewright.contracts.principal import SERVERS, ServerName
from servers.guarded import GUARDED_METHODS, OPEN_METHODS, SUBSCRIBING_METHODS, GuardedServer
from tests.support.installation import MODES, Mode, World

KNOWN_CLOSED = {"logging/setLevel"}
"""Methods of the protocol that our servers do not have."""


def served(server: GuardedServer) -> set[str]:
    """Every request method for which the SDK would run something."""
    lowlevel = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    return set(lowlevel._request_handlers) | {"initialize"}  # pyright: ignore[reportPrivateUsage]


@pytest.mark.proves("D2")
@pytest.mark.parametrize("server", SERVERS)
def test_every_method_the_sdk_serves_is_open_or_guarded(world: World, server: ServerName) -> None:
    subscribable = any(resource.stamp for resource in world.factory.spec(server).resources)
    known = OPEN_METHODS | GUARDED_METHODS | (SUBSCRIBING_METHODS if subscribable else frozenset[str]())
    assert served(world.factory.build(server, "")) == known


@pytest.mark.proves("D2")
def test_every_method_of_the_protocol_is_open_guarded_or_known_to_be_closed() -> None:
    assert set(SPEC_CLIENT_METHODS) == OPEN_METHODS | GUARDED_METHODS | SUBSCRIBING_METHODS | KNOWN_CLOSED


@pytest.mark.proves("D2")
def test_a_server_serves_no_notification_that_could_do_anything(world: World) -> None:
    lowlevel = world.factory.build("drafting", "")._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    assert lowlevel._notification_handlers == {}  # pyright: ignore[reportPrivateUsage]


async def refusal(client: Client, method: str, params: dict[str, Any]) -> int:
    """The error code of a raw request."""
    request = WireRequest[RequestParams, str](method=method, params=RequestParams.model_validate(params))
    with pytest.raises(MCPError) as refused:
        await client.session.send_request(request, Result)
    return refused.value.error.code


@pytest.mark.proves("D2")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", ["casewright/secret", "tools/call2", "TOOLS/CALL", "tools/list/", "", "server/stop"])
async def test_an_unknown_method_is_not_found_even_with_a_valid_token(world: World, mode: Mode, method: str) -> None:
    async with world.client("case-facts", mode=mode) as client:
        assert await refusal(client, method, {}) == METHOD_NOT_FOUND


@pytest.mark.proves("D2")
async def test_a_method_that_a_later_sdk_serves_stays_closed(world: World) -> None:
    ran: list[str] = []

    async def later(_ctx: object, _params: object) -> dict[str, Any]:
        ran.append("later")
        return {}

    server = world.factory.build("case-facts", world.token("case-facts"))
    server._lowlevel_server.add_request_handler("later/read", RequestParams, later)  # pyright: ignore[reportPrivateUsage]
    async with Client(server, mode="legacy") as client:
        assert await refusal(client, "later/read", {}) == METHOD_NOT_FOUND
    assert ran == []
