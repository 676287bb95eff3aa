"""Where a token comes from on each transport, and which hosts and origins an HTTP server answers."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from mcp.server.context import ServerRequestContext
from starlette.datastructures import Headers

from servers.build import transport_security
from servers.callers import BearerToken, FixedToken, TransportVerifier
from tests.support.installation import Bearer, World


@dataclass
class HttpRequest:
    headers: Headers = field(default_factory=Headers)


@dataclass
class Message:
    """The part of a request context that a token source reads."""

    request: HttpRequest | None


def bearer(headers: dict[str, str] | list[str] | None) -> str:
    """The token that the source finds in a request's headers; None: not an HTTP request."""
    several = headers.items() if isinstance(headers, dict) else (("authorization", value) for value in headers or [])
    raw = [(name.encode(), value.encode()) for name, value in several]
    message = Message(request=None if headers is None else HttpRequest(Headers(raw=raw)))
    return BearerToken().token(cast(ServerRequestContext[Any, Any], message))


@pytest.mark.proves("I2")
@pytest.mark.parametrize(
    ("headers", "token"),
    [
        (None, ""),
        ({}, ""),
        ({"authorization": ""}, ""),
        ({"authorization": "Bearer"}, ""),
        ({"authorization": "Bearer "}, ""),
        ({"authorization": "Basic cm9zYTpyb3Nh"}, ""),
        ({"authorization": "abc"}, ""),
        ({"x-token": "Bearer abc"}, ""),
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer  abc "}, "abc"),
        (["Bearer abc", "Bearer abc"], ""),
        (["Bearer abc", "Basic cm9zYTpyb3Nh"], ""),
    ],
)
def test_only_a_bearer_token_in_the_authorization_header_counts(
    headers: dict[str, str] | list[str] | None, token: str
) -> None:
    assert bearer(headers) == token


@pytest.mark.proves("D2")
def test_a_fixed_token_never_looks_at_the_request() -> None:
    message = Message(request=HttpRequest(Headers({"authorization": "Bearer other"})))
    assert FixedToken("mine").token(cast(ServerRequestContext[Any, Any], message)) == "mine"


@pytest.mark.proves("I2")
async def test_the_transport_accepts_exactly_the_tokens_of_its_server(world: World) -> None:
    verifier = TransportVerifier(world.services.tokens, "case-facts")
    accepted = await verifier.verify_token(world.token("case-facts", Bearer(scopes=("get_case",))))
    assert accepted is not None
    assert (accepted.subject, accepted.scopes) == ("rosa", ["get_case"])
    for refused in ("", "abc", world.token("drafting")):
        assert await verifier.verify_token(refused) is None
    world.clock.advance(seconds=600)
    assert await verifier.verify_token(accepted.token) is None


@pytest.mark.proves("I1")
def test_only_this_machine_and_the_named_host_are_answered() -> None:
    security = transport_security("cases.example.org", 8750)
    assert security.enable_dns_rebinding_protection
    assert set(security.allowed_hosts) == {"cases.example.org:8750", "127.0.0.1:8750", "localhost:8750"}
    assert "http://evil.example:8750" not in security.allowed_origins
    assert not any("*" in entry for entry in (*security.allowed_hosts, *security.allowed_origins))
