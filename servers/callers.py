"""Where a server finds the caller's token: the request on HTTP, a fixed one elsewhere.

On stdio the token comes from the environment of the process, in process it is handed over by
the orchestrator. No source answers without a token, and none reads it from arguments.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext

from casewright.contracts.principal import Caller, ServerName
from casewright.errors import UnauthenticatedError
from casewright.identity.tokens import TokenAuthority


@dataclass
class Verified:
    """One HTTP request whose token was checked before its message was read."""

    token: str
    caller: Caller
    reached_guard: bool = False
    """Whether the guard has taken it up; what it refuses it records itself."""


_verified: ContextVar[Verified | None] = ContextVar("casewright_verified", default=None)


@contextmanager
def verified_request(token: str, caller: Caller) -> Generator[Verified]:
    """Spare the transport a second check of a token that was checked for this very request."""
    request = Verified(token, caller)
    before = _verified.set(request)
    try:
        yield request
    finally:
        _verified.reset(before)


def taken_up() -> None:
    """Note that the guard has this request."""
    request = _verified.get()
    if request is not None:
        request.reached_guard = True


class TokenSource(Protocol):
    """Gives the raw token of one request; the guard verifies it."""

    def token(self, request: ServerRequestContext[Any, Any]) -> str: ...


@dataclass(frozen=True)
class FixedToken:
    """One token for every request: stdio and in process."""

    value: str

    def token(self, request: ServerRequestContext[Any, Any]) -> str:
        return self.value


class BearerToken:
    """The `Authorization` header of each HTTP request; two of them are none."""

    def token(self, request: ServerRequestContext[Any, Any]) -> str:
        headers = getattr(request.request, "headers", None)
        shown: list[str] = headers.getlist("authorization") if headers is not None else []
        scheme, _, token = (shown[0] if len(shown) == 1 else "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


class TransportVerifier:
    """The SDK's view of our tokens, so that HTTP answers 401 before any message is read."""

    def __init__(self, authority: TokenAuthority, server: ServerName) -> None:
        self._authority = authority
        self._server: ServerName = server

    async def verify_token(self, token: str) -> AccessToken | None:
        known = _verified.get()
        try:
            if known is not None and known.token == token.strip():
                return _access(token, known.caller)
            caller = await self._authority.verify(token, server=self._server)
        except UnauthenticatedError:
            return None
        return _access(token, caller)


def _access(token: str, caller: Caller) -> AccessToken:
    """What the SDK needs to know; no expiry, because it would compare that with the machine's clock and no skew."""
    return AccessToken(
        token=token,
        client_id=f"{caller.principal.tenant}/{caller.principal.id}",
        scopes=list(caller.scopes),
        expires_at=None,
        subject=caller.principal.id,
    )
