"""Where a server finds the caller's token: the request on HTTP, a fixed one elsewhere.

On stdio the token comes from the environment of the process, in process it is handed over by
the orchestrator. No source answers without a token, and none reads it from arguments.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext

from casewright.contracts.principal import ServerName
from casewright.errors import UnauthenticatedError
from casewright.identity.tokens import TokenAuthority


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
    """The `Authorization` header of each HTTP request."""

    def token(self, request: ServerRequestContext[Any, Any]) -> str:
        headers = getattr(request.request, "headers", None)
        value = headers.get("authorization", "") if headers is not None else ""
        scheme, _, token = value.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


class TransportVerifier:
    """The SDK's view of our tokens, so that HTTP answers 401 before any message is read."""

    def __init__(self, authority: TokenAuthority, server: ServerName) -> None:
        self._authority = authority
        self._server: ServerName = server

    async def verify_token(self, token: str) -> AccessToken | None:
        try:
            caller = await self._authority.verify(token, server=self._server)
        except UnauthenticatedError:
            return None
        return AccessToken(
            token=token,
            client_id=caller.principal.id,
            scopes=list(caller.scopes),
            expires_at=caller.expires_at,
            subject=caller.principal.id,
        )
